/**
 * Converting a large table before the release that needs it: beside everybody's work, in short transactions, into a
 * column nobody sees yet. Every write raises the record's version, and each value remembers the version it was made
 * from: what was written meanwhile is found by that and converted again. The publish itself converts what little is
 * left and exchanges the columns.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PoolClient } from 'pg';
import type { Database } from '../../db/database.ts';
import { qualified, quote } from '../../db/identifiers.ts';
import type { Tenant } from '../../model/tenant.ts';
import { Problem } from '../../problem.ts';
import { LOCK_TIMEOUT, StepMoved } from '../deferred/performance.ts';
import {
  abandoned,
  beginAhead,
  closeAbandoned,
  finish,
  hold,
  holdAbandoned,
  progress,
  type StepRow,
} from '../deferred/store.ts';
import type { StepWork } from '../deferred/work.ts';
import { tableName, typeOf } from '../ddl.ts';
import { comingIndexName, comingName, comingNamesName, comingVersionName } from '../names.ts';
import { releaseAheadLock, tryAheadLock } from '../publish-lock.ts';
import { loadState } from '../release-store.ts';
import { type RetryOptions, withRetries } from '../retry.ts';
import type { DesiredState } from '../state.ts';
import type { Conversion } from './conversions.ts';
import { markDangling } from './dangling.ts';
import { Names } from './names.ts';
import { convertRows, type Places, quietly } from './rows.ts';

/** Rows that may be left for the publish's own transaction. */
const LEFT = 500;

export interface AheadInput {
  readonly database: Database;
  readonly tenant: Tenant;
  /** The current release. */
  readonly release: number;
  readonly before: DesiredState;
  readonly wanted: DesiredState;
  readonly conversion: Conversion;
  readonly total: number;
  readonly retry: RetryOptions;
}

/** A conversion that a publish can count on. */
export interface Ready {
  readonly work: StepWork;
  /** References lead to records that were there when all transactions before this one (`xid8`) were over. */
  readonly horizon: string;
}

/**
 * @returns `failed`: how many values cannot become the new type; where that refuses the release, everything is cleared
 *   away again. `horizon` as in {@link Ready}
 * @throws Problem `publish_in_progress` while another one converts; {@link StepMoved} when a release came in between
 */
export async function convertAhead(input: AheadInput): Promise<{ readonly failed: number; readonly horizon: string }> {
  const { database, tenant, conversion, retry } = input;
  return database.asOwner(async (client) => {
    if (!(await tryAheadLock(client, tenant.key)))
      throw new Problem('publish_in_progress', 'Somebody is publishing right now. Try again when they are done.');
    try {
      await client.query(`set lock_timeout = ${LOCK_TIMEOUT}; set search_path = pg_catalog, pg_temp`);
      await clearOthers(client, input);
      const step = await withRetries(() => transaction(client, () => prepareColumns(client, input)), retry);
      const made = await convertAll(client, input, step);
      const { failed } = made;
      if (failed > 0 && conversion.onFail === 'refuse') {
        await withRetries(() => transaction(client, () => dropColumns(client, input.before, workOf(input))), retry);
        await finish(client, tenant.id, step, `${failed.toLocaleString('en')} values could not be converted.`);
      }
      return made;
    } finally {
      await client.query('reset lock_timeout; reset search_path').catch(() => {});
      await releaseAheadLock(client, tenant.key).catch(() => {});
    }
  });
}

/** What publishes have left behind that were refused or died after they converted values ahead. */
export async function clearAbandoned(client: PoolClient, tenant: Tenant): Promise<void> {
  if ((await abandoned(client, tenant.id)).length === 0 || !(await tryAheadLock(client, tenant.key))) return;
  try {
    // With the lock: whoever was at it is done.
    const steps = await abandoned(client, tenant.id);
    const state = await loadState(client, tenant);
    for (const step of steps) await clearAway(client, tenant, state, step);
  } finally {
    await releaseAheadLock(client, tenant.key);
  }
}

/** Of the same column, and something else was to become of it. With the lock: whoever was at it is done. */
async function clearOthers(client: PoolClient, input: AheadInput): Promise<void> {
  const { tenant, before, retry } = input;
  const mine = workOf(input);
  for (const step of await abandoned(client, tenant.id)) {
    const { work } = step;
    if (work.kind !== 'convert' || work.column !== mine.column || isDeepStrictEqual(work, mine)) continue;
    await clearAway(client, tenant, before, step, retry);
  }
}

/** Unless a publish has taken it since it was looked for: between the conversion and its publish nobody holds the lock. */
async function clearAway(
  client: PoolClient,
  tenant: Tenant,
  state: DesiredState | null,
  { number, work }: StepRow,
  retry?: RetryOptions,
): Promise<void> {
  const clear = async (): Promise<void> => {
    if (!(await holdAbandoned(client, tenant.id, number))) return;
    if (state && work.kind === 'convert') await dropColumns(client, state, work);
    await closeAbandoned(client, tenant.id, number);
  };
  await withRetries(() => transaction(client, clear), retry);
}

