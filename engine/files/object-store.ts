/** Files in an object store that speaks S3. Its credentials come from the environment, as its own tools have them. */
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type ByteRange, type FileStore, folderOf, keyOf, type Stored } from './store.ts';

export interface ObjectStoreSettings {
  readonly bucket: string;
  /** Before every key, e.g. `armature/`; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Another address than AWS's. Buckets are then part of the path. */
  readonly endpoint: string | null;
  /** A folder of this machine for what is being received. */
  readonly receiving: string;
}

/** Objects listed, and deleted beside each other. */
const LISTED = 50;

export class ObjectStore implements FileStore {
  readonly receiving: string;
  readonly #client: S3Client;
  readonly #settings: ObjectStoreSettings;

  constructor(settings: ObjectStoreSettings) {
    this.#settings = settings;
    this.receiving = settings.receiving;
    this.#client = new S3Client({
      region: settings.region,
      // Stores of others often know no other checksum than the length.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint, forcePathStyle: true }),
    });
  }

  async keep(received: string, file: Stored): Promise<void> {
    const object = this.#object(file);
    const { size } = await stat(received);
    await this.#client.send(new PutObjectCommand({ ...object, Body: createReadStream(received), ContentLength: size }));
    await rm(received, { force: true });
  }

  async open(file: Stored, range?: ByteRange): Promise<Readable> {
    const found = await this.#client.send(
      new GetObjectCommand({ ...this.#object(file), ...(range && { Range: `bytes=${range.start}-${range.end}` }) }),
    );
    if (!(found.Body instanceof Readable)) throw new TypeError('the object store answered no stream');
    return found.Body;
  }

  async remove(file: Stored): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(file)));
  }

  /** Listed anew after each page, since what was listed is gone then. One by one: not every store deletes many at once. */
  async removeAll(tenant: string): Promise<void> {
    const { bucket: Bucket, prefix } = this.#settings;
    const Prefix = `${prefix}${folderOf(tenant)}/`;
    for (;;) {
      const { Contents = [] } = await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: LISTED }));
      if (Contents.length === 0) return;
      await Promise.all(Contents.map(({ Key }) => this.#client.send(new DeleteObjectCommand({ Bucket, Key }))));
    }
  }

  #object(file: Stored): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#settings.bucket, Key: `${this.#settings.prefix}${keyOf(file).join('/')}` };
  }
}
