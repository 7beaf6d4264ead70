/** Parts of a record that change with it: new ones, changed ones, deleted ones. */
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { uuidOf } from '#engine/uuid.ts';
import type { Scope } from '../scope.ts';
import { refilled, refilledColumns } from './fills.ts';
import type { NewRow } from './insert.ts';
import { recordset } from './insert.ts';
import type { Nest, NewBody, Place } from './prepare.ts';
import { prepareParts, prepareReferred, takeRoom } from './prepare.ts';
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
  /** Rows that set the same fields; none where only their own parts change. */
  readonly fields: readonly Field[];
  readonly rows: readonly NewRow[];
}

interface PartRemoval {
  readonly entity: Entity;
  readonly parent: Field;
  readonly parentId: string;
  readonly ids: readonly string[];
  /** These are the ones that stay. */
  readonly others: boolean;
}

export interface Parts {
  readonly changed: PartChange[];
  readonly removed: PartRemoval[];
  /** Where each id stood in the request. */
  readonly pointers: Map<string, string>;
  problem(ids: readonly string[]): Problem;
}

export function noParts(): Parts {
  const pointers = new Map<string, string>();
  return {
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

const COMMANDS = new Set(['create', 'update', 'delete']);

interface Sent {
  readonly created: readonly NewBody[];
  readonly changed: readonly NewBody[];
  readonly removed: readonly NewBody[];
  /** A list replaces what was there, as merge patch has it: what is not in it goes. */
  readonly replaces: boolean;
}

/**
 * What is sent for the parts of a record that exists: `{"create": […], "update": […], "delete": […]}`, or a list that
 * takes the place of what was there: with `id` a part that stays and may change, without a new one.
 */
function sentParts(field: Field, sent: unknown, pointer: string, faults: Faults): Sent | null {
  const place = (list: readonly unknown[], where: string): NewBody[] =>
    list.map((body, index) => ({ body, pointer: at(where, index) }));
  if (Array.isArray(sent)) {
    const all = place(sent, pointer);
    const known = ({ body }: NewBody): boolean => isObject(body) && 'id' in body;
    return {
      created: all.filter((one) => !known(one)),
      changed: all.filter(known),
      removed: [],
      replaces: true,
    };
  }
  if (!isObject(sent) || Object.keys(sent).some((key) => !COMMANDS.has(key))) {
    faults.add({
      code: 'wrong_type',
      message: `${field.label} must be a list, or an object with the lists “create”, “update” and “delete”, not ${found(sent)}.`,
      pointer,
    });
    return null;
  }
  const list = (key: string): readonly NewBody[] => {
    const value = sent[key] ?? [];
    if (Array.isArray(value)) return place(value, at(pointer, key));
    faults.add({
      code: 'wrong_type',
      message: `“${key}” must be a list, not ${found(value)}.`,
      pointer: at(pointer, key),
    });
    return [];
  };
  return { created: list('create'), changed: list('update'), removed: list('delete'), replaces: false };
}

/** Takes apart what is sent for one children field of a record that exists. */
export function prepareChangedParts(
  nest: Nest,
  field: Field,
  sent: unknown,
  parentId: string,
  pointer: string,
  place: Place,
  parts: Parts,
): void {
  const { scope, faults } = nest;
  const child = field.children && scope.model.entities.get(field.children.entity);
  const parent = field.children && child?.fields.get(field.children.field);
  if (!child || !parent) return;
  const lists = sentParts(field, sent, pointer, faults);
  if (!lists) return;
  const { created, changed, removed, replaces } = lists;
  // New ones are counted where they are prepared.
  if (changed.length + removed.length > 0) {
    if (!takeRoom(nest, field.label, changed.length + removed.length, pointer, place)) return;
  }
  prepareParts(nest, field, created, parentId, pointer, place);
  const kept = prepareChanged(nest, child, parent, parentId, changed, place, parts);
  const goners = removed.flatMap(({ body, pointer: where }) => takeId(body, where, faults, parts));
  if (goners.length > 0) parts.removed.push({ entity: child, parent, parentId, ids: goners, others: false });
  if (replaces) parts.removed.push({ entity: child, parent, parentId, ids: kept, others: true });
}

/** @returns the ids of the parts */
function prepareChanged(
  nest: Nest,
  child: Entity,
  parent: Field,
  parentId: string,
  changed: readonly NewBody[],
  place: Place,
  parts: Parts,
): readonly string[] {
  const { scope, faults } = nest;
  const ids: string[] = [];
  const groups = new Map<string, NewRow[]>();
  for (const { body, pointer } of changed) {
    const [id] = takeId(isObject(body) ? body['id'] : undefined, at(pointer, 'id'), faults, parts, pointer);
    const options = { given: new Set([parent.key]), ignore: new Set(['id']), record: id ?? null };
    const accepted = checkBody(scope, child, 'update', body, pointer, faults, options);
    const inner: Place = { depth: place.depth + 1, stage: place.stage, budget: place.budget };
    prepareReferred(nest, accepted, pointer, inner);
    if (id === undefined) continue;
    for (const field of accepted.links.keys()) {
      const message = `${field.label} cannot be changed from here.`;
      faults.add({ code: 'read_only', message, pointer: at(pointer, field.key) });
    }
    ids.push(id);
    for (const [field, sent] of accepted.children)
      prepareChangedParts(nest, field, sent, id, at(pointer, field.key), inner, parts);
    const { values } = accepted;
    if (values.size === 0 && accepted.children.size === 0) continue;
    const signature = [...values.keys()].sort().join(' ');
    const group = groups.get(signature) ?? [];
    groups.set(signature, group);
    group.push({ id, pointer, values, sent: new Set(values.keys()) });
  }
  for (const rows of groups.values()) {
    const fields = [...child.fields.values()].filter((field) => rows[0]?.sent.has(field.key));
    parts.changed.push({ entity: child, parent, parentId, fields, rows });
  }
  return ids;
}

function takeId(sent: unknown, pointer: string, faults: Faults, parts: Parts, owner = pointer): string[] {
  const id = typeof sent === 'string' ? uuidOf(sent) : null;
  if (id === null) {
    faults.add({ code: 'wrong_type', message: 'This must be the id of a part.', pointer });
    return [];
  }
  if (parts.pointers.has(id)) {
    faults.add({ code: 'duplicate', message: 'This part is named twice.', pointer });
    return [];
  }
  parts.pointers.set(id, owner);
  return [id];
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
  const ids = rows.map(({ id }) => id);
  // They are named for their own parts' sake, and must be parts all the same.
  if (fields.length === 0) {
    parameters.values.length = 0;
    const whole = `x.${column(parent)} = ${parameters.bind(parentId, 'uuid')}${andLive(entity, 'x')}`;
    return refuseMissing(scope, entity, 'select 1', whole, ids, parameters);
  }
  const sent = new Map(fields.map((field) => [field.key, `r.${column(field)}`]));
  const again = refilled(scope, entity, new Set(sent.keys())).flatMap((field) =>
    refilledColumns(scope, entity, field, (key) => sent.get(key)),
  );
  const set = [
    ...fields.map((field) => `${column(field)} = r.${column(field)}`),
    ...again.map((one) => `${one.column} = ${one.value}`),
  ].join(', ');
  const differs = fields.map((field) => `x.${column(field)} is distinct from r.${column(field)}`).join(' or ');
  const work = `update ${tableOf(scope, entity)} x set ${set} from ${source} where x.id = r.id and ${own} and (${differs})`;
  return refuseMissing(scope, entity, work, own, ids, parameters);
}

function removed(scope: Scope, { entity, parent, parentId, ids, others }: PartRemoval): Statement {
  const parameters = new Parameters();
  const own = `x.${column(parent)} = ${parameters.bind(parentId, 'uuid')}${andLive(entity, 'x')}`;
  const list = parameters.bind(ids, 'uuid[]');
  const which = `${others ? `x.id <> all(${list})` : `x.id = any(${list})`} and ${own}`;
  const table = tableOf(scope, entity);
  const work = entity.softDelete
    ? `update ${table} x set deleted_at = armature.now() where ${which}`
    : `delete from ${table} x where ${which}`;
  if (others) return { text: work, values: parameters.values };
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
