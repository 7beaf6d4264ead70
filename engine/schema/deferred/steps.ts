/** What publishes left for afterwards, as administrators see it and take part in it. */
import type { PoolClient } from 'pg';
import type { Database } from '../../db/database.ts';
import { problemOf } from '../../db/database-error.ts';
import { loadState, loadTenant } from '../release-store.ts';
import { type RetryOptions, withRetries } from '../retry.ts';
import { LOCK_TIMEOUT } from './performance.ts';
import { askForPurge, listSetAside, type SetAside } from './retention.ts';
import { interrupt, listSteps, setStep, type Step } from './store.ts';

export interface StepsOptions extends RetryOptions {
  readonly database: Database;
  /** Sees to it that steps are worked off; part of the transaction that leaves them. */
  readonly queueSteps?: (client: PoolClient, tenantKey: string) => Promise<void>;
}

export class Steps {
  readonly #options: StepsOptions;

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  /** Newest first, those that are done among them. @throws Problem `not_found` */
  async list(tenantKey: string, limit = 200): Promise<readonly Step[]> {
    return this.#owner(async (client) => listSteps(client, (await loadTenant(client, tenantKey)).tenant, limit));
  }

  /**
   * Takes a step back; what it has done so far stays until the next publish, which proposes the rest anew.
   * @throws Problem `not_found`; `conflict` for a step that is done or superseded
   */
  async cancel(tenantKey: string, number: number): Promise<void> {
    await this.#set(tenantKey, number, 'cancelled');
  }

  /**
   * Gives a step that failed or was cancelled another chance.
   * @throws Problem as {@link cancel}
   */
  async retry(tenantKey: string, number: number): Promise<void> {
    await this.#set(tenantKey, number, 'waiting');
  }

  /** What was set aside at least so many days ago, oldest first. */
  async setAside(tenantKey: string, days: number): Promise<readonly SetAside[]> {
    return this.#owner(async (client) => listSetAside(client, (await loadTenant(client, tenantKey)).tenant, days));
  }

  /** Leaves the purge of what was set aside so long ago to be worked off. @returns how many steps that makes */
  async purge(tenantKey: string, days: number): Promise<number> {
    return this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      const state = await loadState(client, tenant);
      const count = state ? await askForPurge(client, tenant, release, state, days) : 0;
      if (count > 0) await this.#options.queueSteps?.(client, tenantKey);
      return count;
    });
  }

  async #set(tenantKey: string, number: number, to: 'waiting' | 'cancelled'): Promise<void> {
    await withRetries(
      () =>
        this.#owner(async (client) => {
          await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}`);
          const { tenant } = await loadTenant(client, tenantKey);
          const backend = await setStep(client, tenant, number, to);
          if (backend !== null) await interrupt(client, [backend]);
          if (to === 'waiting') await this.#options.queueSteps?.(client, tenantKey);
        }),
      this.#options,
    ).catch((error: unknown) => {
      throw problemOf(error);
    });
  }

  async #owner<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#options.database.ownerTransaction(work);
  }
}
