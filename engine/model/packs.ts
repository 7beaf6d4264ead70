/** Packs as they lie on disk: a folder of JSON files with a `pack.json` at its root. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem, type ProblemDetail } from '../problem.ts';
import { isObject, type Pack, type SourceDocument } from './documents.ts';
import { parseDocument } from './json-text.ts';

const METADATA = fileURLToPath(new URL('../../metadata/', import.meta.url));

/**
 * Reads all `*.json` under a folder, in the order of their paths.
 * @param name how the folder is called in what is said about its files
 * @throws Problem `invalid_document` for files that are not JSON, all of them with line and column
 */
export async function loadFolder(
  dir: string,
  name: string,
): Promise<readonly { readonly path: string; readonly document: unknown }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(dir.length)
        .replace(/^[/\\]/, '')
        .split(sep)
        .join('/'),
    )
    .sort();
  const faults: ProblemDetail[] = [];
  const files: { readonly path: string; readonly document: unknown }[] = [];
  for (const path of paths) {
    try {
      files.push({ path, document: parseDocument(await readFile(join(dir, path), 'utf8'), `${name}/${path}`) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      faults.push(...error.errors);
    }
  }
  const first = faults[0];
  if (first) throw new Problem('invalid_document', `${first.document ?? ''}: ${first.message}`, faults);
  return files;
}

/**
 * Reads a pack. What its documents say is not checked yet.
 * @param dir path of the pack's folder
 * @throws Problem `invalid_document` for files that are not JSON (all of them, with line and column) or a pack without `pack.json`
 */
export async function loadPack(dir: string): Promise<Pack> {
  const name = basename(dir);
  const files = await loadFolder(dir, name);
  const manifest = files.find(({ path }) => path === 'pack.json')?.document;
  if (!isObject(manifest) || typeof manifest['key'] !== 'string' || typeof manifest['version'] !== 'string') {
    const message = 'A pack has a “pack.json” with its key and version.';
    throw new Problem('invalid_document', `${name}: ${message}`, [
      { code: 'missing', message, pointer: '', document: `${name}/pack.json` },
    ]);
  }
  const { key, version } = manifest;
  const documents: readonly SourceDocument[] = files.map(({ path, document }) => ({
    document,
    source: `${name}/${path}`,
    pack: key,
  }));
  return { key, version, documents };
}

/**
 * The engine's built-in documents and the packs that ship with it, those that others require first.
 * @param metadata folder that holds `platform` and `packs`
 */
export async function loadShippedPacks(metadata: string = METADATA): Promise<readonly Pack[]> {
  const folder = join(metadata, 'packs');
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const packs = await Promise.all(
    [join(metadata, 'platform'), ...names.sort().map((name) => join(folder, name))].map(loadPack),
  );
  return inOrder(packs);
}

/** Required packs before those that require them. A circle is broken where it is met: the merge does not mind. */
export function inOrder(packs: readonly Pack[]): readonly Pack[] {
  const byKey = new Map(packs.map((pack) => [pack.key, pack]));
  const ordered = new Set<Pack>();
  const visiting = new Set<string>();
  const visit = (pack: Pack): void => {
    if (visiting.has(pack.key)) return;
    visiting.add(pack.key);
    for (const required of requirements(pack)) {
      const found = byKey.get(required);
      if (found) visit(found);
    }
    ordered.add(pack);
  };
  packs.forEach(visit);
  return [...ordered];
}

/** Keys of the packs that a pack requires. */
export function requirements(pack: Pack): readonly string[] {
  for (const { document } of pack.documents) {
    if (isObject(document) && document['kind'] === 'pack' && Array.isArray(document['requires']))
      return document['requires'].map(String);
  }
  return [];
}
