/**
 * The ZIP archive of a workbook, read from a file by its directory: nothing is taken out that nobody asked for, and what
 * an archive says of itself is checked before (a few kilobytes may claim to be gigabytes).
 */
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Entry, ZipFile } from 'yauzl';
import { open } from 'yauzl';
import { badFile } from '../problems.ts';

/** Files in an archive, their sizes together, and how many times larger than it they may be. */
export const ARCHIVE_LIMITS = {
  entries: 1000,
  bytes: 150 * 1024 * 1024,
  ratio: 100,
  harmless: 5 * 1024 * 1024,
} as const;

const openFile = promisify<string, { lazyEntries: boolean; autoClose: boolean }, ZipFile>(open);

export class Archive {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  /** @throws Problem `invalid_import` for what is no archive, or one that would grow too large */
  static async open(path: string): Promise<Archive> {
    let zip: ZipFile;
    try {
      zip = await openFile(path, { lazyEntries: true, autoClose: false });
    } catch {
      throw broken();
    }
    try {
      return new Archive(zip, await directory(zip));
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase());
  }

  /** The bytes of a file; the stream fails when they are more than the directory said. */
  async read(name: string): Promise<Readable> {
    const entry = this.#entries.get(name.toLowerCase());
    if (!entry) throw badFile('This workbook is damaged: a part of it is missing.');
    return new Promise((resolve, reject) => {
      this.#zip.openReadStream(entry, (error, stream) => (error ? reject(broken()) : resolve(stream)));
    });
  }

  close(): void {
    this.#zip.close();
  }
}

export function broken(): Error {
  return badFile('This workbook cannot be read: the file is damaged or no Excel workbook (.xlsx).');
}

function directory(zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  let packed = 0;
  let bytes = 0;
  return new Promise((resolve, reject) => {
    if (zip.entryCount > ARCHIVE_LIMITS.entries) reject(badFile('This workbook has too many parts.'));
    zip.on('error', () => reject(broken()));
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: Entry) => {
      packed += entry.compressedSize;
      bytes += entry.uncompressedSize;
      const tooMuch = bytes > ARCHIVE_LIMITS.harmless && bytes > packed * ARCHIVE_LIMITS.ratio;
      if (tooMuch || bytes > ARCHIVE_LIMITS.bytes || entries.size >= ARCHIVE_LIMITS.entries) {
        reject(badFile('This workbook is too large once it is unpacked. Split it up, or save the sheet as CSV.'));
        return;
      }
      if (entry.isEncrypted()) {
        reject(badFile('This workbook is protected by a password. Save it without one.'));
        return;
      }
      entries.set(entry.fileName.toLowerCase(), entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}
