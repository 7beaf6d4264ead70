/**
 * What of the engine decides how a release becomes a schema, as one short text. It is made of the code itself, so that
 * nobody has to remember to raise a number: one that differs means only that schemas have to be looked at.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ENGINE = join(import.meta.dirname, '..');
/** Folders of `engine/`, with all below them. */
const DECIDING = ['condition', 'db', 'formula', 'model', 'schema'] as const;

let made: Promise<string> | null = null;

/** The same text for the same code, on every machine. */
export function engineMark(): Promise<string> {
  return (made ??= markOf(ENGINE, DECIDING));
}

async function markOf(root: string, folders: readonly string[]): Promise<string> {
  const found = await Promise.all(folders.map((folder) => readdir(join(root, folder), { recursive: true })));
  const files = found
    .flatMap((names, index) => names.map((name) => join(folders[index] ?? '', name)))
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|[\\/]testing[\\/]/.test(name))
    .toSorted();
  const contents = await Promise.all(files.map((name) => readFile(join(root, name))));
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content).update('\0');
  return hash.digest('base64url').slice(0, 16);
}
