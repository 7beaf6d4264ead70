/**
 * The one write path. Every change of a record by anybody (a person, an import, a workflow, a plugin) is one of these
 * methods, done as the principal's database role.
 *
 * A write is one round trip: checks, changes, and the answer, in one implicit transaction. The reasons of a refusal are
 * looked up afterwards, which only those pay for who are refused.
 */
import type { Clock, IdSource } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { isDatabaseError } from '#engine/db/database-error.ts';
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import type { Selection } from '../query/query.ts';
import { oneStatement } from '../read/one-statement.ts';
import type { Scope } from '../scope.ts';
import { opened } from '../sealed.ts';
import { planCreate } from './create.ts';
import { isRetryable, writeProblem } from './database-problem.ts';
import type { Idempotency, Stored } from './idempotency.ts';
import { answerStatement, keepStatement, KEY_CONSTRAINT, storedAnswer } from './idempotency.ts';
import type { Plan } from './plan.ts';
import { refusalOf } from './plan.ts';
import { planRemove, planRestore } from './remove.ts';
import { ruleProblem, type Warning, warningsOf } from './rules.ts';
import { planTransition } from './transition.ts';
import { planUpdate } from './update.ts';

export interface WriteOptions {
  readonly idempotency?: Idempotency | undefined;
  /** What the answer shows of the record: a selection, every readable field (`null`, the default), or nothing. */
  readonly returning?: Selection | null | 'minimal' | undefined;
}

export interface ChangeOptions extends WriteOptions {
  /** Version of `If-Match`: the write is refused (`precondition_failed`) when the record has another one. */
  readonly ifMatch?: number | null | undefined;
}

export interface WriteResult {
  /** HTTP status: 201 for what was created, 200, or 204 without a body. */
  readonly status: number;
  /** Finished JSON text `{"data": …}`, with `"warnings": […]` where rules warn; `null` for `minimal`. `{"data":null}`: written, but not for the principal to read. */
  readonly body: string | null;
  /** Of a single record. */
  readonly id?: string;
  /** Of a single record, as it is after the write. Unknown when the principal may not read it. */
  readonly version?: number;
  /** The same request was made before; this is what it answered. */
  readonly replayed: boolean;
}

/** What is to be written and answered. */
interface Job {
  readonly plan: () => Plan;
  readonly status: number;
  /** The record the answer is about; `null` for many. */
  readonly id: (plan: Plan) => string | undefined;
  /** The answer, where it is not a record. */
  readonly fixed?: (plan: Plan) => string | null;
  /** Version after the write, where no statement has to tell it. */
  readonly version?: number;
}

/** Tries of a write that was refused and against which nothing speaks when looked at again. */
const TRIES = 3;

export class Writer {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor({ database, ids }: { database: Database; ids: IdSource; clock: Clock }) {
    this.#database = database;
    this.#ids = ids;
  }

