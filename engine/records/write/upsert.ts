/**
 * Creating a record, or changing the one that has the same key. The record is looked for as the principal sees it; then
 * it is an ordinary creation or an ordinary change, with the rights to it. When somebody else creates the record in
 * between, Postgres's unique index says so, and the next try finds it. When nothing is found then either, the key
 * belongs to a record that is hidden: the answer is `unique`, as for any creation, and nothing more is told.
 *
 * What may only be given at creation (the owner, a state) does not count for a record that exists: the same request
 * sent twice must not be refused the second time. What is left of it is told as a warning; see `left-alone.ts`.
 */
import type { IdSource } from '#engine/clock.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { StatementResult } from '#engine/db/execute.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { notFound, Problem } from '#engine/problem.ts';
import { findKey, keysOf } from '../read/keys.ts';
import { keyedStatement } from '../read/matching.ts';
import { type DuplicateWish, withDuplicates } from '../duplicates/on-create.ts';
import type { Scope } from '../scope.ts';
import type { Versions } from './change.ts';
import { planCreate } from './create.ts';
import { leftAlone } from './left-alone.ts';
import { patchedFromNothing } from './merge-patch.ts';
import type { Plan } from './plan.ts';
import type { WriteOptions, WriteResult } from './run.ts';
import { runOne } from './run.ts';
import { column, Parameters, sqlTypeOf } from './sql.ts';
import { planUpdate } from './update.ts';
import type { Upserting } from './upserting.ts';
import { forChange, isTaken } from './upserting.ts';
import { upsertList } from './upsert-list.ts';
import { checkValues, Faults } from './validate.ts';

export interface UpsertOptions extends WriteOptions {
  /** For one record: whether there must be one already (`If-Match`), or must not (`If-None-Match: *`). */
  readonly exists?: 'must' | 'must_not' | undefined;
  /** Of those that are created: whether to look for probable duplicates. */
  readonly duplicates?: DuplicateWish | undefined;
  /** For one record: versions that the existing one may have. */
  readonly ifMatch?: number | readonly number[] | null | undefined;
}

/**
 * @param names of the fields of a unique key
 * @param body one record, or a list of up to 1,000
 * @throws Problem `invalid_parameter` when there is no such key, `precondition_failed`, and those of creating and
 *   changing; see `Writer.upsert`
 */
export async function upsert(
  sender: Sender,
  ids: IdSource,
  scope: Scope,
  entity: Entity,
  names: readonly string[],
  body: unknown,
  options: UpsertOptions,
): Promise<WriteResult> {
  const rights = scope.rights.of(entity.name);
  if (rights.read.length + rights.create.length + rights.update.length === 0) throw notFound();
  const key = findKey(scope, entity, names);
  if (!key) throw noKey(scope, entity);
  const upserting = { sender, ids, scope, entity, key };
  return Array.isArray(body) ? upsertList(upserting, body, options) : upsertOne(upserting, body, options);
}

/** Tries in which somebody else was faster each time. */
const TRIES = 5;

async function upsertOne(upserting: Upserting, body: unknown, options: UpsertOptions): Promise<WriteResult> {
  const { sender, scope, entity, key } = upserting;
  const faults = new Faults();
  const values = checkValues(scope, entity, key.fields, body, '', faults);
  faults.check();
  let found = await find(upserting, values);
  for (let attempt = 1; ; attempt += 1) {
    const job =
      found === null
        ? { status: 201, version: 1, plan: () => creation(upserting, body, options) }
        : { status: 200, plan: changing(upserting, found, values, body, options) };
    const id = (plan: Plan) => found ?? ('ids' in plan && Array.isArray(plan.ids) ? plan.ids[0] : undefined);
    try {
      return await runOne(sender, scope, entity, options, { ...job, id });
    } catch (error) {
      if (attempt >= TRIES || !(found === null ? isTaken(error, key) : isMoved(error))) throw error;
      const now = await find(upserting, values);
      if (now === found) throw error;
      found = now;
    }
  }
}

async function find({ sender, scope, entity, key }: Upserting, values: readonly Value[]): Promise<string | null> {
  const [result] = await sender.batch(sessionOf(scope.principal), [
    keyedStatement(scope, entity, key.fields, [values]),
  ]);
  return result?.rows[0]?.[1] ?? null;
}

function creation({ sender, scope, entity, ids }: Upserting, body: unknown, options: UpsertOptions): Plan {
  const { exists, duplicates } = options;
  if (exists === 'must') throw unmet('There is no such record, and If-Match asks for one.', 'If-Match');
  const record = options.mergePatch ? patchedFromNothing(entity, body) : body;
  const plan = planCreate(scope, entity, record, ids);
  return withDuplicates(sender, scope, entity, [{ id: plan.ids[0] ?? '', body, pointer: '' }], duplicates, plan);
}

function changing(
  upserting: Upserting,
  id: string,
  values: readonly Value[],
  body: unknown,
  { exists, ifMatch, mergePatch }: UpsertOptions,
): () => Plan {
  const { sender, scope, entity, ids, key } = upserting;
  const left = leftAlone(upserting, [{ id, pointer: '', body }]);
  const version: Versions = ifMatch == null ? null : typeof ifMatch === 'number' ? [ifMatch] : ifMatch;
  return () => {
    if (exists === 'must_not') throw unmet('There is such a record already.', 'If-None-Match');
    const rest = forChange(scope, entity, key, body);
    const also = (parameters: Parameters) =>
      key.fields.map((field, i) => `x.${column(field)} = ${parameters.bind(values[i] ?? null, sqlTypeOf(field))}`);
    const plan = planUpdate(sender, scope, entity, id, rest, version, ids, { also, mergePatch });
    return {
      ...plan,
      ...(left && {
        statements: [left.look, ...plan.statements],
        told: ([found]: readonly StatementResult[]) => left.warnings(found),
      }),
      refused: async (refusal) => {
        const problem = await plan.refused(refusal);
        return problem === 'again' ? new Moved() : problem;
      },
    };
  };
}

function unmet(message: string, parameter: string): Problem {
  return new Problem('precondition_failed', message, [{ code: 'exists', message, parameter }]);
}

/** The record that was found has another key by now. */
class Moved extends Problem {
  constructor() {
    super('unavailable', 'Somebody else is changing this record; try again.');
  }
}

function isMoved(error: unknown): boolean {
  return error instanceof Moved || (error instanceof Problem && error.code === 'not_found');
}

function noKey(scope: Scope, entity: Entity): Problem {
  const possible = keysOf(scope, entity).map(({ unique }) => unique.fields.join(','));
  const hint = possible.length === 0 ? '' : ` Possible here: ${possible.join('; ')}.`;
  const message = `This is not a key by which records of “${entity.label}” are found.${hint}`;
  return new Problem('invalid_parameter', message, [
    { code: 'invalid_parameter', message, parameter: '$upsert', params: { expected: possible } },
  ]);
}
