/**
 * Merging records: one stays (the winner), the others (the losers) go to the bin, and whatever referred to them refers
 * to the winner. One batch: the look at all of them as the principal, the function that relinks, the winner's values.
 *
 * Values are copied inside the database, out of the losers as they are then: nothing that was read before can be stale.
 */
import type { Sender } from '#engine/db/sender.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { parseLiteral } from '#engine/condition/literals.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { mergeName } from '#engine/schema/merge.ts';
import { canMerge, MERGES } from '#engine/schema/merges.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import type { Versions } from './change.ts';
import { andVersion, changeStatement, onlyOf } from './change.ts';
import { mayCompare, showsNothing } from './compare.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { Plan } from './plan.ts';
import { andAll, andReadable, pairedPredicates } from './predicate.ts';
import { andLive, column, Parameters, tableOf } from './sql.ts';
import { Faults, isObject } from './validate.ts';

/** Losers of one merge. */
const MAX_LOSERS = 20;

interface Wanted {
  readonly winner: string;
  readonly losers: readonly string[];
  /** Field key → id of the record whose value the winner gets. */
  readonly chosen: ReadonlyMap<string, string>;
}

/**
 * @param body `{"from": [ids], "fields"?: {field: id of the record whose value wins}}`. Fields that are not named keep
 *   the winner's value; where it has none they get the first of the losers' that there is, and lists of texts are united.
 */
export function planMerge(
  database: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
  body: unknown,
  version: Versions,
): Plan {
  const winner = recordId(id);
  if (!canMerge(entity)) throw notFound();
  const rights = scope.rights.of(entity.name);
  requireGrants(scope, entity, rights.merge, 'merge');
  requireGrants(scope, entity, rights.update, 'change');
  requireGrants(scope, entity, rights.delete, 'delete');
  const wanted = wantedOf(scope, entity, winner, body);
  const values = valuesStatement(scope, entity, wanted);
  return {
    entity,
    statements: [
      lookStatement(scope, entity, wanted, version),
      mergeStatement(scope, entity, wanted, version),
      ...values,
    ],
    refused: async () => (await whyNot(database, scope, entity, wanted, version)) ?? 'again',
  };
}

/** All of them are there for the principal, who may merge them, change the winner and delete the losers. */
function lookStatement(scope: Scope, entity: Entity, { winner, losers }: Wanted, version: Versions): Statement {
  const parameters = new Parameters();
  const { merge, update, delete: remove } = scope.rights.of(entity.name);
  const which = parameters.bind(winner, 'uuid');
  const others = parameters.bind(losers, 'uuid[]');
  const same = version === null ? '' : ` and (x.id <> ${which} or (true${andVersion(version, parameters)}))`;
  const mayMerge = andAll(pairedPredicates(scope, merge, [], 'x', parameters));
  const mayChange = pairedPredicates(scope, update, [], 'x', parameters);
  const mayDelete = pairedPredicates(scope, remove, [], 'x', parameters);
  const each =
    mayChange.length + mayDelete.length === 0
      ? ''
      : ` and case when x.id = ${which} then ${mayChange.join(' and ') || 'true'} else ${mayDelete.join(' and ') || 'true'} end`;
  return {
    text: `select armature.refuse('unmatched') from (select count(*) as n from ${tableOf(scope, entity)} x where (x.id = ${which} or x.id = any(${others}))${andLive(entity, 'x')}${same}${andReadable(scope, entity, 'x', parameters)}${mayMerge}${each}) f where f.n <> ${parameters.bind(losers.length + 1, 'integer')}`,
    values: parameters.values,
  };
}

function mergeStatement(scope: Scope, entity: Entity, { winner, losers }: Wanted, version: Versions): Statement {
  const parameters = new Parameters();
  const args = [
    parameters.bind(winner, 'uuid'),
    parameters.bind(losers, 'uuid[]'),
    parameters.bind(onlyOf(version), 'integer'),
  ];
  return {
    text: `select ${qualified(scope.tenant.names.schema, mergeName(entity))}(${args.join(', ')})`,
    values: parameters.values,
  };
}

