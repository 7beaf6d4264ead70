/**
 * Upgrading packs under an organisation's own documents, three ways: `base` is what the packs say in the current
 * release, `theirs` what they say as they are shipped now, `ours` what the organisation's overrides say. What both have
 * changed is a conflict; so is an override of something that is gone, and a document of the organisation's that uses a
 * field which is gone. Everything else just happens.
 */
import { buildModel } from './build.ts';
import { isObject, KINDS, type Pack, type ReleaseSource, type SourceDocument } from './documents.ts';
import { effectiveDocuments } from './effective.ts';
import { Faults, pointer } from './faults.ts';
import { assignIdentities } from './identities.ts';
import { jsonOf, laidOver, WHOLE } from './layers.ts';
import { isKeyedList, same } from './merge.ts';
import { documentName, type DocumentConflict, type PlainDocument, type Resolutions } from './merge-documents.ts';
import { identityOf } from './naming.ts';
import { Problem, type ProblemDetail } from '../problem.ts';

export interface UpgradeConflict extends DocumentConflict {
  readonly kind:
    | 'both_changed'
    /** The organisation changes something that the pack no longer has. */
    | 'changed_and_removed'
    /** The organisation took away something that the pack has changed since. */
    | 'removed_and_changed'
    /** A document of the organisation's uses a field that the pack no longer has. */
    | 'uses_removed';
  readonly message: string;
  /** What can be decided. Where `take` is not among them, the organisation's document has to be changed instead. */
  readonly resolutions: readonly ('keep' | 'take')[];
}

export interface Upgraded {
  readonly tenantDocuments: readonly SourceDocument[];
  readonly conflicts: readonly UpgradeConflict[];
}

type Source = ReleaseSource;

/** What says who an element or a document is, and is no change of it. */
const IDENTITY: ReadonlySet<string> = new Set([
  'kind',
  'key',
  'pack',
  'role',
  'entity',
  'resource',
  'locale',
  '$schema',
  'id',
]);
/** Kinds that live in their pack's namespace: an organisation cannot have one there by itself. */
const NAMESPACED = /^(entity|lifecycle|view|rule|flag|setting|sequence|template) /;

/**
 * @param source the release to come: new packs, the organisation's documents as they are
 * @param before the packs of the current release
 */
export function upgrade(source: Source, before: readonly Pack[], resolutions: Resolutions = {}): Upgraded {
  const walk = new Upgrade(effective(before), effective(source.packs), resolutions);
  const tenantDocuments = source.tenantDocuments.flatMap((one) => {
    const document = isObject(one.document) ? walk.document(one.document) : one.document;
    return document === null ? [] : [{ ...one, document }];
  });
  const used = usesOfRemoved({ ...source, tenantDocuments }, walk, resolutions);
  return { tenantDocuments: used.tenantDocuments, conflicts: [...walk.conflicts, ...used.conflicts] };
}

/** What packs say by themselves, by name. */
function effective(packs: readonly Pack[]): ReadonlyMap<string, PlainDocument> {
  const merged = effectiveDocuments({ packs, tenantDocuments: [] }, new Faults());
  return new Map(
    KINDS.flatMap((kind) =>
      merged.of(kind).map(({ document, pack }) => [identityOf(document, pack), jsonOf(document)] as const),
    ),
  );
}

class Upgrade {
  readonly conflicts: UpgradeConflict[] = [];
  readonly base: ReadonlyMap<string, PlainDocument>;
  readonly theirs: ReadonlyMap<string, PlainDocument>;
  readonly #resolutions: Resolutions;
  #document = '';

  constructor(
    base: ReadonlyMap<string, PlainDocument>,
    theirs: ReadonlyMap<string, PlainDocument>,
    resolutions: Resolutions,
  ) {
    this.base = base;
    this.theirs = theirs;
    this.#resolutions = resolutions;
  }