  /**
   * Creates one record (an object, with its parts) or up to 1,000 (a list), all or none.
   * Answers a list with `{"data": [{"id", "version"}, …]}` in its order.
   * @throws Problem `invalid` (pointers into the body), `unique`, `forbidden`, `not_found`, `too_large`, `idempotency_mismatch`
   */
  async create(scope: Scope, entity: Entity, body: unknown, options: WriteOptions = {}): Promise<WriteResult> {
    if (!Array.isArray(body)) {
      return this.#write(scope, entity, options, {
        plan: () => planCreate(scope, entity, body, this.#ids),
        status: 201,
        id: (plan) => createdIds(plan)[0],
        version: 1,
      });
    }
    return this.#write(scope, entity, options, {
      plan: () => planCreate(scope, entity, body, this.#ids),
      status: 201,
      id: () => undefined,
      fixed: (plan) => JSON.stringify({ data: createdIds(plan).map((id) => ({ id, version: 1 })) }),
    });
  }

  /**
   * Changes a record by merge patch, and its parts with it.
   * @throws Problem `invalid`, `unique`, `forbidden`, `not_found`, `precondition_failed`, `idempotency_mismatch`
   */
  async update(
    scope: Scope,
    entity: Entity,
    id: string,
    body: unknown,
    options: ChangeOptions = {},
  ): Promise<WriteResult> {
    const version = options.ifMatch ?? null;
    return this.#write(scope, entity, options, {
      plan: () => planUpdate(this.#database, scope, entity, id, body, version, this.#ids),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /** Deletes a record. @throws Problem `still_referenced` and those of {@link update}; answers 204 */
  async remove(scope: Scope, entity: Entity, id: string, options: ChangeOptions = {}): Promise<WriteResult> {
    const version = options.ifMatch ?? null;
    return this.#write(
      scope,
      entity,
      { ...options, returning: 'minimal' },
      {
        plan: () => planRemove(this.#database, scope, entity, id, version),
        status: 204,
        id: () => id.toLowerCase(),
      },
    );
  }

  /** Brings a deleted record back. */
  async restore(scope: Scope, entity: Entity, id: string, options: ChangeOptions = {}): Promise<WriteResult> {
    const version = options.ifMatch ?? null;
    return this.#write(scope, entity, options, {
      plan: () => planRestore(this.#database, scope, entity, id, version),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /**
   * Takes a step of the record's lifecycle.
   * @param body values that go with the step; `undefined` and `{}` for none
   * @throws Problem `transition_refused` (details: empty required fields, the guard's message) and those of {@link update}
   */
  async transition(
    scope: Scope,
    entity: Entity,
    id: string,
    action: string,
    body: unknown,
    options: ChangeOptions = {},
  ): Promise<WriteResult> {
    const version = options.ifMatch ?? null;
    return this.#write(scope, entity, options, {
      plan: () => planTransition(this.#database, scope, entity, id, action, body, version),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /** What is stored for a repeated request keeps encrypted values sealed; they are opened on the way out. */
  async #write(scope: Scope, entity: Entity, options: WriteOptions, job: Job): Promise<WriteResult> {
    const result = await this.#sealed(scope, entity, options, job);
    return result.body === null ? result : { ...result, body: opened(scope, result.body) };
  }

  async #sealed(scope: Scope, entity: Entity, options: WriteOptions, job: Job): Promise<WriteResult> {
    // Service principals have no keys of their own: they retry by their jobs' ids.
    const idempotency = scope.principal.userId === null ? undefined : options.idempotency;
    try {
      return await this.#attempts(scope, entity, options, idempotency, job);
    } catch (error) {
      // Whatever went wrong this time: when the request was made before, its answer stands.
      const stored = idempotency && (await storedAnswer(this.#database, scope, idempotency).catch(unlessOurs));
      if (stored)
        return await this.#again(scope, entity, options, stored).catch((second: unknown) => {
          throw writeProblem(second, scope, entity);
        });
      if (isKeyTaken(error))
        throw new Problem('request_in_progress', 'The same request is still being processed.', [], { cause: error });
      throw error instanceof Problem ? error : writeProblem(error, scope, entity);
    }
  }

  /**
   * The stored answer, as far as the principal may see it now: of a record that is out of their sight nothing, and
   * after their rights have changed what these still show. `{"data":null}` and lists of ids show nothing anyway.
   */
  async #again(scope: Scope, entity: Entity, { returning }: WriteOptions, stored: Stored): Promise<WriteResult> {
    const { status, body, id, version } = stored;
    if (body === null || id === undefined) return result(status, body, id, version, true);
    const [now] =
      returning === 'minimal' || scope.rights.of(entity.name).read.length === 0
        ? []
        : await this.#database.batch(sessionOf(scope.principal), [oneStatement(scope, entity, returning ?? null, id)]);
    const row = now?.rows[0];
    if (!row) return result(status, '{"data":null}', id, undefined, true);
    if (stored.sameRights) return result(status, body, id, version, true);
    return result(status, `{"data":${row[0] ?? 'null'}}`, id, Number(row[1]), true);
  }

  async #attempts(
    scope: Scope,
    entity: Entity,
    options: WriteOptions,
    idempotency: Idempotency | undefined,
    job: Job,
  ): Promise<WriteResult> {
    const plan = job.plan();
    const id = job.id(plan);
    const fixed = job.fixed?.(plan);
    const answer = answerOf(scope, entity, options, idempotency, job, id, fixed);
    const statements = answer ? [...plan.statements, answer] : plan.statements;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const results = await this.#database.batch(sessionOf(scope.principal), statements);
        const warnings = warningsOf(results, scope, (record) => plan.pointers?.get(record));
        return warned(answered(scope, entity, options, job, id, fixed, results), warnings);
      } catch (error) {
        if (isRetryable(error) && attempt < 2) continue;
        const broken = ruleProblem(error, scope, (record) => plan.pointers?.get(record));
        if (broken) throw broken;
        const refusal = isDatabaseError(error) ? refusalOf(error) : null;
        if (!refusal) throw error;
        const problem = await plan.refused(refusal);
        if (problem !== 'again') throw problem;
        if (attempt >= TRIES)
          throw new Problem('forbidden', 'You may not do this with this record.', [], { cause: error });
      }
    }
  }
}

