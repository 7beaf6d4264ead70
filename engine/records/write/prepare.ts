/** From the bodies of new records to rows: checked, filled with defaults, parts taken apart from their whole. */
import type { IdSource } from '#engine/clock.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';
import { preparedLinks } from './links.ts';
import { brokenRules } from './rules.ts';
import { found } from './sentences.ts';
import type { CheckOptions, Faults } from './validate.ts';
import { at, checkBody, valueContext, writable } from './validate.ts';

/** How much one request may write. */
export const LIMITS = {
  /** Records in one array. */
  records: 1000,
  /** Parts of one record. */
  parts: 200,
  /** Parts of parts. */
  depth: 5,
} as const;

/** Rows by entity, wholes before their parts. */
export type NewRows = Map<Entity, NewRow[]>;

export interface NewBody {
  readonly body: unknown;
  readonly pointer: string;
}

/**
 * @param given values the engine sets itself, e.g. the parent of a part
 * @returns the rows' ids in the order of `bodies`; the rows are added to `rows`
 */
export function prepareNew(
  scope: Scope,
  entity: Entity,
  bodies: readonly NewBody[],
  ids: IdSource,
  faults: Faults,
  rows: NewRows,
  given: ReadonlyMap<string, Value> = new Map(),
  depth = 1,
): string[] {
  const engineSet = depth === 1 && given.size === 0 ? {} : { given: new Set(given.keys()) };
  const ofEntity = rows.get(entity) ?? [];
  rows.set(entity, ofEntity);
  return bodies.map(({ body, pointer }) => {
    const before = faults.details.length;
    const id = ids.uuid();
    const options: CheckOptions = { ...engineSet, record: id };
    const { values, children, links: linked } = checkBody(scope, entity, 'create', body, pointer, faults, options);
    const sent = new Set([...values.keys(), ...[...linked.keys()].map(({ key }) => key)]);
    checkState(scope, entity, values, pointer, faults);
    for (const [key, value] of given) values.set(key, value);
    fillDefaults(scope, entity, values);
    const links = preparedLinks(linked, id, pointer, faults);
    const row: NewRow = { id, pointer, values, sent, ...(links.length > 0 && { links }) };
    ofEntity.push(row);
    // Of a body with faults nobody knows what the record would be.
    if (faults.details.length === before) for (const detail of brokenRules(scope, entity, row)) faults.add(detail);
    for (const [field, parts] of children)
      prepareParts(scope, field, parts, id, at(pointer, field.key), ids, faults, rows, depth);
    return id;
  });
}

/** The parts of a record: a list of new records of the child entity. */
export function prepareParts(
  scope: Scope,
  field: Field,
  parts: unknown,
  parentId: string,
  pointer: string,
  ids: IdSource,
  faults: Faults,
  rows: NewRows,
  depth: number,
): void {
  const child = field.children && scope.model.entities.get(field.children.entity);
  if (!field.children || !child) return;
  if (!Array.isArray(parts)) {
    faults.add({
      code: 'wrong_type',
      message: `${field.label} must be a list of records, not ${found(parts)}.`,
      pointer,
    });
    return;
  }
  if (parts.length > LIMITS.parts || depth >= LIMITS.depth) {
    const message =
      depth >= LIMITS.depth
        ? `${field.label} is nested too deeply.`
        : `${field.label}: at most ${LIMITS.parts} at a time.`;
    faults.add({ code: 'too_many', message, pointer, params: { max: LIMITS.parts } });
    return;
  }
  const bodies = parts.map((body: unknown, index) => ({ body, pointer: at(pointer, index) }));
  prepareNew(scope, child, bodies, ids, faults, rows, new Map([[field.children.field, parentId]]), depth + 1);
}

/** A record may only begin where its lifecycle lets it. */
function checkState(
  scope: Scope,
  entity: Entity,
  values: ReadonlyMap<string, Value>,
  pointer: string,
  faults: Faults,
): void {
  for (const field of entity.fields.values()) {
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
  for (const field of entity.fields.values()) {
    if (values.has(field.key)) continue;
    const value = defaultOf(scope, field);
    if (value !== undefined) values.set(field.key, value);
  }
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
