/**
 * Creating records: one or up to 1,000, with their parts, as the statements of one round trip.
 *
 * references → conditions → INSERT of the wholes → INSERT of the parts. What a check does not like raises, and then
 * nothing of the batch is kept.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { notFound, Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import { withFilled } from './fills.ts';
import { isAllowed, isDecidable } from './new-record.ts';
import type { NewRow } from './insert.ts';
import { insertStatement, recordset } from './insert.ts';
import { linkChecks, linkStatements } from './links.ts';
import type { Plan } from './plan.ts';
import { pairedPredicates } from './predicate.ts';
import type { NewGroup } from './new-records.ts';
import { NewRecords } from './new-records.ts';
import type { NewBody } from './prepare.ts';
import { LIMITS } from './limits.ts';
import { defaultOf, insertedFields, prepareNew } from './prepare.ts';
import { References } from './references.ts';
import { column, Parameters, sqlTypeOf } from './sql.ts';
import { Faults } from './validate.ts';

export interface CreatePlan extends Plan {
  /** Of the wholes, in the order they were sent. */
  readonly ids: readonly string[];
}

/**
 * @param body one record, or a list of up to 1,000
 * @throws Problem `not_found` when the principal knows nothing of the entity, `forbidden`, `too_large`, `invalid`
 */
export function planCreate(scope: Scope, entity: Entity, body: unknown, ids: IdSource): CreatePlan {
  requireCreate(scope, entity);
  if (Array.isArray(body)) requireList(body);
  const bodies: NewBody[] = Array.isArray(body)
    ? body.map((one: unknown, index) => ({ body: one, pointer: `/${index}` }))
    : [{ body, pointer: '' }];
  return planNew(scope, entity, bodies, ids);
}

/** @throws Problem `too_large`, `invalid` for none */
export function requireList(bodies: readonly unknown[]): void {
  if (bodies.length > LIMITS.records) {
    throw new Problem('too_large', `At most ${LIMITS.records} records at a time; these are ${bodies.length}.`);
  }
  if (bodies.length === 0) throw new Problem('invalid', 'The list is empty: send at least one record.');
}

/** @throws Problem when the principal may not create records of the entity; one it knows nothing of is `not_found` */
export function requireCreate(scope: Scope, entity: Entity): void {
  const rights = scope.rights.of(entity.name);
  if (rights.create.length > 0) return;
  throw rights.read.length > 0
    ? new Problem('forbidden', `You may not create records of “${entity.label}”.`)
    : notFound();
}

/**
 * The statements for bodies that each know their place in the request.
 * @param faults what is wrong with the rest of the request
 */
export function planNew(
  scope: Scope,
  entity: Entity,
  bodies: readonly NewBody[],
  ids: IdSource,
  faults: Faults = new Faults(),
): CreatePlan {
  const records = new NewRecords();
  const created = prepareNew({ scope, ids, faults, records }, entity, bodies);
  faults.check();
  const references = new References(scope, records);
  const { referred, own } = insertStatements(scope, records, references);
  const lookup = references.statement();
  const statements = [...(lookup ? [lookup] : []), ...referred, ...own];
  const pointers = new Map(records.rows().map((row) => [row.id, row.pointer]));
  return {
    entity,
    ids: created,
    statements,
    pointers,
    refused: (refusal) =>
      refusal.code === 'references' ? references.problem(refusal.ids) : notAllowed(refusal.ids, pointers),
  };
}

/**
 * Checks of conditions and INSERTs: of the records that others refer to, and of these with their parts. A condition may
 * look at what a record refers to, so each is asked when that is there.
 * @param references takes up what they refer to; its lookup goes before
 */
export function insertStatements(
  scope: Scope,
  records: NewRecords,
  references: References,
): { readonly referred: readonly Statement[]; readonly own: readonly Statement[] } {
  const write = ({ entity, rows }: NewGroup): Statement[] => {
    const fields = insertedFields(scope, entity);
    const wholes = rows.filter(({ part }) => part !== true);
    const parts = wholes.length === rows.length ? [] : rows.filter(({ part }) => part === true);
    references.add(entity, wholes);
    references.add(entity, parts, entity.parent?.field);
    const checks = wholes.length === 0 ? [] : conditionChecks(scope, entity, fields, wholes);
    const linked = rows.flatMap(({ links = [] }) => links);
    const links = linked.length === 0 ? [] : linkStatements(scope, linked, references);
    const allowed = wholes.flatMap((row) => row.links ?? []);
    return [
      ...checks,
      insertStatement(scope, entity, fields, rows),
      ...links,
      ...(allowed.length === 0 ? [] : linkChecks(scope, entity, allowed)),
    ];
  };
  return { referred: records.referred().flatMap(write), own: records.own().flatMap(write) };
}

/** Refuses (`condition`, details: ids) rows for which some field that was sent is not covered by a grant that holds. */
function conditionChecks(scope: Scope, entity: Entity, fields: readonly Field[], rows: readonly NewRow[]): Statement[] {
  const grants = scope.rights.of(entity.name).create;
  if (!scope.predicates || grants.some((grant) => grant.condition === null && grant.fields === null)) return [];
  if (isDecidable(entity, grants)) {
    const refused = rows.filter((row) => !isAllowed(scope, grants, row));
    if (refused.length > 0)
      throw notAllowed(
        refused.map(({ id }) => id),
        new Map(refused.map(({ id, pointer }) => [id, pointer])),
      );
    return [];
  }
  const groups = new Map<string, NewRow[]>();
  for (const row of rows) {
    const signature = [...row.sent].sort().join(' ');
    const group = groups.get(signature) ?? [];
    groups.set(signature, group);
    group.push(row);
  }
  return [...groups.values()].flatMap((group) => {
    const parameters = new Parameters();
    const source = withFilled(scope, entity, fields, recordset(fields, group, parameters));
    const row = `(select r.*${restOfRow(scope, entity, fields, parameters)} from ${source}) n`;
    const predicates = pairedPredicates(scope, grants, group[0]?.sent ?? [], 'n', parameters);
    if (predicates.length === 0) return [];
    return [
      {
        text: `select armature.refuse('condition', json_agg(n.id)) from ${row} where (${predicates.join(' and ')}) is not true having count(*) > 0`,
        values: parameters.values,
      },
    ];
  });
}

/** The columns a new record has besides those that are sent: what the database will put there. */
function restOfRow(scope: Scope, entity: Entity, fields: readonly Field[], parameters: Parameters): string {
  const named = new Set(['id', ...fields.map((field) => field.key)]);
  let sql = '';
  for (const field of entity.fields.values()) {
    if (field.column === null || named.has(field.key)) continue;
    sql += `, ${systemValue(scope, field, parameters)} as ${column(field)}`;
  }
  return sql;
}

function systemValue(scope: Scope, field: Field, parameters: Parameters): string {
  if (field.system) {
    switch (field.key) {
      case 'version':
        return '1::bigint';
      case 'created_at':
      case 'updated_at':
        return 'armature.now()';
      case 'created_by':
      case 'updated_by':
        return 'armature.user_id()';
    }
  }
  return parameters.bind(defaultOf(scope, field) ?? null, sqlTypeOf(field));
}

/** @param pointers where the records stand in the request, by id */
export function notAllowed(ids: readonly string[], pointers: ReadonlyMap<string, string>): Problem {
  const message = 'You may not create a record like this.';
  return new Problem(
    'forbidden',
    message,
    ids.map((id) => ({ code: 'forbidden', message, pointer: pointers.get(id) ?? '' })),
  );
}
