/** Where the contents of files are kept: the one seam between files and disks or object stores. */
import type { Readable } from 'node:stream';
import { isUuid } from '#engine/uuid.ts';

export interface Stored {
  /** Id of the organisation. */
  readonly tenant: string;
  readonly id: string;
}

/** Both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface FileStore {
  /** A folder on this machine's disk for what is being received; on the same device where that saves copying. */
  readonly receiving: string;
  /** Takes over a received file, which is complete and on disk. Afterwards it is kept, whatever happens to the machine. */
  keep(received: string, file: Stored): Promise<void>;
  /** @throws Error when there is none */
  open(file: Stored, range?: ByteRange): Promise<Readable>;
  /** There may be none. */
  remove(file: Stored): Promise<void>;
  /** Everything of an organisation, by its id. There may be nothing, or what an interruption has left. */
  removeAll(tenant: string): Promise<void>;
}

/** Name of the content, `<tenant>/<last two digits>/<id>`. Made of ids alone, so there is no way out of the folder. */
export function keyOf({ tenant, id }: Stored): readonly [string, string, string] {
  if (!isUuid(id)) throw new TypeError('a file is kept under ids');
  return [folderOf(tenant), id.slice(-2), id];
}

/** Where the contents of an organisation's files are. */
export function folderOf(tenant: string): string {
  if (!isUuid(tenant)) throw new TypeError('a file is kept under ids');
  return tenant;
}