/** Warnings stand beside the data; what is answered without a body has none. */
function warned(answer: WriteResult, warnings: readonly Warning[]): WriteResult {
  if (warnings.length === 0 || answer.body === null) return answer;
  return { ...answer, body: `${answer.body.slice(0, -1)},"warnings":${JSON.stringify(warnings)}}` };
}

function createdIds(plan: Plan): readonly string[] {
  return 'ids' in plan && Array.isArray(plan.ids) ? plan.ids : [];
}

/** Where even that cannot be asked, what went wrong first is what is told. */
function unlessOurs(error: unknown): null {
  if (error instanceof Problem) throw error;
  return null;
}

function isKeyTaken(error: unknown): boolean {
  return isDatabaseError(error) && error.code === '23505' && error.constraint === KEY_CONSTRAINT;
}

/** The batch's last statement: stores the answer, gives it, or both. */
function answerOf(
  scope: Scope,
  entity: Entity,
  { returning }: WriteOptions,
  idempotency: Idempotency | undefined,
  job: Job,
  id: string | undefined,
  fixed: string | null | undefined,
): Statement | null {
  const representation =
    returning === 'minimal' || fixed !== undefined || id === undefined || scope.rights.of(entity.name).read.length === 0
      ? null
      : oneStatement(scope, entity, returning ?? null, id);
  if (!idempotency) return representation;
  const status = statusOf(job, returning);
  if (representation) return answerStatement(scope, idempotency, status, id, representation);
  const body = returning === 'minimal' ? null : (fixed ?? '{"data":null}');
  return keepStatement(scope, idempotency, status, { id, version: job.version, body });
}

/** Without a body, 200 is called 204. */
function statusOf({ status }: Job, returning: WriteOptions['returning']): number {
  return status === 200 && returning === 'minimal' ? 204 : status;
}

function answered(
  scope: Scope,
  entity: Entity,
  { returning }: WriteOptions,
  job: Job,
  id: string | undefined,
  fixed: string | null | undefined,
  results: readonly StatementResult[],
): WriteResult {
  if (returning === 'minimal')
    return result(statusOf(job, returning), null, id, job.version ?? changedVersion(results), false);
  if (fixed !== undefined) return result(job.status, fixed, undefined, undefined, false);
  const row = scope.rights.of(entity.name).read.length === 0 ? undefined : results.at(-1)?.rows[0];
  if (!row) return result(job.status, '{"data":null}', id, undefined, false);
  return result(job.status, `{"data":${row[0] ?? 'null'}}`, id, Number(row[1]), false);
}

/** The version that `changeStatement` answers; unknown when nothing was changed. */
function changedVersion(results: readonly StatementResult[]): number | undefined {
  for (const { rows } of results) {
    const [row] = rows;
    if (row?.[0] === 'changed' && row[1] != null) return Number(row[1]);
  }
  return undefined;
}

function result(
  status: number,
  body: string | null,
  id: string | undefined,
  version: number | undefined,
  replayed: boolean,
): WriteResult {
  return {
    status,
    body,
    ...(id === undefined ? {} : { id }),
    ...(version === undefined || Number.isNaN(version) ? {} : { version }),
    replayed,
  };
}