/** The winner's new values. Losers are in the bin by now, and their values are free to be taken where they must be unique. */
function valuesStatement(scope: Scope, entity: Entity, wanted: Wanted): Statement[] {
  const rights = scope.rights.of(entity.name);
  const writable = [...entity.fields.values()].filter(
    (field) =>
      field.column !== null &&
      movable(field) &&
      rights.updatableFields.has(field.key) &&
      rights.readableFields.has(field.key),
  );
  const chosen = writable.filter(({ key }) => wanted.chosen.has(key) && wanted.chosen.get(key) !== wanted.winner);
  // Nobody asked for these: they are filled where every permission to change would allow it, and filling tells nothing.
  const open = writable.filter(
    (field) =>
      !wanted.chosen.has(field.key) &&
      rights.update.every(({ fields }) => fields === null || fields.has(field.key)) &&
      showsNothing(scope, entity, field),
  );
  const written = [...chosen, ...open].map(({ key }) => key);
  if (written.length === 0) return [];
  return [
    changeStatement(scope, entity, {
      id: wanted.winner,
      version: null,
      grants: rights.update,
      fields: written,
      skipEqual: mayCompare(scope, entity, written),
      assignments: (parameters) => [
        ...chosen.map((field) => ({
          column: column(field),
          value: taken(scope, entity, field, wanted, wanted.chosen.get(field.key) ?? wanted.winner, parameters),
        })),
        ...open.map((field) => ({
          column: column(field),
          value: filled(scope, entity, field, open, wanted, parameters),
        })),
      ],
    }),
  ];
}

/** What is encrypted is encrypted for its record, and a file is one record's. */
const movable = ({ type }: Field): boolean => type.sealed !== true && type.attached === undefined;

/** The value of one record, as far as the principal may read it. */
function taken(
  scope: Scope,
  entity: Entity,
  field: Field,
  wanted: Wanted,
  from: string,
  parameters: Parameters,
): string {
  const found = `(select ${notItself(entity, field, wanted, parameters)} from ${tableOf(scope, entity)} l where l.id = ${parameters.bind(from, 'uuid')}${readable(scope, entity, field, parameters)})`;
  // What is always there is not lost to a record that shows nothing.
  return field.required ? `coalesce(${found}, x.${column(field)})` : found;
}

/**
 * The winner's own value, or where it has none that of the first loser that has one. What belongs together (an amount
 * and its currency, the parts of an address) comes from one record.
 */
function filled(
  scope: Scope,
  entity: Entity,
  field: Field,
  open: readonly Field[],
  wanted: Wanted,
  parameters: Parameters,
): string {
  const own = `x.${column(field)}`;
  const losers = parameters.bind([...wanted.losers], 'uuid[]');
  const from = `${tableOf(scope, entity)} l join unnest(${losers}) with ordinality o(id, n) on o.id = l.id`;
  const shown = readable(scope, entity, field, parameters);
  if (field.type.valueType === 'texts' || field.type.valueType === 'uuids') {
    const theirs = `select u.e, 1 + o.n as at from ${from}, unnest(l.${column(field)}) u(e) where true${shown}`;
    const all = `select u.e, u.n::numeric / 1000000 as at from unnest(${own}) with ordinality u(e, n) union all ${theirs}`;
    return `(select coalesce(array_agg(t.e order by t.at), ${own}) from (select a.e, min(a.at) as at from (${all}) a group by a.e) t)`;
  }
  const telling = tellingFields(entity, field, open);
  const has = (alias: string) => telling.map((one) => `${alias}.${column(one)} is not null`).join(' or ');
  const value = notItself(entity, field, wanted, parameters);
  const theirs = `(select ${value} from ${from} where (${has('l')})${shown} order by o.n limit 1)`;
  return `coalesce(case when ${has('x')} then ${own} else ${theirs} end, ${own})`;
}

/** The fields whose values tell whether there is anything of what the field is a part of. */
function tellingFields(entity: Entity, field: Field, open: readonly Field[]): readonly Field[] {
  const whole = field.companionOf === null ? field : entity.fields.get(field.companionOf);
  if (!whole) return [field];
  if (open.includes(whole)) return [whole];
  const parts = open.filter(({ companionOf }) => companionOf === whole.key);
  return parts.length > 0 ? parts : [field];
}

/** The value of a record `l`; one that would refer to the winner itself refers to nothing. */
function notItself(entity: Entity, field: Field, { winner, losers }: Wanted, parameters: Parameters): string {
  const name = `l.${column(field)}`;
  if (field.reference?.entity !== entity.name) return name;
  return `case when ${name} = any(${parameters.bind([winner, ...losers], 'uuid[]')}) then null else ${name} end`;
}

function readable(scope: Scope, entity: Entity, field: Field, parameters: Parameters): string {
  return andAll(pairedPredicates(scope, scope.rights.of(entity.name).read, [field.key], 'l', parameters));
}