  /** The organisation's document as it is to be from now on; `null` when nothing is left of it. */
  document(ours: PlainDocument): PlainDocument | null {
    this.#document = documentName(ours);
    const base = this.base.get(this.#document);
    const theirs = this.theirs.get(this.#document);
    // Its own, now as before.
    if (!base && !theirs) return ours;
    return this.#element(base, ours, theirs, '');
  }

  /** A document or an element of a keyed list. */
  #element(
    base: PlainDocument | undefined,
    ours: PlainDocument,
    theirs: PlainDocument | undefined,
    at: string,
  ): PlainDocument | null {
    if (ours['removed'] === true) {
      // Gone there as well: there is nothing left to take away.
      if (!theirs) return null;
      if (same(base, theirs) || !base) return ours;
      const decided = this.#conflict('removed_and_changed', at, base, undefined, theirs);
      return decided === 'take' ? null : ours;
    }
    if (base && !theirs) {
      const keepable = at !== '' || !NAMESPACED.test(this.#document);
      const decided = this.#conflict('changed_and_removed', at, base, ours, undefined, keepable ? undefined : ['take']);
      if (decided === 'take') return null;
      // From now on it is the organisation's alone, so it has to be whole.
      return decided === 'keep' && keepable ? laidOver(base, ours) : ours;
    }
    if (!theirs) return ours;
    return this.#object(base ?? {}, ours, theirs, at);
  }

  #object(base: PlainDocument, ours: PlainDocument, theirs: PlainDocument, at: string): PlainDocument {
    const left = new Map<string, unknown>();
    for (const [key, value] of Object.entries(ours)) {
      if (IDENTITY.has(key)) left.set(key, value);
      else {
        const kept = this.#property(base[key], value, theirs[key], pointer(at, key), WHOLE.has(key));
        if (kept !== undefined) left.set(key, kept);
      }
    }
    return Object.fromEntries(left);
  }

  /** What stays in the override; `undefined`: nothing. */
  #property(base: unknown, ours: unknown, theirs: unknown, at: string, whole: boolean): unknown {
    if (!whole && isObject(ours) && isObject(theirs) && (isObject(base) || base === undefined))
      return this.#object(base ?? {}, ours, theirs, at);
    if (isKeyedList(ours) && ours.length > 0 && (isKeyedList(theirs) || isKeyedList(base)))
      return this.#list(isKeyedList(base) ? base : [], ours, isKeyedList(theirs) ? theirs : [], at);
    if (same(base, theirs) || same(ours, theirs)) return ours;
    // It says what the pack said before, and so no wish of its own.
    if (same(ours, base)) return undefined;
    return this.#conflict('both_changed', at, base, ours, theirs) === 'take' ? undefined : ours;
  }

  #list(
    base: readonly Keyed[],
    ours: readonly Keyed[],
    theirs: readonly Keyed[],
    at: string,
  ): readonly PlainDocument[] {
    const find = (list: readonly Keyed[], key: string) => list.find((element) => element.key === key);
    return ours.flatMap((element) => {
      const left = this.#element(find(base, element.key), element, find(theirs, element.key), pointer(at, element.key));
      return left === null ? [] : [left];
    });
  }

  /** What was decided; a conflict that nobody has decided is noted. */
  #conflict(
    kind: UpgradeConflict['kind'],
    at: string,
    base: unknown,
    ours: unknown,
    theirs: unknown,
    possible: UpgradeConflict['resolutions'] = ['keep', 'take'],
  ): 'keep' | 'take' | undefined {
    const id = `${this.#document}${at}`;
    const decided = this.#resolutions[id];
    if (decided !== undefined && possible.includes(decided)) return decided;
    this.conflicts.push({
      id,
      kind,
      document: this.#document,
      pointer: at,
      base,
      ours,
      theirs,
      message: `${WORDS[kind]} ${this.#document}${at === '' ? '' : `, ${at}`}.`,
      resolutions: possible,
    });
    return undefined;
  }
}

type Keyed = PlainDocument & { readonly key: string };

const WORDS: Readonly<Record<UpgradeConflict['kind'], string>> = {
  both_changed: 'The pack and the organisation have both changed',
  changed_and_removed: 'The pack no longer has what the organisation changes:',
  removed_and_changed: 'The organisation took away what the pack has changed:',
  uses_removed: 'The organisation uses what the pack no longer has:',
};

interface RemovedField {
  /** `entity crm.account` */
  readonly document: string;
  readonly field: Keyed;
}

