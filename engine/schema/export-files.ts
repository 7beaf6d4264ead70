/**
 * An organisation's own documents as files: one each, named for what it is, in an order and a form that do not depend
 * on when or where they were written. What is exported, published elsewhere and exported again is the same, byte for
 * byte; `armature.json` says which packs it was made on.
 */
import { isObject } from '../model/documents.ts';
import type { TenantDocument } from './source.ts';

/** Says what the folder is: `{"format": 1, "packs": {"crm": "1.0.0"}}`. */
export const MANIFEST = 'armature.json';
const FORMAT = 1;

export interface Manifest {
  /** Pack key → version; `core` is not among them. */
  readonly packs: Readonly<Record<string, string>>;
}

export interface Exported extends Manifest {
  readonly documents: readonly TenantDocument[];
}

/** File name → text, by name, the manifest first. */
export function exportFiles({ packs, documents }: Exported): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const document of documents) {
    const name = fileNameOf(document);
    let unique = `${name}.json`;
    // Sorted behind the first: of two that add to one menu the second has the last word, wherever they are read again.
    for (let number = 2; files.has(unique); number += 1) unique = `${name}_${String(number).padStart(3, '0')}.json`;
    files.set(unique, textOf(document));
  }
  const shipped = Object.fromEntries(
    Object.entries(packs)
      .filter(([key]) => key !== 'core')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return new Map([
    [MANIFEST, textOf({ format: FORMAT, packs: shipped })],
    ...[...files].sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

/** @returns `null` when it is no manifest that is understood here */
export function readManifest(json: unknown): Manifest | null {
  if (!isObject(json) || json['format'] !== FORMAT || !isObject(json['packs'])) return null;
  return { packs: Object.fromEntries(Object.entries(json['packs']).map(([key, version]) => [key, String(version)])) };
}

const textOf = (json: unknown): string => `${JSON.stringify(json, null, 2)}\n`;

/** `<key>.<kind>`; documents without a key of their own are told apart by what they belong to. */
function fileNameOf(document: TenantDocument): string {
  const part = (key: string) => (typeof document[key] === 'string' ? [document[key]] : []);
  const own = [...part('role'), ...part('entity'), ...part('key'), ...part('locale')];
  const name = [...part('pack').filter((pack) => pack !== 'custom'), ...own, ...part('kind')].join('.');
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