async function whyNot(
  database: Sender,
  scope: Scope,
  entity: Entity,
  { winner, losers }: Wanted,
  version: Versions,
): Promise<Problem | null> {
  const { merge, update, delete: remove } = scope.rights.of(entity.name);
  const look = async (id: string, grants: typeof merge, verb: string, of: Versions) =>
    (await diagnose(database, scope, entity, { id, version: of, deleted: false, grants, fields: [], verb })).problem;
  const own = (await look(winner, merge, 'merge', version)) ?? (await look(winner, update, 'change', null));
  if (own) return own;
  for (const [index, loser] of losers.entries()) {
    const problem = (await look(loser, merge, 'merge', null)) ?? (await look(loser, remove, 'delete', null));
    if (!problem) continue;
    const pointer = `/from/${index}`;
    const message =
      problem.code === 'not_found'
        ? 'This refers to a record that does not exist or that you may not see.'
        : problem.message;
    const detail = { code: problem.code === 'not_found' ? 'reference' : problem.code, message, pointer };
    return new Problem(problem.code === 'not_found' ? 'invalid' : problem.code, message, [detail]);
  }
  return null;
}

function wantedOf(scope: Scope, entity: Entity, winner: string, body: unknown): Wanted {
  const faults = new Faults();
  const fault = (pointer: string, code: string, message: string) => faults.add({ code, message, pointer });
  const given = isObject(body) ? body : {};
  for (const key of Object.keys(given))
    if (key !== 'from' && key !== 'fields') fault(`/${key}`, 'unknown_field', `“${key}” is not known here.`);
  const from: readonly unknown[] = Array.isArray(given['from']) ? given['from'] : [];
  if (from.length === 0 || from.length > MAX_LOSERS)
    fault('/from', 'required', `Name the records to merge into this one: 1 to ${MAX_LOSERS} ids.`);
  const losers: string[] = [];
  for (const [index, one] of from.slice(0, MAX_LOSERS).entries()) {
    const id = parseLiteral(one, 'uuid');
    if (typeof id !== 'string') fault(`/from/${index}`, 'type', 'The id of a record is expected here.');
    else if (id === winner || losers.includes(id)) fault(`/from/${index}`, 'duplicate', 'This record is named twice.');
    else losers.push(id);
  }
  return { winner, losers, chosen: chosenOf(scope, entity, [winner, ...losers], given['fields'], faults) };
}

function chosenOf(
  scope: Scope,
  entity: Entity,
  records: readonly string[],
  fields: unknown,
  faults: Faults,
): ReadonlyMap<string, string> {
  const rights = scope.rights.of(entity.name);
  const chosen = new Map<string, string>();
  if (fields !== undefined && !isObject(fields))
    faults.add({ code: 'type', message: 'An object of field and record is expected here.', pointer: '/fields' });
  for (const [key, value] of isObject(fields) ? Object.entries(fields) : []) {
    const pointer = `/fields/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const field = entity.fields.get(key);
    const id = parseLiteral(value, 'uuid');
    if (!field || !rights.readableFields.has(key))
      faults.add({ code: 'unknown_field', message: `“${key}” is not a field of ${entity.label}.`, pointer });
    else if (
      !rights.updatableFields.has(key) ||
      (field.column === null && field.companions.length === 0) ||
      !movable(field)
    )
      faults.add({ code: 'read_only', message: `${field.label} cannot be chosen.`, pointer });
    else if (typeof id !== 'string' || !records.includes(id))
      faults.add({ code: 'reference', message: 'One of the records that are merged is expected here.', pointer });
    else for (const one of [key, ...field.companions]) chosen.set(one, id);
  }
  faults.check();
  return chosen;
}

/** The record that this one was merged into, for those who may read that; `null` otherwise. */
export async function mergedInto(database: Sender, scope: Scope, entity: Entity, id: string): Promise<string | null> {
  const record = parseLiteral(id, 'uuid');
  if (typeof record !== 'string' || !canMerge(entity) || scope.rights.of(entity.name).read.length === 0) return null;
  const parameters = new Parameters();
  const which = `m.record = ${parameters.bind(record, 'uuid')} and m.entity = ${parameters.bind(entity.id, 'text')}`;
  const text = `select x.id from ${qualified(scope.tenant.names.schema, MERGES)} m join ${tableOf(scope, entity)} x on x.id = m.winner where ${which}${andLive(entity, 'x')}${andReadable(scope, entity, 'x', parameters)}`;
  const [result] = await database.batch(sessionOf(scope.principal), [{ text, values: parameters.values }]);
  return result?.rows[0]?.[0] ?? null;
}
