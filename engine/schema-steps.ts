/** The steps that publishes and upgrades of the engine leave for afterwards, worked off by the one job runner. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Clock, IdSource } from './clock.ts';
import type { Database } from './db/database.ts';
import { Interrupted } from './jobs/interrupted.ts';
import type { Jobs } from './jobs/jobs.ts';
import { enqueueStatement } from './jobs/queue.ts';
import { Problem } from './problem.ts';
import { keepPartitions } from './schema/keep-partitions.ts';
import type { StepRunner } from './schema/deferred/runner.ts';
import { tenantsWithSetAside } from './schema/deferred/retention.ts';
import { tenantsWithSteps } from './schema/deferred/store.ts';
import { engineMark } from './schema/engine-mark.ts';
import type { Publisher } from './schema/publish.ts';
import { madeByAnother } from './schema/release-store.ts';
import type { Steps } from './schema/deferred/steps.ts';

/** Milliseconds before it looks again whether another process is done. */
const BUSY = 1000;

/** Puts the job into the publish's own transaction. */
export function queueSteps(ids: IdSource): (client: PoolClient, tenantKey: string) => Promise<void> {
  return async (client, tenantKey) => {
    const { text, values } = enqueueStatement({
      queue: 'schema',
      id: ids.uuid(),
      name: 'steps',
      data: { tenant: tenantKey },
      attempts: 10,
    });
    await client.query(text, [...values]);
  };
}

interface Working {
  readonly database: Database;
  readonly ids: IdSource;
  readonly stepRunner: StepRunner;
  readonly publisher: Pick<Publisher, 'renew'>;
}

/** Registers the processor, and takes up what was left when no process was there. */
export async function workOffSteps(jobs: Jobs, { database, ids, stepRunner, publisher }: Working): Promise<void> {
  const mark = await engineMark();
  jobs.process(
    'schema',
    async (data, { signal }) => {
      const tenant = tenantOf(data);
      const engine = engineIn(data);
      // A server of the version before that has not been stopped yet would take it back.
      if (engine !== null && engine !== mark)
        throw new Problem('unavailable', 'Schemas are brought up to date by servers of the newer version.');
      if (engine !== null) await publisher.renew(tenant);
      try {
        while ((await stepRunner.drain(tenant, signal)) !== 'done') await delay(BUSY, undefined, { signal });
      } catch (error) {
        if (signal.aborted) throw new Interrupted();
        throw error;
      }
    },
    // An index of one organisation may take an hour.
    { concurrency: 3 },
  );
  await queueOpenSteps(database, ids);
  await queueRenewals(database, ids, mark);
}

/** For every organisation whose schema another engine has made; a second job finds nothing to do. */
async function queueRenewals(database: Database, ids: IdSource, engine: string): Promise<void> {
  await database.ownerTransaction(async (client) => {
    for (const tenant of await madeByAnother(client)) {
      const data = { tenant, engine };
      const { text, values } = enqueueStatement({ queue: 'schema', id: ids.uuid(), name: 'renew', data, attempts: 10 });
      await client.query(text, [...values]);
    }
  });
}

/** Every hour: what was set aside long enough is purged, and steps that nobody works off are taken up again. */
export async function keepSchemas(
  {
    database,
    ids,
    steps,
    clock,
  }: Pick<Working, 'database' | 'ids'> & {
    readonly steps: Steps;
    readonly clock: Clock;
  },
  keepAsideDays: number,
): Promise<void> {
  if (keepAsideDays > 0) {
    const due = await database.asOwner((client) => tenantsWithSetAside(client, keepAsideDays));
    for (const tenant of due) await steps.purge(tenant, keepAsideDays);
  }
  try {
    await keepPartitions(database, clock.now());
  } finally {
    await queueOpenSteps(database, ids);
  }
}

/** For every organisation with steps to work off: a second job finds nothing to do. */
export async function queueOpenSteps(database: Database, ids: IdSource): Promise<void> {
  const queue = queueSteps(ids);
  await database.ownerTransaction(async (client) => {
    for (const tenant of await tenantsWithSteps(client)) await queue(client, tenant);
  });
}

function engineIn(data: unknown): string | null {
  return typeof data === 'object' && data !== null && 'engine' in data && typeof data.engine === 'string'
    ? data.engine
    : null;
}

function tenantOf(data: unknown): string {
  const tenant = typeof data === 'object' && data !== null && 'tenant' in data ? data.tenant : null;
  if (typeof tenant !== 'string') throw new TypeError('a job of steps names its tenant');
  return tenant;
}