/** Fields that packs no longer have, though the entity is still there, and that the organisation has not kept. */
function removedFields(walk: Upgrade, tenantDocuments: readonly SourceDocument[]): readonly RemovedField[] {
  const own = new Map(
    tenantDocuments.flatMap(({ document }) =>
      isObject(document) ? [[documentName(document), fieldsOf(document)] as const] : [],
    ),
  );
  return [...walk.base].flatMap(([document, base]) => {
    const theirs = walk.theirs.get(document);
    if (!document.startsWith('entity ') || !theirs) return [];
    const left = new Set([...fieldsOf(theirs), ...(own.get(document) ?? [])].map(({ key }) => key));
    return fieldsOf(base).flatMap((field) => (left.has(field.key) ? [] : [{ document, field }]));
  });
}

function fieldsOf(document: PlainDocument): readonly Keyed[] {
  const { fields } = document;
  return isKeyedList(fields) ? fields : [];
}

/**
 * Finds what the organisation's documents use of removed fields by building the release twice: as it would be, and with
 * the fields kept. What is wrong only the first time is wrong because they are gone.
 */
function usesOfRemoved(
  source: Source,
  walk: Upgrade,
  resolutions: Resolutions,
): { readonly tenantDocuments: readonly SourceDocument[]; readonly conflicts: readonly UpgradeConflict[] } {
  const { tenantDocuments } = source;
  const removed = removedFields(walk, tenantDocuments);
  if (removed.length === 0) return { tenantDocuments, conflicts: [] };
  const own = new Map(tenantDocuments.map((one) => [one.source, one.document]));
  const kept = faultsOf({ ...source, tenantDocuments: withFields(tenantDocuments, removed) });
  const missing = faultsOf(source).filter(
    (fault) => own.has(fault.document ?? '') && !kept.some((other) => sameFault(fault, other)),
  );
  const keep = new Set<RemovedField>();
  const conflicts: UpgradeConflict[] = [];
  for (const fault of missing) {
    const document = own.get(fault.document ?? '');
    const name = isObject(document) ? documentName(document) : '';
    const written = fault.params?.['found'];
    const found = typeof written === 'string' ? written : '';
    const named = removed.filter(({ field }) => found === field.key || found.split('.').includes(field.key));
    const fields = named.length > 0 ? named : removed;
    const id = `${name}${fault.pointer ?? ''}`;
    if (resolutions[id] === 'keep') for (const field of fields) keep.add(field);
    else
      conflicts.push({
        id,
        kind: 'uses_removed',
        document: name,
        pointer: fault.pointer ?? '',
        base: fields.map(({ field }) => field),
        ours: found,
        theirs: undefined,
        message: `${name}, ${fault.pointer ?? ''}: ${fault.message} The pack had it before. Keep the field as the organisation’s own, or change the document.`,
        resolutions: ['keep'],
      });
  }
  return { tenantDocuments: keep.size === 0 ? tenantDocuments : withFields(tenantDocuments, [...keep]), conflicts };
}

const sameFault = (a: ProblemDetail, b: ProblemDetail): boolean =>
  a.document === b.document && a.pointer === b.pointer && a.message === b.message;

function faultsOf(source: Source): readonly ProblemDetail[] {
  try {
    buildModel({ ...source, identities: assignIdentities(source, source.identities) });
    return [];
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid_document') return error.errors;
    throw error;
  }
}

/** The organisation's documents with these fields as its own, in overrides of their entities. */
function withFields(documents: readonly SourceDocument[], fields: readonly RemovedField[]): readonly SourceDocument[] {
  const byDocument = Map.groupBy(fields, ({ document }) => document);
  const extended = documents.map((one) => {
    const added = isObject(one.document) ? byDocument.get(documentName(one.document)) : undefined;
    if (!added || !isObject(one.document) || one.document['removed'] === true) return one;
    byDocument.delete(documentName(one.document));
    return {
      ...one,
      document: { ...one.document, fields: [...fieldsOf(one.document), ...added.map(({ field }) => field)] },
    };
  });
  const made = [...byDocument].map(([name, added]): SourceDocument => {
    const [pack = '', key = ''] = name.replace('entity ', '').split('.');
    const document = { kind: 'entity', pack, key, fields: added.map(({ field }) => field) };
    return { document, source: `${pack}/${key}.entity.json`, pack };
  });
  return [...extended, ...made];
}
