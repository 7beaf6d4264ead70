/** A folder that `armature export` writes: made anew each time, and nothing in it is touched that is not its own. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Manifest, MANIFEST, readManifest } from '../schema/export-files.ts';
import { Failure } from './command.ts';

const NOTHING: readonly string[] = [];

/** What may stand in a folder that is exported to for the first time. */
const HARMLESS = /^(?:\.git.*|README(?:\..*)?|LICENSE(?:\..*)?)$/;

/**
 * Writes the files and removes documents that are no longer there.
 * @throws Failure for a folder with files in it that no export has written
 */
export async function writeExport(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return NOTHING;
    throw new Failure(`The folder ${resolve(directory)} cannot be read.`, { cause: error });
  });
  if (!names.includes(MANIFEST) && names.some((name) => !HARMLESS.test(name)))
    throw new Failure(
      `The folder ${resolve(directory)} is not empty, and no export has written it (it has no ${MANIFEST}). Name a new one, or empty it first.`,
    );
  await mkdir(directory, { recursive: true });
  for (const name of names) if (name.endsWith('.json') && !files.has(name)) await rm(join(directory, name));
  for (const [name, text] of files) await writeFile(join(directory, name), text);
}

/** What the folder says of itself; `null` where it says nothing. @throws Failure for a manifest of another format */
export async function manifestOf(directory: string): Promise<Manifest | null> {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => null);
  if (text === null) return null;
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Told below.
  }
  const manifest = readManifest(json);
  if (!manifest)
    throw new Failure(`${join(resolve(directory), MANIFEST)} is not understood here. Export the folder again.`);
  return manifest;
}
