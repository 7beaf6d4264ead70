/**
 * How a write is sent and answered: once more after a deadlock, with the stored answer when the request was made
 * before, and a refusal told in words. A write of single records is one batch ({@link runOne}); one that must look before
 * it writes is a transaction ({@link runMany}).
 */
import type { Transaction } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { isDatabaseError, problemOf } from '#engine/db/database-error.ts';
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Sender } from '#engine/db/sender.ts';
import { Inside, rehearsing } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import type { Selection } from '../query/query.ts';
import { oneStatement, showsWhole } from '../read/one-statement.ts';
import type { Scope } from '../scope.ts';
import { isRetryable, writeProblem } from './database-problem.ts';
import { ownerProblem } from './assign.ts';
import { fillProblem } from './fills.ts';
import type { Idempotency, Stored } from './idempotency.ts';
import { answerStatement, keepStatement, KEY_CONSTRAINT, storedAnswer } from './idempotency.ts';
import type { Plan, Refusal } from './plan.ts';
import { refusalOf } from './plan.ts';
import type { Warning } from './rules.ts';
import { ruleProblem, warningsOf } from './rules.ts';

export interface WriteOptions {
  readonly idempotency?: Idempotency | undefined;
  /** What the answer shows of the record: a selection, every readable field (`null`, the default), or nothing. */
  readonly returning?: Selection | null | 'minimal' | undefined;
  /** Everything is done, checked and answered as ever, and nothing of it is kept. */
  readonly dryRun?: boolean | undefined;
  /** JSON fields are merged into, as RFC 7396 says, and not replaced: see `merge-patch.ts`. */
  readonly mergePatch?: boolean | undefined;
  /** Waited for when the write is known to be well-formed, before anything of it is sent. It throws to refuse it. */
  readonly ready?: (() => Promise<void>) | undefined;
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

/** What is to be written and answered, when it is one plan. */
export interface OneJob {
  readonly plan: () => Plan;
  readonly status: number;
  /** The record the answer is about; `null` for many. */
  readonly id: (plan: Plan) => string | undefined;
  /** The answer, where it is not a record. */
  readonly fixed?: (plan: Plan) => string | null;
  /** Version after the write, where no statement has to tell it. */
  readonly version?: number;
}

/** A write that decides between its statements. Made anew for every try. */
export interface ManyJob {
  /** @returns the answer's body, finished JSON text */
  work(transaction: Transaction): Promise<string>;
  /**
   * As {@link Plan.refused}; asked after everything was undone. `unexplained`: nothing speaks against it, and nothing
   * has changed either.
   */
  refused(refusal: Refusal): Promise<Problem | 'again' | 'unexplained'>;
  /** As {@link Plan.told}; asked when the work is done. */
  told?(): readonly Warning[];
  /** Where a record stands in the request, by its id. */
  pointerOf?(record: string): string | undefined;
  /** Whether an error means that somebody else was faster, and the next try will see what they did. */
  overtaken?(error: unknown): boolean;
}

/** Tries of a write that was refused and against which nothing speaks when looked at again. */
const TRIES = 3;
/** Tries of a write that looks first: each time somebody else was faster, and each time somebody was done. */
const MANY_TRIES = 6;

/** Where it runs, and which key it has. A rehearsal has none: it must neither use one up nor answer with what was done. */
function placed(sender: Sender, scope: Scope, { dryRun, idempotency }: WriteOptions): [Sender, Idempotency | null] {
  if (dryRun === true) return [rehearsing(sender), null];
  // Service principals have no keys of their own: they retry by their jobs' ids.
  return [sender, scope.principal.userId === null ? null : (idempotency ?? null)];
}

export async function runOne(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  options: WriteOptions,
  job: OneJob,
): Promise<WriteResult> {
  const [place, idempotency] = placed(sender, scope, options);
  return orStored(sender, scope, entity, options, idempotency, () =>
    attempts(place, scope, entity, options, idempotency, job),
  );
}

/** @param status of a success */
export async function runMany(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  options: WriteOptions,
  status: number,
  make: () => ManyJob,
): Promise<WriteResult> {
  const [place, idempotency] = placed(sender, scope, options);
  const shown = (body: string): string | null => (options.returning === 'minimal' ? null : body);
  const code = options.returning === 'minimal' ? 204 : status;
  return orStored(sender, scope, entity, options, idempotency, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const job = make();
      if (options.ready && attempt === 1) await options.ready();
      const pointerOf = (record: string) => job.pointerOf?.(record);
      const results: StatementResult[] = [];
      try {
        const body = await place.transaction(sessionOf(scope.principal), async (transaction) => {
          results.length = 0;
          const send: Transaction['send'] = async (...statements) => {
            const sent = await transaction.send(...statements);
            results.push(...sent);
            return sent;
          };
          const text = shown(await job.work({ send }));
          if (idempotency) await transaction.send(keepStatement(scope, idempotency, code, { body: text }));
          return text;
        });
        const warnings = [...warningsOf(results, scope, pointerOf), ...(job.told?.() ?? [])];
        return warned(result(code, body, undefined, undefined, false), warnings);
      } catch (error) {
        const broken = ruleProblem(error, scope, pointerOf);
        if (broken) throw broken;
        if (attempt < MANY_TRIES && job.overtaken?.(error) === true) continue;
        if (isRetryable(error) && attempt < TRIES) continue;
        const refusal = isDatabaseError(error) ? refusalOf(error) : null;
        if (!refusal) throw error;
        const known = fillProblem(scope, refusal, pointerOf) ?? ownerProblem(refusal, pointerOf);
        if (known) throw known;
        const problem = await job.refused(refusal);
        if (problem instanceof Problem) throw problem;
        if (problem === 'unexplained' && attempt >= TRIES)
          throw new Problem('forbidden', 'You may not do this with these records.', [], { cause: error });
        if (attempt >= MANY_TRIES)
          throw new Problem('unavailable', 'Others keep changing these records; try again.', [], { cause: error });
      }
    }
  });
}

