/** What two releases differ in, document by document and property by property. */
import { isObject, KINDS, type ReleaseSource } from './documents.ts';
import { effectiveDocuments } from './effective.ts';
import { Faults, pointer } from './faults.ts';
import { jsonOf, WHOLE } from './layers.ts';
import { isKeyedList, same } from './merge.ts';
import type { PlainDocument } from './merge-documents.ts';
import { identityOf } from './naming.ts';

export interface PropertyChange {
  /** JSON Pointer; an element of a keyed list is named by its key: `/fields/amount/label`. */
  readonly pointer: string;
  /** `null`: not there before. */
  readonly before: unknown;
  /** `null`: no longer there. */
  readonly after: unknown;
}

export interface DocumentChange {
  /** What the document is: `entity crm.account`. */
  readonly document: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a changed one. */
  readonly properties: readonly PropertyChange[];
}

/** The documents of a release, all layers merged, by what they are. */
function effectiveOf(source: Pick<ReleaseSource, 'packs' | 'tenantDocuments'>): ReadonlyMap<string, PlainDocument> {
  const merged = effectiveDocuments(source, new Faults());
  return new Map(
    KINDS.flatMap((kind) =>
      merged.of(kind).map(({ document, pack }) => [identityOf(document, pack), jsonOf(document)] as const),
    ),
  );
}

/** Where a document comes from and what it was called: identities are compared, and told in the effect. */
const NO_CONTENT: ReadonlySet<string> = new Set(['$schema', 'pack', 'id', 'was']);

/** By name of the document. Where something stands (order) is told as a change of `…/-`. */
export function diffDocuments(
  from: Pick<ReleaseSource, 'packs' | 'tenantDocuments'>,
  to: Pick<ReleaseSource, 'packs' | 'tenantDocuments'>,
): readonly DocumentChange[] {
  const [before, after] = [effectiveOf(from), effectiveOf(to)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((document): DocumentChange[] => {
    const [was, is] = [before.get(document), after.get(document)];
    if (!was) return [{ document, change: 'added', properties: [] }];
    if (!is) return [{ document, change: 'removed', properties: [] }];
    const properties: PropertyChange[] = [];
    compare(was, is, '', properties);
    return properties.length === 0 ? [] : [{ document, change: 'changed', properties }];
  });
}

function compare(before: unknown, after: unknown, at: string, into: PropertyChange[], whole = false): void {
  if (same(before, after)) return;
  if (!whole && isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      if (!NO_CONTENT.has(key)) compare(before[key], after[key], pointer(at, key), into, WHOLE.has(key));
    return;
  }
  if (!whole && isKeyedList(before) && isKeyedList(after)) {
    const [was, is] = [before, after].map((list) => new Map(list.map((element) => [element.key, element])));
    for (const key of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]))
      compare(was?.get(key), is?.get(key), pointer(at, key), into);
    const order = (list: typeof before, other: typeof is) =>
      list.map(({ key }) => key).filter((key) => other?.has(key));
    const [orderBefore, orderAfter] = [order(before, is), order(after, was)];
    if (!same(orderBefore, orderAfter))
      into.push({ pointer: pointer(at, '-'), before: orderBefore, after: orderAfter });
    return;
  }
  into.push({ pointer: at, before: before ?? null, after: after ?? null });
}
