/**
 * Works off the steps that publishes left for afterwards: one runner for each tenant, whatever number of processes there
 * is. A step that a dead runner left under way is begun anew.
 */
import type { PoolClient } from 'pg';
import { isConnectionLost } from '../../db/connection.ts';
import type { Database } from '../../db/database.ts';
import { isDatabaseError } from '../../db/database-error.ts';
import { clearAbandoned } from '../convert/ahead.ts';
import { releaseRunnerLock, tryRunnerLock } from '../publish-lock.ts';
import { loadState, loadTenant } from '../release-store.ts';
import { isLockConflict } from '../retry.ts';
import type { DesiredState } from '../state.ts';
import { perform, tidy } from './perform.ts';
import { LOCK_TIMEOUT, type Performance, StepMoved, StepRefused } from './performance.ts';
import { begin, finish, nextStep, RUNNING_AS, type StepRow } from './store.ts';

export interface RunnerOptions {
  readonly database: Database;
  /** Told what went wrong and is no fault of the records. */
  readonly onError?: (error: unknown, step: StepRow) => void;
  /** Milliseconds before a step tries again that met somebody's lock, doubled up to five seconds (default 100). */
  readonly pause?: number;
  /** Milliseconds after which a step that meets locks all the time is left for the next run (default 120,000). */
  readonly patience?: number;
}

/** How a run ended. `busy`: another runner is at it. `blocked`: locks were not to be had; run it again. */
export type Drained = 'done' | 'busy' | 'blocked';

export class StepRunner {
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /**
   * Works off everything that waits. Steps that fail do not stop those after them.
   * @param signal asks to stop after the batch under way
   * @throws Problem `not_found`; what the connection says when it is lost, and the reason of `signal`
   */
  async drain(tenantKey: string, signal?: AbortSignal): Promise<Drained> {
    return this.#options.database.asOwner(async (client) => {
      if (!(await tryRunnerLock(client, tenantKey))) return 'busy';
      try {
        const { tenant } = await loadTenant(client, tenantKey);
        await client.query(
          `set lock_timeout = ${LOCK_TIMEOUT}; set search_path = pg_catalog, pg_temp; set application_name = '${RUNNING_AS}'`,
        );
        await clearAbandoned(client, tenant);
        return await this.#work(client, tenant.id, tenantKey, signal);
      } finally {
        // A connection that is lost has released it.
        await client.query('reset lock_timeout; reset search_path; reset application_name').catch(() => {});
        await releaseRunnerLock(client, tenantKey).catch(() => {});
      }
    });
  }

  async #work(client: PoolClient, tenantId: string, tenantKey: string, signal?: AbortSignal): Promise<Drained> {
    let drained: Drained = 'done';
    let last = 0;
    for (;;) {
      signal?.throwIfAborted();
      const next = await nextStep(client, tenantId, last);
      if (!next) return drained;
      if (!(await this.#step(client, tenantId, tenantKey, next, signal))) drained = 'blocked';
      last = next.number;
    }
  }

  /** @returns false when it has to be tried again later */
  async #step(
    client: PoolClient,
    tenantId: string,
    tenantKey: string,
    next: StepRow,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { number } = next;
    const { pause: first = 100, patience = 120_000 } = this.#options;
    const end = performance.now() + patience;
    for (let pause = first; ; pause = Math.min(pause * 2, 5000)) {
      try {
        const step = await begin(client, tenantId, number);
        if (!step) {
          await tidy(client, tenantId, next);
          return true;
        }
        await perform(this.#performance(client, tenantId, tenantKey, step, signal));
        if (await finish(client, tenantId, step, null)) return true;
      } catch (error) {
        if (isConnectionLost(error) || signal?.aborted) throw error;
        if (!isTransient(error)) return this.#fail(client, tenantId, number, error);
      }
      const wait = pause * (0.5 + Math.random() / 2);
      if (performance.now() + wait > end) return false;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #fail(client: PoolClient, tenantId: string, number: number, error: unknown): Promise<true> {
    const { rows } = await client.query<StepRow>(
      'select number::float8 as number, work, title, state, attempts, backend, after::text as after from armature.schema_step where tenant_id = $1 and number = $2',
      [tenantId, number],
    );
    const [step] = rows;
    if (!step) return true;
    const refused = error instanceof StepRefused;
    if (!refused) this.#options.onError?.(error, step);
    await finish(client, tenantId, step, refused ? error.message : 'Something went wrong on our side. It was logged.');
    return true;
  }

  #performance(
    client: PoolClient,
    tenantId: string,
    tenantKey: string,
    step: StepRow,
    signal?: AbortSignal,
  ): Performance {
    let known: { readonly release: number; readonly state: DesiredState } | null = null;
    return {
      client,
      tenantId,
      tenantKey,
      step,
      state: async () => {
        const { rows } = await client.query<{ release: number }>(
          'select release from armature.tenant_state where tenant_id = $1',
          [tenantId],
        );
        const release = rows[0]?.release ?? 0;
        if (known?.release === release) return known.state;
        const state = await loadState(client, { id: tenantId });
        if (!state) throw new StepMoved();
        known = { release, state };
        return state;
      },
      checkpoint: () => signal?.throwIfAborted(),
    };
  }
}

/** Names of things that a publish has renamed or taken away since the state was read; cancelled on its behalf. */
const OVERTAKEN: ReadonlySet<string> = new Set(['42P01', '42703', '42704', '42P07', '57014']);

function isTransient(error: unknown): boolean {
  return error instanceof StepMoved || isLockConflict(error) || (isDatabaseError(error) && OVERTAKEN.has(error.code));
}