/**
 * Several writes and reads as one transaction, whose answer is stored with them.
 * @param work gets a way into the transaction
 * @returns what `work` gave, or what it gave the first time this was asked
 */
export async function runTogether(
  sender: Sender,
  scope: Scope,
  options: Pick<WriteOptions, 'idempotency' | 'dryRun'>,
  work: (inside: Sender) => Promise<string>,
): Promise<{ readonly text: string; readonly replayed: boolean; readonly sameRights: boolean }> {
  const [place, idempotency] = placed(sender, scope, options);
  const session = sessionOf(scope.principal);
  const attempt = () =>
    place.transaction(session, async (transaction) => {
      const text = await work(new Inside(session, transaction));
      if (idempotency) await transaction.send(keepStatement(scope, idempotency, 200, { body: text }));
      return text;
    });
  try {
    const text = await attempt().catch((error: unknown) => {
      // What a part has said of a deadlock has its reason as the cause.
      if (isRetryable(error) || (error instanceof Problem && isRetryable(error.cause))) return attempt();
      throw error;
    });
    return { text, replayed: false, sameRights: true };
  } catch (error) {
    const stored = idempotency && (await storedAnswer(sender, scope, idempotency).catch(unlessOurs));
    if (stored) return { text: stored.body ?? '', replayed: true, sameRights: stored.sameRights };
    throw isKeyTaken(error) ? inProgress(error) : problemOf(error);
  }
}

function inProgress(cause: unknown): Problem {
  return new Problem('request_in_progress', 'The same request is still being processed.', [], { cause });
}

/** Whatever went wrong this time: when the request was made before, its answer stands. */
async function orStored(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  options: WriteOptions,
  idempotency: Idempotency | null,
  write: () => Promise<WriteResult>,
): Promise<WriteResult> {
  try {
    return await write();
  } catch (error) {
    const stored = idempotency && (await storedAnswer(sender, scope, idempotency).catch(unlessOurs));
    if (stored)
      return await again(sender, scope, entity, options, stored).catch((second: unknown) => {
        throw writeProblem(second, scope, entity);
      });
    if (isKeyTaken(error)) throw inProgress(error);
    throw error instanceof Problem ? error : writeProblem(error, scope, entity);
  }
}

/**
 * The stored answer, as far as the principal may see it now: of a record that is out of their sight nothing, and
 * after their rights have changed, or where they see some of its fields at times, what is shown now. `{"data":null}` and
 * lists of ids show nothing anyway.
 */
async function again(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  { returning }: WriteOptions,
  stored: Stored,
): Promise<WriteResult> {
  const { status, body, id, version } = stored;
  if (body === null || id === undefined) return result(status, body, id, version, true);
  const selection = returning === 'minimal' ? null : (returning ?? null);
  const [now] =
    returning === 'minimal' || scope.rights.of(entity.name).read.length === 0
      ? []
      : await sender.batch(sessionOf(scope.principal), [oneStatement(scope, entity, selection, id)]);
  const row = now?.rows[0];
  if (!row) return result(status, '{"data":null}', id, undefined, true);
  if (stored.sameRights && showsWhole(scope, entity, selection)) return result(status, body, id, version, true);
  return result(status, `{"data":${row[0] ?? 'null'}}`, id, Number(row[1]), true);
}

async function attempts(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  options: WriteOptions,
  idempotency: Idempotency | null,
  job: OneJob,
): Promise<WriteResult> {
  const plan = job.plan();
  if (options.ready) await options.ready();
  const id = job.id(plan);
  const fixed = job.fixed?.(plan);
  const answer = answerOf(scope, entity, options, idempotency, job, id, fixed);
  const statements = answer ? [...plan.statements, answer] : plan.statements;
  const pointerOf = (record: string) => plan.pointers?.get(record);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const results = await sender.batch(sessionOf(scope.principal), statements);
      const warnings = [...warningsOf(results, scope, pointerOf), ...(plan.told?.(results) ?? [])];
      return warned(answered(scope, entity, options, job, id, fixed, results), warnings);
    } catch (error) {
      if (isRetryable(error) && attempt < 2) continue;
      const broken = ruleProblem(error, scope, pointerOf);
      if (broken) throw broken;
      const refusal = isDatabaseError(error) ? refusalOf(error) : null;
      if (!refusal) throw error;
      const known = fillProblem(scope, refusal, pointerOf) ?? ownerProblem(refusal, pointerOf);
      if (known) throw known;
      const problem = await plan.refused(refusal);
      if (problem !== 'again') throw problem;
      if (attempt >= TRIES)
        throw new Problem('forbidden', 'You may not do this with this record.', [], { cause: error });
    }
  }
}

/** Warnings stand beside the data; what is answered without a body has none. */
function warned(answer: WriteResult, warnings: readonly Warning[]): WriteResult {
  if (warnings.length === 0 || answer.body === null) return answer;
  return { ...answer, body: `${answer.body.slice(0, -1)},"warnings":${JSON.stringify(warnings)}}` };
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
  idempotency: Idempotency | null,
  job: OneJob,
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
function statusOf({ status }: OneJob, returning: WriteOptions['returning']): number {
  return status === 200 && returning === 'minimal' ? 204 : status;
}

function answered(
  scope: Scope,
  entity: Entity,
  { returning }: WriteOptions,
  job: OneJob,
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
