/** Sets of documents by what they are, and the three-way merge of such sets. */
import { CUSTOM, isObject } from './documents.ts';
import { WHOLE } from './layers.ts';
import { type Conflict, merge } from './merge.ts';
import { identityOf } from './naming.ts';
import { hasIdentity, segments } from './validate.ts';

export type PlainDocument = Readonly<Record<string, unknown>>;

/** A conflict between two sets of documents. */
export interface DocumentConflict extends Conflict {
  /** Names it in a decision: document and pointer, `entity custom.boat/fields/length/label`. */
  readonly id: string;
  /** What the document is: `entity custom.boat`. */
  readonly document: string;
}

/** What is decided about a conflict, by its id: `keep` what is ours, or `take` what is theirs. */
export type Resolutions = Readonly<Record<string, 'keep' | 'take'>>;

export interface MergedDocuments {
  readonly documents: readonly PlainDocument[];
  readonly conflicts: readonly DocumentConflict[];
}

/**
 * What a document is, `entity custom.boat`. Work in progress may lack what makes up its identity; then it is named by
 * what there is.
 */
export function documentName(document: PlainDocument, pack: string = CUSTOM): string {
  const its = typeof document['pack'] === 'string' ? document['pack'] : pack;
  if (hasIdentity(document)) return identityOf(document, its);
  const parts = ['role', 'entity', 'key', 'locale'].flatMap((key) =>
    typeof document[key] === 'string' ? [document[key]] : [],
  );
  return `${typeof document['kind'] === 'string' ? document['kind'] : 'document'} ${its}.${parts.join('/')}`;
}

/** By name. A second document of one name (two that both add to a menu) is told apart by its number. */
export function byName(documents: readonly PlainDocument[]): ReadonlyMap<string, PlainDocument> {
  const named = new Map<string, PlainDocument>();
  for (const document of documents) {
    const name = documentName(document);
    let unique = name;
    for (let number = 2; named.has(unique); number += 1) unique = `${name} (${number})`;
    named.set(unique, document);
  }
  return named;
}

export function mergeDocuments(
  base: readonly PlainDocument[],
  ours: readonly PlainDocument[],
  theirs: readonly PlainDocument[],
  resolutions: Resolutions = {},
): MergedDocuments {
  const [before, here, there] = [base, ours, theirs].map((documents) => Object.fromEntries(byName(documents)));
  const { value, conflicts } = merge(before, here, there, {
    whole: WHOLE,
    decide: (conflict) => {
      const decided = resolutions[named(conflict).id];
      return decided === undefined ? undefined : decided === 'take' ? 'theirs' : 'ours';
    },
  });
  const documents = isObject(value) ? Object.values(value).filter(isObject) : [];
  return { documents, conflicts: conflicts.map(named) };
}

function named(conflict: Conflict): DocumentConflict {
  const [document = '', ...rest] = segments(conflict.pointer);
  const pointer = conflict.pointer.slice(conflict.pointer.indexOf('/', 1));
  const inside = rest.length === 0 ? '' : pointer;
  return { ...conflict, pointer: inside, document, id: `${document}${inside}` };
}
