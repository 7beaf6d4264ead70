/** Every hour: partitions of the months to come, and the end of those that are over. */
import type { PoolClient } from 'pg';
import type { Database } from '../db/database.ts';
import { LOCK_TIMEOUT } from './deferred/performance.ts';
import { dividedTables, dropOldest, makePartitions } from './partitions.ts';
import { tryPublishLock } from './publish-lock.ts';
import { loadState, loadTenant } from './release-store.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import type { DesiredState, TableState } from './state.ts';

export interface KeptPartitions {
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}

/**
 * A publish that is under way makes the partitions of its tables itself; what was not done is done the next time.
 * @param now milliseconds since the epoch
 * @throws AggregateError when tables could not be had in time; all the others are done
 */
export async function keepPartitions(
  database: Database,
  now: number,
  options: RetryOptions = {},
): Promise<KeptPartitions> {
  const made: string[] = [];
  const dropped: string[] = [];
  const failed: unknown[] = [];
  for (const { key, table } of await divided(database)) {
    const one = <T>(work: Work<T>) =>
      withRetries(() => database.ownerTransaction((client) => locked(client, key, table, work)), options);
    try {
      made.push(...((await one(({ client, state, current }) => makePartitions(client, state, current, now))) ?? []));
      for (;;) {
        const name = await one(({ client, tenantId, state, current }) =>
          dropOldest(client, tenantId, state, current, now),
        );
        if (name === null) break;
        dropped.push(name);
      }
    } catch (error) {
      // Somebody's long report is in the way of their own table, not of everybody's.
      failed.push(error);
    }
  }
  if (failed.length > 0)
    throw new AggregateError(failed, `${failed.length} divided tables were left for the next time`);
  return { made, dropped };
}

/** Table ids by organisation, found without reading every state in full. */
async function divided(database: Database): Promise<readonly { readonly key: string; readonly table: string }[]> {
  return database.asOwner(async (client) => {
    const { rows } = await client.query<{ key: string; table: string }>(
      `select t.key, e.key as table from armature.tenant_state s join armature.tenant t on t.id = s.tenant_id
       cross join lateral jsonb_each(s.state -> 'tables') e(key, value)
       where e.value ? 'partition' and (e.value ->> 'aside') = 'false'`,
    );
    return rows;
  });
}

type Work<T> = (parts: {
  readonly client: PoolClient;
  readonly tenantId: string;
  readonly state: DesiredState;
  readonly current: TableState;
}) => Promise<T>;

async function locked<T>(client: PoolClient, tenantKey: string, table: string, work: Work<T>): Promise<T | null> {
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}; set local search_path = pg_catalog, pg_temp`);
  if (!(await tryPublishLock(client, tenantKey))) return null;
  const { tenant } = await loadTenant(client, tenantKey);
  const state = await loadState(client, tenant);
  const current = state && dividedTables(state).find(({ id }) => id === table);
  return state && current ? work({ client, tenantId: tenant.id, state, current }) : null;
}