type ConvertWork = Extract<StepWork, { readonly kind: 'convert' }>;

/** The same for the same conversion: what was begun before a crash goes on. */
export function workOf({ wanted, conversion }: Pick<AheadInput, 'wanted' | 'conversion'>): ConvertWork {
  const { table, column, aside, back, onFail } = conversion;
  const target = wanted.tables[table]?.columns[column];
  if (!target) throw new TypeError(`no column ${column}`);
  return { kind: 'convert', table, column, aside, back, onFail, type: `${conversion.to.type.key} ${typeOf(target)}` };
}

async function prepareColumns(client: PoolClient, input: AheadInput): Promise<StepRow> {
  const { tenant, release, before, wanted, conversion, total } = input;
  const { table, column, to, entity } = conversion;
  const title = `Convert ${to.label} of ${entity.label} to ${to.type.key}`;
  const why = 'Its type changes with the next release; the values are made ready beside everybody’s work.';
  const step = await beginAhead(client, tenant, release, { work: workOf(input), title, why, sql: [], total });
  const state = before.tables[table];
  const target = wanted.tables[table]?.columns[column];
  if (!step || !state || !target) throw new StepMoved();
  await client.query(
    `alter table ${tableName(before, state)} add column if not exists ${quote(comingVersionName(column))} integer, add column if not exists ${quote(comingName(column))} ${typeOf(target)}`,
  );
  return step;
}

/** What a conversion that came to nothing has left. */
export async function dropColumns(client: PoolClient, before: DesiredState, work: ConvertWork): Promise<void> {
  for (const sql of droppingColumns(before, work)) await client.query(sql);
}

export function droppingColumns(before: DesiredState, { table, column }: ConvertWork): readonly string[] {
  const state = before.tables[table];
  if (!state) return [];
  const names = [comingVersionName(column), comingName(column)].map((name) => `drop column if exists ${quote(name)}`);
  return [
    `alter table ${tableName(before, state)} ${names.join(', ')}`,
    `drop table if exists ${qualified(before.schema, comingNamesName(column))}`,
  ];
}

async function convertAll(
  client: PoolClient,
  input: AheadInput,
  step: StepRow,
): Promise<{ readonly failed: number; readonly horizon: string }> {
  const { before, conversion } = input;
  const places = placesBefore(client, input);
  const version = quote('version');
  const index = comingIndexName(conversion.column);
  // Half of one may be left; only rows that are still to be done are in it.
  await client.query('set lock_timeout = 0');
  await client.query(`drop index concurrently if exists ${qualified(before.schema, index)}`);
  await client.query(
    `create index concurrently ${quote(index)} on ${places.table} (${quote('id')}) where ${places.version} is distinct from ${version}`,
  );
  await client.query(`set lock_timeout = ${LOCK_TIMEOUT}`);
  await places.names?.gather(conversion.column, false);
  const { tenant } = input;
  let done = 0;
  for (;;) {
    let seen = 0;
    let failed = 0;
    let last: string | null = null;
    do {
      const batch = await withRetries(
        () =>
          transaction(client, async () => {
            if (!(await hold(client, tenant.id, step))) throw new StepMoved();
            await quietly(client);
            const made = await convertRows(client, tenant, conversion, places, last);
            await progress(client, tenant.id, step, done + made.rows, null);
            return made;
          }),
        input.retry,
      );
      seen += batch.rows;
      done += batch.rows;
      failed += batch.failures.length;
      last = batch.last;
    } while (last !== null);
    const { rows } = await client.query<{ horizon: string }>(
      'select pg_snapshot_xmin(pg_current_snapshot())::text as horizon',
    );
    const { horizon = '0' } = rows[0] ?? {};
    if (failed > 0 && conversion.onFail === 'refuse') return { failed, horizon };
    const gone = await withRetries(
      () => transaction(client, () => markDangling(client, before, conversion, places)),
      input.retry,
    );
    if (seen + gone <= LEFT) return { failed, horizon };
  }
}

function placesBefore(client: PoolClient, { before, wanted, conversion }: AheadInput): Places {
  const { table, column, returns } = conversion;
  const state = before.tables[table];
  const target = wanted.tables[table]?.columns[column];
  const source = state?.columns[column];
  if (!state || !source || !target) throw new StepMoved();
  return {
    table: tableName(before, state),
    from: quote(source.name),
    to: quote(comingName(column)),
    kept: returns === null ? null : quote(returns),
    type: typeOf(target),
    version: quote(comingVersionName(column)),
    names: conversion.target && new Names(client, before, conversion.target),
  };
}

async function transaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
