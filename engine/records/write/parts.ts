/** Parts of a record that change with it: new ones, changed ones, deleted ones. */
import type { IdSource } from '#engine/clock.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';
import { recordset } from './insert.ts';
import type { NewRows } from './prepare.ts';
import { LIMITS, prepareParts } from './prepare.ts';
import type { References } from './references.ts';
import { andLive, column, Parameters, tableOf } from './sql.ts';
import { found } from './sentences.ts';
import type { Faults } from './validate.ts';
import { at, checkBody, isObject } from './validate.ts';

interface PartChange {
  readonly entity: Entity;
  /** The part's field that points at the whole. */
  readonly parent: Field;
  readonly parentId: string;
  /** Rows that set the same fields. */
  readonly fields: readonly Field[];
  readonly rows: readonly NewRow[];
}

interface PartRemoval {
  readonly entity: Entity;
  readonly parent: Field;
  readonly parentId: string;
  readonly ids: readonly string[];
}

export interface Parts {
  readonly created: NewRows;
  readonly changed: PartChange[];
  readonly removed: PartRemoval[];
  /** Where each id stood in the request. */
  readonly pointers: Map<string, string>;
  problem(ids: readonly string[]): Problem;
}

export function noParts(): Parts {
  const pointers = new Map<string, string>();
  return {
    created: new Map(),
    changed: [],
    removed: [],
    pointers,
    problem: (ids) => {
      const message = 'This part does not exist, or belongs to another record.';
      return new Problem(
        'invalid',
        message,
        ids.map((id) => ({ code: 'part', message, pointer: pointers.get(id) ?? '' })),
      );
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const COMMANDS = new Set(['create', 'update', 'delete']);

/** Takes apart `{"create": […], "update": […], "delete": […]}` of one children field. */
export function prepareChangedParts(
  scope: Scope,
  field: Field,
  sent: unknown,
  parentId: string,
  ids: IdSource,
  faults: Faults,
  parts: Parts,
): void {
  const pointer = at('', field.key);
  const child = field.children && scope.model.entities.get(field.children.entity);
  const parent = field.children && child?.fields.get(field.children.field);
  if (!child || !parent) return;
  if (!isObject(sent) || Object.keys(sent).some((key) => !COMMANDS.has(key))) {
    faults.add({
      code: 'wrong_type',
      message: `${field.label} must be an object with the lists “create”, “update” and “delete”, not ${found(sent)}.`,
      pointer,
    });
    return;
  }
  const list = (key: string): readonly unknown[] => {
    const value = sent[key] ?? [];
    if (Array.isArray(value)) return value;
    faults.add({
      code: 'wrong_type',
      message: `“${key}” must be a list, not ${found(value)}.`,
      pointer: at(pointer, key),
    });
    return [];
  };
  const [created, changed, removed] = [list('create'), list('update'), list('delete')];
  if (created.length + changed.length + removed.length > LIMITS.parts) {
    faults.add({
      code: 'too_many',
      message: `${field.label}: at most ${LIMITS.parts} at a time.`,
      pointer,
      params: { max: LIMITS.parts },
    });
    return;
  }
  if (created.length > 0)
    prepareParts(scope, field, created, parentId, at(pointer, 'create'), ids, faults, parts.created, 1);
  prepareChanged(scope, child, parent, parentId, changed, at(pointer, 'update'), faults, parts);
  const goners = removed.flatMap((id, index) => takeId(id, at(at(pointer, 'delete'), index), faults, parts));
  if (goners.length > 0) parts.removed.push({ entity: child, parent, parentId, ids: goners });
}

function prepareChanged(
  scope: Scope,
  child: Entity,
  parent: Field,
  parentId: string,
  changed: readonly unknown[],
  pointer: string,
  faults: Faults,
  parts: Parts,
): void {
  const groups = new Map<string, NewRow[]>();
  for (const [index, body] of changed.entries()) {
    const where = at(pointer, index);
    const [id] = takeId(isObject(body) ? body['id'] : undefined, at(where, 'id'), faults, parts, where);
    const options = { given: new Set([parent.key]), ignore: new Set(['id']), record: id ?? '' };
    const { values, children, links } = checkBody(scope, child, 'update', body, where, faults, options);
    for (const field of [...children.keys(), ...links.keys()]) {
      faults.add({
        code: 'read_only',
        message: `${field.label} cannot be changed from here.`,
        pointer: at(where, field.key),
      });
    }
    if (id === undefined || values.size === 0) continue;
    const signature = [...values.keys()].sort().join(' ');
    const group = groups.get(signature) ?? [];
    groups.set(signature, group);
    group.push({ id, pointer: where, values, sent: new Set(values.keys()) });
  }
  for (const rows of groups.values()) {
    const fields = [...child.fields.values()].filter((field) => rows[0]?.sent.has(field.key));
    parts.changed.push({ entity: child, parent, parentId, fields, rows });
  }
}

function takeId(id: unknown, pointer: string, faults: Faults, parts: Parts, owner = pointer): string[] {
  if (typeof id !== 'string' || !UUID.test(id)) {
    faults.add({ code: 'wrong_type', message: 'This must be the id of a part.', pointer });
    return [];
  }
  const canonical = id.toLowerCase();
  if (parts.pointers.has(canonical)) {
    faults.add({ code: 'duplicate', message: 'This part is named twice.', pointer });
    return [];
  }
  parts.pointers.set(canonical, owner);
  return [canonical];
}

/** UPDATEs and DELETEs of parts. Each refuses (`parts`, details: ids) when one of them is not a part of this record. */
export function partStatements(scope: Scope, parts: Parts, references: References): Statement[] {
  return [
    ...parts.changed.map((change) => {
      references.add(change.entity, change.rows);
      return changed(scope, change);
    }),
    ...parts.removed.map((removal) => removed(scope, removal)),
  ];
}

function changed(scope: Scope, { entity, parent, parentId, fields, rows }: PartChange): Statement {
  const parameters = new Parameters();
  const source = recordset(fields, rows, parameters);
  const own = `x.${column(parent)} = ${parameters.bind(parentId, 'uuid')}${andLive(entity, 'x')}`;
  const set = fields.map((field) => `${column(field)} = r.${column(field)}`).join(', ');
  const differs = fields.map((field) => `x.${column(field)} is distinct from r.${column(field)}`).join(' or ');
  const work = `update ${tableOf(scope, entity)} x set ${set} from ${source} where x.id = r.id and ${own} and (${differs})`;
  return refuseMissing(
    scope,
    entity,
    work,
    own,
    rows.map(({ id }) => id),
    parameters,
  );
}

function removed(scope: Scope, { entity, parent, parentId, ids }: PartRemoval): Statement {
  const parameters = new Parameters();
  const own = `x.${column(parent)} = ${parameters.bind(parentId, 'uuid')}${andLive(entity, 'x')}`;
  const which = `x.id = any(${parameters.bind(ids, 'uuid[]')}) and ${own}`;
  const table = tableOf(scope, entity);
  const work = entity.softDelete
    ? `update ${table} x set deleted_at = armature.now() where ${which}`
    : `delete from ${table} x where ${which}`;
  return refuseMissing(scope, entity, work, own, ids, parameters);
}

/** `work`, then a refusal with the ids that the table (as it was before) has not under the condition `own`. */
function refuseMissing(
  scope: Scope,
  entity: Entity,
  work: string,
  own: string,
  ids: readonly string[],
  parameters: Parameters,
): Statement {
  const list = parameters.bind(ids, 'uuid[]');
  return {
    text: `with work as (${work}) select armature.refuse('parts', json_agg(n.id)) from unnest(${list}) as n(id) where not exists (select from ${tableOf(scope, entity)} x where x.id = n.id and ${own}) having count(*) > 0`,
    values: parameters.values,
  };
}
