/** Steps as rows of `armature.schema_step`, read and written by the owner. */
import type { ClientBase } from 'pg';
import type { Tenant } from '../../model/tenant.ts';
import { Problem } from '../../problem.ts';
import type { StepDraft, StepWork } from './work.ts';

export type StepState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** A step as people see it. */
export interface Step {
  readonly number: number;
  /** The release that asked for it. */
  readonly release: number;
  readonly kind: StepWork['kind'];
  readonly title: string;
  readonly why: string;
  readonly sql: readonly string[];
  readonly state: StepState;
  /** The release that wants it differently or not at all. */
  readonly supersededBy: number | null;
  readonly attempts: number;
  readonly error: string | null;
  /** Records it is done with, and how many there are about; `null` when it is not known. */
  readonly done: number;
  readonly total: number | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** A step as publishing and the runner need it. */
export interface StepRow {
  readonly number: number;
  readonly work: StepWork;
  readonly title: string;
  readonly state: StepState;
  readonly attempts: number;
  readonly backend: number | null;
  readonly after: string | null;
}

const ROW = 'number::float8 as number, work, title, state, attempts, backend, after::text as after';
const at = (column: string): string => `to_char(s.${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Every step whose object may not be as the stored state says.
 * @param lock against the runner's short transactions, until the end of this one
 */
export async function openSteps(client: ClientBase, tenant: Tenant, lock: boolean): Promise<readonly StepRow[]> {
  const { rows } = await client.query<StepRow>(
    `select ${ROW} from armature.schema_step where tenant_id = $1 and state <> 'done' and superseded_by is null order by number ${lock ? 'for update' : ''}`,
    [tenant.id],
  );
  return rows;
}

export async function addSteps(
  client: ClientBase,
  tenant: Tenant,
  release: number,
  drafts: readonly (StepDraft & { readonly total: number })[],
): Promise<void> {
  for (const { work, title, why, sql, total } of drafts) {
    await client.query(
      'insert into armature.schema_step (tenant_id, release, kind, work, title, why, sql, total) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [tenant.id, release, work.kind, JSON.stringify(work), title, why, sql, total],
    );
  }
}

/**
 * The step of a conversion ahead of a publish: a new one, or the one that was begun before a crash.
 * @returns `null` when another release has come
 */
export async function beginAhead(
  client: ClientBase,
  tenant: Tenant,
  release: number,
  step: Omit<StepDraft, 'change'> & { readonly total: number },
): Promise<StepRow | null> {
  const { rows: current } = await client.query<{ release: number }>(
    'select release from armature.tenant where id = $1',
    [tenant.id],
  );
  if (current[0]?.release !== release) return null;
  const { rows } = await client.query<{ number: number }>(
    `select number::float8 as number from armature.schema_step where tenant_id = $1 and state = 'running' and work = $2`,
    [tenant.id, JSON.stringify(step.work)],
  );
  if (!rows[0]) await addSteps(client, tenant, release + 1, [{ ...step, change: 'change_type' }]);
  const { rows: begun } = await client.query<StepRow>(
    `update armature.schema_step set state = 'running', attempts = attempts + 1, backend = pg_backend_pid(),
       started_at = coalesce(started_at, clock_timestamp())
     where tenant_id = $1 and work = $2 and state in ('waiting', 'running') returning ${ROW}`,
    [tenant.id, JSON.stringify(step.work)],
  );
  return begun[0] ?? null;
}

/** The publish has taken what was converted ahead for it. */
export async function finishAhead(client: ClientBase, tenant: Tenant, kept: readonly StepRow[]): Promise<void> {
  for (const step of kept) if (step.work.kind === 'convert') await finish(client, tenant.id, step, null);
}

/** Conversions whose publish died, if none is under way. */
export async function abandoned(client: ClientBase, tenantId: string): Promise<readonly StepRow[]> {
  const { rows } = await client.query<StepRow>(
    `select ${ROW} from armature.schema_step where tenant_id = $1 and kind = 'convert' and state <> 'done' and superseded_by is null`,
    [tenantId],
  );
  return rows;
}

/** @returns whether it is abandoned yet, with its row locked against a publish until the end of the transaction */
export async function holdAbandoned(client: ClientBase, tenantId: string, number: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from armature.schema_step where tenant_id = $1 and number = $2 and state <> 'done' and superseded_by is null for update`,
    [tenantId, number],
  );
  return rowCount === 1;
}

/** Nothing is left of it. */
export async function closeAbandoned(client: ClientBase, tenantId: string, number: number): Promise<void> {
  await client.query(
    `update armature.schema_step set state = case state when 'cancelled' then state else 'failed' end, backend = null, superseded_by = release,
       error = coalesce(error, 'The publish it was for was broken off.'), finished_at = clock_timestamp()
     where tenant_id = $1 and number = $2`,
    [tenantId, number],
  );
}

export async function supersede(
  client: ClientBase,
  tenant: Tenant,
  release: number,
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return;
  await client.query(
    `update armature.schema_step set state = 'cancelled', superseded_by = $3, finished_at = clock_timestamp(), backend = null
     where tenant_id = $1 and number = any($2)`,
    [tenant.id, numbers, release],
  );
}

