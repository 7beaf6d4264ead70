/**
 * The layers of a release become one set of documents: pack < pack that builds on it < organisation.
 *
 * Objects are merged by key. Lists whose elements have keys (fields, states, transitions, choices, sections, items)
 * are merged by that key: known ones are changed where they stand, new ones come last, `"removed": true` takes one
 * away. Other lists, and what only makes sense as a whole (conditions, field sets), are replaced.
 */
import { type Document, isKind, isObject } from './documents.ts';
import { type Place, pointer } from './faults.ts';
import { identityOf } from './naming.ts';

/** A document that has passed its schema, in its layer. */
export interface LayeredDocument {
  readonly document: Document;
  readonly source: string;
  /** Pack or plugin that brings it. */
  readonly layer?: string;
  /** Pack it belongs to: its own `pack` property or that of its source. */
  readonly pack: string;
}

/** The merge of all documents of one identity. */
export interface EffectiveDocument<D extends Document = Document> {
  readonly document: D;
  readonly pack: string;
  /** How many documents it was merged from. */
  readonly layers: number;
  /** Keys of the fields that a layer took away, of an entity. */
  readonly removedFields: ReadonlySet<string>;
  /** Where a part of it was written: the layer that said so last. */
  readonly place: (...path: readonly (string | number)[]) => Place;
}

/** Replaced as a whole: half of one condition and half of another would be a third one that nobody wrote. */
export const WHOLE: ReadonlySet<string> = new Set([
  'condition',
  'conditions',
  'guard',
  'filter',
  'read',
  'create',
  'update',
  'sets',
  'when',
  'require',
  'schema',
]);
/** Two spellings of one thing: naming one takes the other away. */
const INSTEAD: Readonly<Record<string, string>> = {
  condition: 'conditions',
  conditions: 'condition',
  entity: 'resource',
  resource: 'entity',
};

type Json = Readonly<Record<string, unknown>>;
/** Where an object was written; `parts` for those of its properties that came from elsewhere. */
interface Origin extends Place {
  readonly parts?: ReadonlyMap<string, Place>;
}

/**
 * @param documents lower layers first; each has passed its schema
 * @returns one document per identity, in the order of first appearance, without the removed ones
 */
export function mergeLayers(documents: readonly LayeredDocument[]): readonly EffectiveDocument[] {
  const groups = new Map<string, LayeredDocument[]>();
  for (const layered of documents) {
    const identity = identityOf(layered.document, layered.pack);
    const group = groups.get(identity);
    if (group) group.push(layered);
    else groups.set(identity, [layered]);
  }
  const effective: EffectiveDocument[] = [];
  for (const group of groups.values()) {
    const merged = mergeGroup(group);
    if (merged) effective.push(merged);
  }
  return effective;
}

/** One document, or an element of one, with what a layer above says of it. */
export function laidOver(base: Json, over: Json): Json {
  const merge = new Merge();
  const place = { document: '', pointer: '' };
  return merge.withoutRemoved(merge.objects(structuredClone(base), structuredClone(over), place, place), place);
}

function mergeGroup(group: readonly LayeredDocument[]): EffectiveDocument | null {
  const merge = new Merge();
  let current: LayeredDocument | null = null;
  let layers = 0;
  for (const source of group) {
    layers += 1;
    // The model keeps parts of it and freezes them; the caller's documents stay the caller's.
    const layered = { ...source, document: structuredClone(source.document) };
    if (layered.document.removed) {
      current = null;
      continue;
    }
    const place = { document: layered.source, pointer: '' };
    if (current === null) {
      merge.origins.set(layered.document, place);
      current = layered;
    } else {
      const document = merge.objects(
        jsonOf(current.document),
        jsonOf(layered.document),
        merge.originOf(current.document),
        place,
      );
      current = { source: current.source, pack: current.pack, document: asDocument(document) };
    }
  }
  if (current === null) return null;
  const document = asDocument(merge.withoutRemoved(jsonOf(current.document), merge.originOf(current.document)));
  return {
    document,
    pack: current.pack,
    layers,
    removedFields: removedOf(jsonOf(current.document)['fields']),
    place: (...path) => merge.place(jsonOf(document), path),
  };
}

function removedOf(elements: unknown): ReadonlySet<string> {
  const removed = isKeyed(elements) ? elements.filter((element) => element['removed'] === true) : [];
  return new Set(removed.map(({ key }) => String(key)));
}

