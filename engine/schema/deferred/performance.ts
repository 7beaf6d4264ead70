/** What a step under way has at hand, and how it ends early. */
import type { PoolClient } from 'pg';
import type { DesiredState } from '../state.ts';
import { hold, type StepRow } from './store.ts';

/** Milliseconds a step waits for a lock. Others queue behind it for as long. */
export const LOCK_TIMEOUT = 100;

/** Rows filled in one transaction: their locks are held for some tens of milliseconds. */
export const BATCH = 1000;

/** The rows do not allow it; a sentence for people, with their number. */
export class StepRefused extends Error {
  override readonly name = 'StepRefused';
}

/** Somebody took the step back, or a release came in between: look again. */
export class StepMoved extends Error {
  override readonly name = 'StepMoved';
}

export interface Performance {
  readonly client: PoolClient;
  readonly tenantId: string;
  /** Takes part in the tenant's publishes: the purge changes the stored state. */
  readonly tenantKey: string;
  readonly step: StepRow;
  /** The stored state, as of now. */
  readonly state: () => Promise<DesiredState>;
  /** Throws when the process is asked to stop. */
  readonly checkpoint: () => void;
}

/**
 * Before a statement that may wait for long: who took the step back a moment ago could not interrupt it yet.
 * @throws StepMoved
 */
export async function requireOurs({ client, tenantId, step }: Performance): Promise<void> {
  const { rowCount } = await client.query(
    `select from armature.schema_step where tenant_id = $1 and number = $2 and state = 'running' and attempts = $3`,
    [tenantId, step.number, step.attempts],
  );
  if (rowCount !== 1) throw new StepMoved();
}

/** One transaction as long as the step is this attempt's: a publish that came first makes it look again. */
export async function within<T>(performance: Performance, work: (state: DesiredState) => Promise<T>): Promise<T> {
  const { client, tenantId, step } = performance;
  await client.query('begin');
  try {
    if (!(await hold(client, tenantId, step))) throw new StepMoved();
    const result = await work(await performance.state());
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
