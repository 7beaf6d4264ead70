/** Files on disk, below the installation's home. Complete or not there: written aside, flushed, renamed. */
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ByteRange, type FileStore, folderOf, keyOf, type Stored } from './store.ts';

export class DiskStore implements FileStore {
  readonly receiving: string;
  readonly #folder: string;

  /** @param folder e.g. `<home>/files` */
  constructor(folder: string) {
    this.#folder = folder;
    this.receiving = join(folder, 'receiving');
  }

  async keep(received: string, file: Stored): Promise<void> {
    const path = this.#path(file);
    const folder = dirname(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(received, path);
    // The name is on disk only when its folder is.
    const handle = await open(folder);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async open(file: Stored, range?: ByteRange): Promise<Readable> {
    // Opened here, so that a file that is gone is an error before anything was answered.
    const handle = await open(this.#path(file));
    return createReadStream('', { fd: handle, ...range });
  }

  async remove(file: Stored): Promise<void> {
    await rm(this.#path(file), { force: true });
  }

  async removeAll(tenant: string): Promise<void> {
    await rm(join(this.#folder, folderOf(tenant)), { recursive: true, force: true });
  }

  #path(file: Stored): string {
    return join(this.#folder, ...keyOf(file));
  }
}