/** Newest first. An index under construction tells how far it is. */
export async function listSteps(client: ClientBase, tenant: Tenant, limit: number): Promise<readonly Step[]> {
  const { rows } = await client.query<Step>(
    `select s.number::float8 as number, s.release, s.kind, s.title, s.why, s.sql, s.state, s.superseded_by as "supersededBy", s.attempts, s.error,
       greatest(s.done, coalesce(p.tuples_done, 0))::float8 as done, s.total::float8 as total,
       ${at('created_at')} as "createdAt", ${at('started_at')} as "startedAt", ${at('finished_at')} as "finishedAt"
     from armature.schema_step s left join pg_stat_progress_create_index p on p.pid = s.backend and s.state = 'running'
     where s.tenant_id = $1 order by s.number desc limit $2`,
    [tenant.id, limit],
  );
  return rows;
}

/** The next one to be worked off: those under way were left by a runner that died, or are this runner's own. */
export async function nextStep(client: ClientBase, tenantId: string, after: number): Promise<StepRow | null> {
  const { rows } = await client.query<StepRow>(
    `select ${ROW} from armature.schema_step where tenant_id = $1 and state in ('waiting', 'running') and kind <> 'convert' and number > $2 order by number limit 1`,
    [tenantId, after],
  );
  return rows[0] ?? null;
}

/** @returns the row as this attempt has it; `null` when somebody took it back meanwhile */
export async function begin(client: ClientBase, tenantId: string, number: number): Promise<StepRow | null> {
  const { rows } = await client.query<StepRow>(
    `update armature.schema_step set state = 'running', attempts = attempts + 1, backend = pg_backend_pid(), error = null,
       started_at = coalesce(started_at, clock_timestamp()), finished_at = null
     where tenant_id = $1 and number = $2 and state in ('waiting', 'running') returning ${ROW}`,
    [tenantId, number],
  );
  return rows[0] ?? null;
}

/** Whether it is still this attempt's, with the row locked against a publish until the end of the transaction. */
export async function hold(client: ClientBase, tenantId: string, step: StepRow): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from armature.schema_step where tenant_id = $1 and number = $2 and state = 'running' and attempts = $3 for update`,
    [tenantId, step.number, step.attempts],
  );
  return rowCount === 1;
}

/** @returns false when it is no longer this attempt's */
export async function finish(
  client: ClientBase,
  tenantId: string,
  step: StepRow,
  error: string | null,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update armature.schema_step set state = $4, error = $5, backend = null, finished_at = clock_timestamp(),
       done = case when $5::text is null then greatest(done, coalesce(total, 0)) else done end
     where tenant_id = $1 and number = $2 and state = 'running' and attempts = $3`,
    [tenantId, step.number, step.attempts, error === null ? 'done' : 'failed', error],
  );
  return rowCount === 1;
}

export async function progress(
  client: ClientBase,
  tenantId: string,
  step: StepRow,
  done: number,
  after: string | null,
): Promise<void> {
  await client.query('update armature.schema_step set done = $3, after = $4 where tenant_id = $1 and number = $2', [
    tenantId,
    step.number,
    done,
    after,
  ]);
}

/**
 * Takes a step back, or gives one that failed or was cancelled another chance.
 * @throws Problem `not_found`; `conflict` for a step that is done or superseded
 */
export async function setStep(
  client: ClientBase,
  tenant: Tenant,
  number: number,
  to: 'waiting' | 'cancelled',
): Promise<number | null> {
  const { rows } = await client.query<{ state: StepState; superseded_by: number | null; backend: number | null }>(
    'select state, superseded_by, backend from armature.schema_step where tenant_id = $1 and number = $2 for update',
    [tenant.id, number],
  );
  const [row] = rows;
  if (!row) throw new Problem('not_found', 'There is no step with this number.');
  const possible: readonly StepState[] = to === 'waiting' ? ['failed', 'cancelled'] : ['waiting', 'running', 'failed'];
  if (row.superseded_by !== null || !possible.includes(row.state)) {
    const why = row.superseded_by === null ? row.state : `superseded by release ${row.superseded_by}`;
    throw new Problem('conflict', `The step is ${why}.`);
  }
  await client.query(
    `update armature.schema_step set state = $3, backend = null, error = null, after = null, done = 0,
       finished_at = case when $3 = 'cancelled' then clock_timestamp() end
     where tenant_id = $1 and number = $2`,
    [tenant.id, number, to],
  );
  return row.state === 'running' ? row.backend : null;
}

/** Stops what a step is doing at this moment; what it has done in batches stays. */
export async function interrupt(client: ClientBase, backends: readonly number[]): Promise<void> {
  if (backends.length === 0) return;
  // The name is set while a step runs: a process of the operating system that has the number now is left alone.
  await client.query(
    'select pg_cancel_backend(pid) from pg_stat_activity where pid = any($1) and application_name = $2',
    [backends, RUNNING_AS],
  );
}

/** `application_name` of a connection while it works on a step. */
export const RUNNING_AS = 'armature step';

/** Publishing needs the tables: these begin anew after it. */
export async function pause(client: ClientBase, tenant: Tenant, numbers: readonly number[]): Promise<void> {
  await client.query(
    `update armature.schema_step set state = 'waiting', backend = null where tenant_id = $1 and number = any($2) and state = 'running'`,
    [tenant.id, numbers],
  );
}

/** Keys of the organisations with steps to work off. */
export async function tenantsWithSteps(client: ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ key: string }>(
    `select distinct t.key from armature.schema_step s join armature.tenant t on t.id = s.tenant_id where s.state in ('waiting', 'running')`,
  );
  return rows.map(({ key }) => key);
}
