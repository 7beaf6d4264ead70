/** From the bodies of new records to rows: checked, filled with defaults, parts taken apart from their whole. */
import type { IdSource } from '#engine/clock.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';
import { LIMITS } from './limits.ts';
import { preparedLinks } from './links.ts';
import type { NewRecords } from './new-records.ts';
import { brokenRules } from './rules.ts';
import { found } from './sentences.ts';
import type { Accepted, CheckOptions, Faults } from './validate.ts';
import { at, checkBody, isObject, valueContext, writable } from './validate.ts';

export interface NewBody {
  readonly body: unknown;
  readonly pointer: string;
}

/** What the records of one request share while they are taken apart. */
export interface Nest {
  readonly scope: Scope;
  readonly ids: IdSource;
  readonly faults: Faults;
  readonly records: NewRecords;
}

/** Where records stand inside others. */
export interface Place {
  /** Records around them. */
  readonly depth: number;
  /** References that lead to them, see {@link NewRecords}. */
  readonly stage: number;
  /** What the outermost record may still hold. */
  readonly budget: { left: number };
  /** Values the engine sets itself: the whole of a part. */
  readonly given?: ReadonlyMap<string, Value>;
}

/** The place of a record that stands in no other one. */
export function outermost(): Place {
  return { depth: 0, stage: 0, budget: { left: LIMITS.parts } };
}

/** @returns the records' ids in the order of `bodies`; the records are added to the nest */
export function prepareNew(nest: Nest, entity: Entity, bodies: readonly NewBody[], place?: Place): string[] {
  return bodies.map((body) => prepareOne(nest, entity, body, place ?? outermost()));
}

function prepareOne(nest: Nest, entity: Entity, { body, pointer }: NewBody, place: Place): string {
  const { scope, faults, ids, records } = nest;
  const given = place.given ?? NOTHING;
  const id = ids.uuid();
  const options: CheckOptions = { record: id, ...(given.size > 0 && { given: new Set(given.keys()) }) };
  const before = faults.details.length;
  const accepted = checkBody(scope, entity, 'create', body, pointer, faults, options);
  const { values, children } = accepted;
  const sent = new Set([...values.keys(), ...[...accepted.links.keys()].map(({ key }) => key)]);
  if (accepted.nested.size > 0) prepareReferred(nest, accepted, pointer, place);
  checkState(scope, entity, values, pointer, faults);
  for (const [key, value] of given) values.set(key, value);
  fillDefaults(scope, entity, values);
  const links = accepted.links.size === 0 ? [] : preparedLinks(accepted.links, id, pointer, faults);
  const row: NewRow = { id, pointer, values, sent, part: given.size > 0, ...(links.length > 0 && { links }) };
  records.add(entity, row, place.stage);
  // Of a body with faults nobody knows what the record would be.
  if (faults.details.length === before) for (const detail of brokenRules(scope, entity, row)) faults.add(detail);
  for (const [field, parts] of children) {
    const list = newParts(field, parts, at(pointer, field.key), faults);
    if (list) prepareParts(nest, field, list, id, at(pointer, field.key), place);
  }
  return id;
}

const NOTHING: ReadonlyMap<string, Value> = new Map();

/** The parts of a new record: a list, or `{"create": […]}`, as they are given to a record that exists. */
function newParts(field: Field, parts: unknown, pointer: string, faults: Faults): readonly NewBody[] | null {
  if (Array.isArray(parts)) return parts.map((body: unknown, index) => ({ body, pointer: at(pointer, index) }));
  if (isObject(parts)) {
    const { create = [], ...rest } = parts;
    for (const key of Object.keys(rest)) {
      const message = `A new record has no ${field.label} yet: only “create” can stand here.`;
      faults.add({ code: 'unknown_member', message, pointer: at(pointer, key) });
    }
    if (Array.isArray(create))
      return create.map((body: unknown, index) => ({ body, pointer: at(at(pointer, 'create'), index) }));
  }
  const message = `${field.label} must be a list of records, not ${found(parts)}.`;
  faults.add({ code: 'wrong_type', message, pointer });
  return null;
}

/** Whether this much more may stand inside the outermost record; if not, says so. */
export function takeRoom(nest: Nest, label: string, count: number, pointer: string, place: Place): boolean {
  place.budget.left -= count;
  const deep = place.depth + 1 >= LIMITS.depth;
  if (!deep && place.budget.left >= 0) return true;
  const message = deep
    ? `${label} is nested too deeply.`
    : `At most ${LIMITS.parts} records inside one; ${label} has too many.`;
  nest.faults.add({ code: 'too_many', message, pointer, params: { max: deep ? LIMITS.depth : LIMITS.parts } });
  return false;
}

