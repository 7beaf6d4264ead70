/** The one transaction of a publish. */
import type { PoolClient } from 'pg';
import { type Clock, systemClock } from '../clock.ts';
import { quote } from '../db/identifiers.ts';
import type { Tenant } from '../model/tenant.ts';
import { Problem } from '../problem.ts';
import { registerRoles, runChanges } from './apply.ts';
import type { Change } from './change.ts';
import type { OnFails } from './convert/conversions.ts';
import { converting, requireConverted } from './convert/publishing.ts';
import { addSteps, finishAhead, interrupt, pause, type StepRow, supersede } from './deferred/store.ts';
import { dividedTables, makePartitions } from './partitions.ts';
import { type MakeSource, prepare, type PrepareOptions } from './prepare.ts';
import { tryPublishLock } from './publish-lock.ts';
import { loadTenant, type Release, saveRelease } from './release-store.ts';

/** Milliseconds DDL may wait for a lock: everybody else waits behind it for as long, and for what it does then. */
const LOCK_TIMEOUT = 50;

export interface PublishOrder {
  readonly base: number;
  readonly author: string;
  readonly message: string;
  readonly onFail?: OnFails | undefined;
}

export interface TransactionOptions {
  readonly clock?: Clock;
  readonly queueSteps?: (client: PoolClient, tenantKey: string) => Promise<void>;
}

/**
 * Everything of a publish, or nothing.
 * @throws NeedsConversion when values of a large table have to be made ready first
 */
export async function publishIn(
  client: PoolClient,
  tenantKey: string,
  input: PublishOrder,
  make: MakeSource,
  options: PrepareOptions & TransactionOptions,
): Promise<Release> {
  const { ready = [] } = options;
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}; set local search_path = pg_catalog, pg_temp`);
  if (!(await tryPublishLock(client, tenantKey)))
    throw new Problem('publish_in_progress', 'Somebody is publishing right now. Try again when they are done.');
  // Read with the lock held: whoever had it before has committed.
  const { tenant, release } = await loadTenant(client, tenantKey);
  requireBase(input.base, release);
  const prepared = await prepare(client, tenant, release, make, {
    ...options,
    onFail: input.onFail,
    publishing: true,
  });
  await requireConverted(client, prepared, ready);
  if (prepared.before === null) await client.query(`create schema ${quote(prepared.state.schema)}`);
  await makeWay(client, tenant, prepared.kept, prepared.changes);
  await runChanges(client, prepared.changes, converting(client, prepared, ready));
  for (const table of dividedTables(prepared.state))
    await makePartitions(client, prepared.state, table, (options.clock ?? systemClock).now());
  await registerRoles(client, tenant, prepared.before, prepared.state, prepared.administrators);
  await supersede(
    client,
    tenant,
    release + 1,
    prepared.superseded.map(({ number }) => number),
  );
  await finishAhead(client, tenant, prepared.kept);
  await addSteps(client, tenant, release + 1, prepared.drafts);
  const paused = prepared.kept.filter(({ state, work }) => state === 'running' && work.kind !== 'convert');
  const waiting = prepared.drafts.length + paused.length;
  if (waiting > 0) await options.queueSteps?.(client, tenantKey);
  return saveRelease(client, { ...prepared, base: input.base, author: input.author, message: input.message });
}

/** Steps under way on tables that the publish changes stand aside; they begin anew after it. */
async function makeWay(
  client: PoolClient,
  tenant: Tenant,
  steps: readonly StepRow[],
  changes: readonly Change[],
): Promise<void> {
  const locking = changes.filter(({ lock }) => lock !== 'none');
  const tables = new Set(locking.map(({ table }) => table));
  // A reference locks the table it leads to as well.
  const all = locking.some(({ kind }) => kind === 'change_reference' || kind === 'set_table_aside');
  const inTheWay = steps.filter(
    ({ state, work }) => state === 'running' && work.kind !== 'convert' && (all || tables.has(work.table)),
  );
  await pause(
    client,
    tenant,
    inTheWay.map(({ number }) => number),
  );
  await interrupt(
    client,
    inTheWay.flatMap(({ backend }) => backend ?? []),
  );
}

/** @throws Problem `stale_base` */
export function requireBase(base: number, release: number): void {
  if (base === release) return;
  const message = `This is based on release ${base}, and release ${release} is the current one.`;
  throw new Problem('stale_base', message, [
    { code: 'stale_base', message, pointer: '/base', params: { base, current: release } },
  ]);
}
