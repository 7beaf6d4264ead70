/** What the parts of the build share: the release, its documents, the entities in the making, and the faults found so far. */
import type { Identities, ReleaseSettings } from '../documents.ts';
import type { Effective } from '../effective.ts';
import { type Faults, type Place } from '../faults.ts';
import { candidates, lookUp } from '../naming.ts';
import type { EntityDocument, FieldDocument } from '../documents.ts';
import type { EffectiveDocument } from '../layers.ts';
import type { Condition } from '../../condition/condition.ts';
import type { Entity, Field, Lifecycle, Permission, Role, Transition } from '../model.ts';
import type { Flag, Sequence, Setting } from '../parts.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A field in the making, with the document it comes from. */
export type DraftField = Mutable<Field>;

/** An entity in the making. The Maps are filled while it is built and frozen at the end. */
export interface DraftEntity extends Mutable<Entity> {
  readonly fields: Map<string, DraftField>;
  permissions: Permission[];
}

/** What the build remembers of an entity beside the entity. */
export interface EntityNotes {
  readonly effective: EffectiveDocument<EntityDocument>;
  /** Where the document's fields stand: key → index in `fields`. */
  readonly written: ReadonlyMap<string, { readonly document: FieldDocument; readonly index: number }>;
}

export interface DraftLifecycle extends Lifecycle {
  /** Guards as written, by transition, with the document they stand in. */
  readonly guards: ReadonlyMap<string, { readonly json: unknown; readonly place: Place }>;
  readonly placeOf: (transition: Transition, ...path: readonly (string | number)[]) => Place;
}

export interface Draft {
  readonly settings: ReleaseSettings;
  readonly identities: Identities;
  readonly effective: Effective;
  readonly faults: Faults;
  readonly roles: Map<string, Role>;
  readonly lifecycles: Map<string, DraftLifecycle>;
  readonly entities: Map<string, DraftEntity>;
  readonly notes: Map<string, EntityNotes>;
  readonly flags: Map<string, Flag>;
  readonly declared: Map<string, Setting>;
  readonly sequences: Map<string, Sequence>;
}

export type Guards = ReadonlyMap<string, Condition>;

/** Looks an entity up by the name a document of `pack` uses; a fault when there is none. */
export function entityNamed(draft: Draft, name: string, pack: string, place: Place): DraftEntity | undefined {
  const found = lookUp(name, pack, (qualified) => draft.entities.has(qualified));
  if (found === undefined) draft.faults.unknown(place, 'entity', name, candidates(draft.entities.keys(), pack));
  return found === undefined ? undefined : draft.entities.get(found);
}

/** Looks a field up; a fault when there is none. */
export function fieldNamed(draft: Draft, entity: DraftEntity, key: string, place: Place): DraftField | undefined {
  const field = entity.fields.get(key);
  if (!field) draft.faults.unknown(place, `field of ${entity.name}`, key, entity.fields.keys());
  return field;
}

/** The qualified name of a flag that a document names; a fault when there is none. */
export function flagNamed(draft: Draft, name: string | undefined, pack: string, place: Place): string | null {
  if (name === undefined) return null;
  const found = lookUp(name, pack, (qualified) => draft.flags.has(qualified));
  if (found === undefined) draft.faults.unknown(place, 'flag', name, candidates(draft.flags.keys(), pack));
  return found ?? null;
}

/** Faults for roles that do not exist; answers those that do. */
export function rolesNamed(
  draft: Draft,
  roles: readonly string[] | undefined,
  place: (index: number) => Place,
): readonly string[] | null {
  if (roles === undefined) return null;
  return roles.filter((role, index) => {
    if (draft.roles.has(role)) return true;
    draft.faults.unknown(place(index), 'role', role, draft.roles.keys());
    return false;
  });
}

/** A fault for every key that stands twice in a list of keyed elements. */
export function noDoubles(
  draft: Draft,
  elements: readonly { readonly key: string }[],
  what: string,
  place: (index: number) => Place,
): void {
  const seen = new Set<string>();
  elements.forEach(({ key }, index) => {
    if (seen.has(key)) draft.faults.add(place(index), 'duplicate', `There are two ${what} “${key}”.`, { found: key });
    seen.add(key);
  });
}