/** A document as plain JSON: every document is an object. */
export function jsonOf(document: Document): Json {
  if (!isObject(document)) throw new TypeError('not a document');
  return document;
}

/** The merge of documents of one kind is a document of that kind; `checkMerged` proves that it is a whole one. */
function asDocument(merged: Json): Document {
  if (!isMerged(merged)) throw new TypeError('the merge has lost its kind');
  return merged;
}

function isMerged(merged: Json): merged is Json & Document {
  return isKind(merged['kind']);
}

class Merge {
  /** Objects that stand elsewhere than their surroundings say. */
  readonly origins = new WeakMap<object, Origin>();

  originOf(object: object): Origin {
    return this.origins.get(object) ?? { document: '', pointer: '' };
  }

  objects(base: Json, over: Json, basePlace: Origin, overPlace: Origin): Json {
    const parts = new Map<string, Place>();
    const entries = new Map<string, unknown>();
    for (const [key, value] of Object.entries(base)) {
      const instead = INSTEAD[key];
      if (instead !== undefined && Object.hasOwn(over, instead) && !Object.hasOwn(over, key)) continue;
      entries.set(key, value);
      parts.set(key, part(basePlace, key));
    }
    for (const [key, value] of Object.entries(over)) {
      const before = entries.get(key);
      const beforePlace = parts.get(key);
      const place = part(overPlace, key);
      parts.set(key, place);
      if (WHOLE.has(key) || beforePlace === undefined) entries.set(key, value);
      else if (isObject(before) && isObject(value)) {
        entries.set(key, this.objects(before, value, this.origins.get(before) ?? beforePlace, place));
      } else if (isKeyed(before) && isKeyed(value)) entries.set(key, this.keyed(before, value, beforePlace, place));
      else entries.set(key, value);
    }
    const merged = Object.fromEntries(entries);
    this.origins.set(merged, { ...overPlace, parts });
    return merged;
  }

  keyed(base: readonly Json[], over: readonly Json[], basePlace: Place, overPlace: Place): readonly Json[] {
    const elements = new Map<unknown, Json>();
    base.forEach((element, index) => {
      this.remember(element, basePlace, index);
      elements.set(element['key'], element);
    });
    over.forEach((element, index) => {
      this.remember(element, overPlace, index);
      const before = elements.get(element['key']);
      // What was removed and comes again starts from nothing.
      const merged =
        before && before['removed'] !== true
          ? this.objects(before, element, this.originOf(before), this.originOf(element))
          : element;
      elements.set(element['key'], merged);
    });
    return [...elements.values()];
  }

  /** Takes out the elements that say they are removed. */
  withoutRemoved(object: Json, origin: Origin): Json {
    let changed: Map<string, unknown> | null = null;
    for (const [key, value] of Object.entries(object)) {
      if (!isKeyed(value) || WHOLE.has(key)) continue;
      const place = part(origin, key);
      const kept: Json[] = [];
      let same = true;
      value.forEach((element, index) => {
        this.remember(element, place, index);
        const inner = element['removed'] === true ? null : this.withoutRemoved(element, this.originOf(element));
        if (inner !== element) same = false;
        if (inner) kept.push(inner);
      });
      if (!same) {
        changed ??= new Map(Object.entries(object));
        changed.set(key, kept);
      }
    }
    if (!changed) return object;
    const result = Object.fromEntries(changed);
    this.origins.set(result, origin);
    return result;
  }

  place(root: Json, path: readonly (string | number)[]): Place {
    let node: unknown = root;
    let place: Place = this.originOf(root);
    for (const key of path) {
      place = isObject(node)
        ? part(this.origins.get(node) ?? place, String(key))
        : { ...place, pointer: pointer(place.pointer, key) };
      node = isObject(node) || Array.isArray(node) ? Reflect.get(node, key) : undefined;
      if (typeof node === 'object' && node !== null) place = this.origins.get(node) ?? place;
    }
    return { document: place.document, pointer: place.pointer };
  }

  remember(element: object, list: Place, index: number): void {
    if (!this.origins.has(element))
      this.origins.set(element, { document: list.document, pointer: pointer(list.pointer, index) });
  }
}

/** A list whose elements are told apart by `key`. An empty one is too. */
function isKeyed(value: unknown): value is readonly Json[] {
  return Array.isArray(value) && value.every((element) => isObject(element) && typeof element['key'] === 'string');
}

function part(origin: Origin, key: string): Place {
  return origin.parts?.get(key) ?? { document: origin.document, pointer: pointer(origin.pointer, key) };
}
