/** The conversions of a publish: made ready ahead of it on large tables, completed inside its transaction. */
import type { PoolClient } from 'pg';
import type { Database } from '../../db/database.ts';
import { StepMoved } from '../deferred/performance.ts';
import { hold } from '../deferred/store.ts';
import type { StepWork } from '../deferred/work.ts';
import type { Tenant } from '../../model/tenant.ts';
import { Problem } from '../../problem.ts';
import type { Prepared } from '../prepare.ts';
import type { RetryOptions } from '../retry.ts';
import { clearAbandoned, convertAhead, type Ready, workOf } from './ahead.ts';
import { convertWithin, refuseFailures } from './within.ts';

/** Thrown by a publish that finds values to be converted on a large table: nothing was done. */
export class NeedsConversion extends Error {
  override readonly name = 'NeedsConversion';
  readonly prepared: Prepared;

  constructor(prepared: Prepared) {
    super('values have to be converted first');
    this.prepared = prepared;
  }
}

/**
 * Whoever clears away what seems to be abandoned waits from here on for the end of the transaction, or was here first.
 * @throws NeedsConversion unless everything that is to be made ahead is there
 */
export async function requireConverted(client: PoolClient, prepared: Prepared, ready: readonly Ready[]): Promise<void> {
  const { tenant, kept, conversions, wanted } = prepared;
  const ahead = conversions.filter((conversion) => conversion.ahead);
  const there = new Map(
    kept.flatMap((step) => (step.work.kind === 'convert' ? [[JSON.stringify(ordered(step.work)), step] as const] : [])),
  );
  if (ready.length < ahead.length) throw new NeedsConversion(prepared);
  for (const conversion of ahead) {
    const step = there.get(JSON.stringify(ordered(workOf({ wanted, conversion }))));
    if (!step || !(await hold(client, tenant.id, step))) throw new NeedsConversion(prepared);
  }
}

/** Postgres keeps the keys of jsonb in an order of its own. */
const ordered = (work: StepWork): unknown => Object.entries(work).toSorted(([a], [b]) => (a < b ? -1 : 1));

/**
 * @returns what the publish may count on
 * @throws Problem `invalid_document` when values cannot be converted and that refuses the release; `stale_base` when
 *   another release came in between
 */
export async function convertAheadOf(
  database: Database,
  { tenant, source, before, wanted, conversions }: Prepared,
  retry: RetryOptions,
): Promise<readonly Ready[]> {
  const ready: Ready[] = [];
  for (const conversion of conversions) {
    if (!conversion.ahead || before === null) continue;
    const input = { database, tenant, release: source.release - 1, before, wanted, conversion, retry };
    const { failed, horizon } = await convertAhead({ ...input, total: conversion.total }).catch((error: unknown) => {
      if (!(error instanceof StepMoved)) throw error;
      throw new Problem(
        'conflict',
        'The conversion was taken back, or another release came first. Nothing was changed.',
      );
    });
    refuseFailures(source, conversion, failed);
    ready.push({ work: workOf(input), horizon });
  }
  return ready;
}

/** After a publish that was refused. What cannot be cleared away now is cleared with the next steps. */
export async function clearAhead(database: Database, tenant: Tenant): Promise<void> {
  await database.asOwner((client) => clearAbandoned(client, tenant)).catch(() => {});
}

/** What `runChanges` asks for a column's values. */
export function converting(
  client: PoolClient,
  prepared: Prepared,
  ready: readonly Ready[],
): (column: string) => Promise<void> {
  return async (column) => {
    const conversion = prepared.conversions.find((one) => one.column === column);
    if (!conversion) throw new TypeError(`nothing is known of the type of ${column}`);
    const { tenant, source, state, conversions } = prepared;
    const made = ready.find(({ work }) => work.kind === 'convert' && work.column === column);
    const horizon = conversion.ahead && made ? made.horizon : null;
    await convertWithin(client, { tenant, source, after: state, conversion, conversions, horizon });
  };
}