/** New parts of a record. */
export function prepareParts(
  nest: Nest,
  field: Field,
  parts: readonly NewBody[],
  wholeId: string,
  pointer: string,
  place: Place,
): void {
  const child = field.children && nest.scope.model.entities.get(field.children.entity);
  if (!field.children || !child || parts.length === 0) return;
  if (!takeRoom(nest, field.label, parts.length, pointer, place)) return;
  const { stage, budget } = place;
  const given = new Map([[field.children.field, wholeId]]);
  prepareNew(nest, child, parts, { depth: place.depth + 1, stage, budget, given });
}

/**
 * New records that this one refers to: `{"account": {"create": {…}}}`. They are created with the rights to them, and
 * their ids become the values.
 * @throws Problem `forbidden` where the principal may not create them
 */
export function prepareReferred(nest: Nest, { values, nested }: Accepted, pointer: string, place: Place): void {
  for (const [field, sent] of nested) {
    const here = at(pointer, field.key);
    const target = field.reference && nest.scope.model.entities.get(field.reference.entity);
    const { create, ...rest } = sent;
    if (!target || create === undefined || Object.keys(rest).length > 0) {
      const message = `${field.label} must be an id, or an object with “create”.`;
      nest.faults.add({ code: 'wrong_type', message, pointer: here });
      continue;
    }
    if (nest.scope.rights.of(target.name).create.length === 0) {
      const message = `You may not create what ${field.label} refers to.`;
      throw new Problem('forbidden', message, [{ code: 'forbidden', message, pointer: here }]);
    }
    if (!takeRoom(nest, field.label, 1, here, place)) continue;
    const inner: Place = { depth: place.depth + 1, stage: place.stage + 1, budget: place.budget };
    const [id] = prepareNew(nest, target, [{ body: create, pointer: at(here, 'create') }], inner);
    if (id !== undefined) values.set(field.key, id);
  }
}

/** Fields that a look at every record needs, found once for each entity. */
interface Looked {
  readonly states: readonly Field[];
  /** Those that may get a value when none is sent. */
  readonly filled: readonly Field[];
}

const looked = new WeakMap<Entity, Looked>();

function lookedAt(entity: Entity): Looked {
  let known = looked.get(entity);
  if (!known) {
    const fields = [...entity.fields.values()];
    const isOwner = ({ key, system }: Field) => key === 'owner' && system;
    known = {
      states: fields.filter(({ lifecycle }) => lifecycle !== null),
      filled: fields.filter((field) => field.lifecycle !== null || field.default !== undefined || isOwner(field)),
    };
    looked.set(entity, known);
  }
  return known;
}

/** A record may only begin where its lifecycle lets it. */
function checkState(
  scope: Scope,
  entity: Entity,
  values: ReadonlyMap<string, Value>,
  pointer: string,
  faults: Faults,
): void {
  for (const field of lookedAt(entity).states) {
    const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
    const state = values.get(field.key);
    if (!lifecycle || typeof state !== 'string' || lifecycle.createIn.has(state)) continue;
    const allowed = [...lifecycle.createIn];
    faults.add({
      code: 'state',
      message: `${field.label} of a new record must be one of: ${allowed.join(', ')}.`,
      pointer: at(pointer, field.key),
      params: { allowed },
    });
  }
}

function fillDefaults(scope: Scope, entity: Entity, values: Map<string, Value>): void {
  for (const field of lookedAt(entity).filled) {
    if (values.has(field.key)) continue;
    if (waits(entity, field, values)) continue;
    const value = defaultOf(scope, field);
    if (value !== undefined) values.set(field.key, value);
  }
}

/** A currency that is yet to be looked up, and that of an amount that is, which comes with it. */
function waits(entity: Entity, field: Field, values: ReadonlyMap<string, Value>): boolean {
  if (field.fill !== null) return true;
  const of = field.companionOf;
  return of !== null && (values.get(of) ?? null) === null && entity.fields.get(of)?.fill != null;
}

/** What a new record gets where nothing was sent. */
export function defaultOf(scope: Scope, field: Field): Value | undefined {
  if (field.lifecycle !== null) return scope.model.lifecycles.get(field.lifecycle)?.initial;
  if (field.key === 'owner' && field.system) return scope.principal.userId ?? undefined;
  if (field.default === undefined) return undefined;
  const parsed = field.type.normalise(field.default, field, valueContext(scope));
  return 'error' in parsed ? undefined : parsed.value;
}

/**
 * The columns an INSERT of the principal names, in the entity's order: exactly those its database role may give. The
 * others get their defaults from the database.
 */
export function insertedFields(scope: Scope, entity: Entity): readonly Field[] {
  const { creatableFields } = scope.rights.of(entity.name);
  return [...entity.fields.values()].filter(
    (field) => field.column !== null && writable(field, 'create') && creatableFields.has(field.key),
  );
}
