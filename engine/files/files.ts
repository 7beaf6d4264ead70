/**
 * Files of records. An upload is nobody's but the uploader's until a record's field names it; from then on it is read
 * with the record and the field, by nobody else, and it ends with them. What no record names for a day is deleted.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock, IdSource } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { sessionOf } from '../db/database.ts';
import { gateSession } from '../identity/service-principals.ts';
import type { Entity } from '../model/model.ts';
import { invalidAt, notFound, Problem } from '../problem.ts';
import { parseSelect } from '../records/query/terms.ts';
import type { Selection } from '../records/query/query.ts';
import type { Scope } from '../records/scope.ts';
import { cleanName, HEAD_BYTES, recognise } from './recognise.ts';
import { removeFilesOfRemoved } from './removed-tenants.ts';
import type { ByteRange, FileStore } from './store.ts';

/** Files a person may have uploaded without a record naming them. */
const MAX_PENDING = 100;
const PENDING_KEPT = 24 * 3_600_000;
/** Files deleted at a time. */
const PURGED = 200;

export interface FileInfo {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

export interface FileServices {
  readonly database: Database;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly store: FileStore;
  /** Bytes of a file at most. */
  readonly limit: number;
  readonly reader: {
    one(
      scope: Scope,
      entity: Entity,
      id: string,
      selection: Selection | null,
    ): Promise<{ readonly body: string } | null>;
  };
}

export class Files {
  readonly #services: FileServices;

  constructor(services: FileServices) {
    this.#services = services;
  }

  get limit(): number {
    return this.#services.limit;
  }

  /**
   * Takes a file in. It is the principal's until a record names it.
   * @param name as the person calls it
   * @throws Problem `forbidden` for who may write no record of the entity, `invalid` for an empty one, `too_large`,
   *   `too_many_requests`
   */
  async receive(scope: Scope, entity: Entity, name: string, content: AsyncIterable<Uint8Array>): Promise<FileInfo> {
    const { database, ids, store } = this.#services;
    const rights = scope.rights.of(entity.name);
    const { userId } = scope.principal;
    if (userId === null || rights.create.length + rights.update.length === 0)
      throw new Problem('forbidden', `You may not write records of “${entity.label}”.`);
    const id = ids.uuid();
    await mkdir(store.receiving, { recursive: true, mode: 0o700 });
    const received = join(store.receiving, id);
    try {
      const { size, sha256, type } = await this.#write(received, content);
      const info = { id, name: cleanName(name), type, size };
      const file = { tenant: scope.tenant.id, id };
      await store.keep(received, file);
      const [made] = await database.batch(sessionOf(scope.principal), [
        {
          text: `insert into armature.file (tenant_id, id, created_by, created_at, name, type, size, sha256)
                 select $1::uuid, $2::uuid, $3::uuid, armature.now(), $4::text, $5::text, $6::bigint, $7::text
                 where (select count(*) from armature.file) < ${MAX_PENDING}`,
          values: [scope.tenant.id, id, userId, info.name, type, String(size), sha256],
        },
      ]);
      if (made?.count !== 1) {
        await store.remove(file);
        throw new Problem('too_many_requests', `At most ${MAX_PENDING} files may wait for a record that names them.`);
      }
      return info;
    } finally {
      await rm(received, { force: true });
    }
  }

  async #write(path: string, content: AsyncIterable<Uint8Array>) {
    const { limit } = this.#services;
    const digest = createHash('sha256');
    const head: Uint8Array[] = [];
    let size = 0;
    const handle = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of content) {
        if (size < HEAD_BYTES) head.push(chunk);
        size += chunk.length;
        if (size > limit)
          throw new Problem('too_large', `A file may have ${Math.floor(limit / 1024 / 1024)} MB at most.`);
        digest.update(chunk);
        await handle.writeFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (size === 0) throw invalidAt('', 'The file is empty.', 'required');
    return { size, sha256: digest.digest('hex'), type: recognise(Buffer.concat(head).subarray(0, HEAD_BYTES)) };
  }

  /**
   * The file in a record's field, for who may read both.
   * @throws Problem `not_found`
   */
  async find(scope: Scope, entity: Entity, recordId: string, key: string): Promise<FileInfo> {
    const field = entity.fields.get(key);
    const readable = scope.rights.of(entity.name).readableFields;
    if (!field?.type.attached || !readable.has(key)) throw notFound();
    const found = await this.#services.reader.one(scope, entity, recordId, parseSelect(key, '$select'));
    const body: unknown = found && JSON.parse(found.body);
    const file = fileIn(body, key);
    if (!file) throw notFound();
    return file;
  }

  content(scope: Scope, { id }: FileInfo, range?: ByteRange): Promise<Readable> {
    return this.#services.store.open({ tenant: scope.tenant.id, id }, range);
  }

  /** Deletes what organisations that are gone have left. @returns how many organisations */
  purgeRemoved(): Promise<number> {
    return removeFilesOfRemoved(this.#services.database, this.#services.store);
  }

  /** Deletes what no record has named for a day: row and content together, or neither. */
  async purge(): Promise<number> {
    const { database, clock, store } = this.#services;
    const before = new Date(clock.now() - PENDING_KEPT).toISOString();
    let purged = 0;
    for (;;) {
      const count = await database.transaction(gateSession('housekeeping'), async (transaction) => {
        // Whoever names one of them now waits, and finds it gone.
        const [gone] = await transaction.send({
          text: `delete from armature.file where (tenant_id, id) in (select tenant_id, id from armature.file
                 where record_id is null and created_at < $1::timestamptz limit ${PURGED}) returning tenant_id, id`,
          values: [before],
        });
        for (const [tenant, id] of gone?.rows ?? []) if (tenant && id) await store.remove({ tenant, id });
        return gone?.rows.length ?? 0;
      });
      purged += count;
      if (count < PURGED) return purged;
    }
  }
}

function fileIn(body: unknown, key: string): FileInfo | null {
  if (typeof body !== 'object' || body === null || !('data' in body)) return null;
  const record: unknown = body.data;
  const value: unknown = typeof record === 'object' && record !== null ? Reflect.get(record, key) : null;
  if (typeof value !== 'object' || value === null) return null;
  if (!('id' in value) || !('name' in value) || !('type' in value) || !('size' in value)) return null;
  return { id: String(value.id), name: String(value.name), type: String(value.type), size: Number(value.size) };
}
