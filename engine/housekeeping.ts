/**
 * Deletes what nobody needs any more: expired sessions, answers kept for requests that are no longer repeated, and
 * events that every consumer has read (the row policy keeps the others, however old), files that no record names or
 * whose organisation is gone, deleted records whose time in the bin is over, and shares that ended long ago.
 */
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Database } from './db/database.ts';
import type { ModelSource } from './model/tenant.ts';
import { emptyBins } from './records/bin-retention.ts';
import { keepShares } from './records/share/retention.ts';
import type { Files } from './files/files.ts';
import { gateSession } from './identity/service-principals.ts';

const HOUR = 3_600_000;
/** How long an Idempotency-Key is honoured. */
const KEPT = 24 * HOUR;
const DAY = 24 * HOUR;
/** How long a consumer of the outbox that nobody is any more keeps events from being deleted. */
const CONSUMER_KEPT = 30 * DAY;
/** How long a file that was brought in, and the rows of it that failed, can be looked at. */
const IMPORT_KEPT = 30 * DAY;
/** Events deleted at a time, so that no statement runs for long. */
const OUTBOX_BATCH = 20_000;

interface Kept {
  readonly files: Pick<Files, 'purge' | 'purgeRemoved'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** What else is to be done every hour. */
  readonly also?: () => Promise<void>;
  readonly models: ModelSource;
  /** Milliseconds an event stays in the outbox at least: who follows the changes may be away as long as that. */
  readonly outboxKept?: number;
}

/** Deletes once. */
export async function keepHouse({
  database,
  clock,
  files,
  outboxKept = 7 * DAY,
}: Omit<Kept, 'log' | 'models'>): Promise<void> {
  const now = clock.now();
  await database.batch(gateSession('housekeeping'), [
    { text: 'delete from armature.session where expires_at <= $1', values: [new Date(now).toISOString()] },
    { text: 'delete from armature.idempotency where created_at < $1', values: [new Date(now - KEPT).toISOString()] },
  ]);
  await files.purge();
  await database.batch(gateSession('housekeeping'), [
    {
      text: 'delete from armature.outbox_position where seen_at < $1',
      values: [new Date(now - CONSUMER_KEPT).toISOString()],
    },
    {
      text: 'delete from armature.import where coalesce(finished_at, created_at) < $1',
      values: [new Date(now - IMPORT_KEPT).toISOString()],
    },
  ]);
  await pruneOutbox(database, new Date(now - outboxKept).toISOString());
  // Last: an object store that cannot be reached keeps nothing else from being done.
  await files.purgeRemoved();
}

async function pruneOutbox(database: Database, before: string): Promise<void> {
  for (;;) {
    const [result] = await database.batch(gateSession('housekeeping'), [
      {
        // In one statement: who asks with a token older than what is deleted here must be told so.
        text: `with pruned as (
                 delete from armature.outbox where ctid = any (array(select ctid from armature.outbox where at < $1 and not exists (
                   select from armature.outbox_position p where (p.xid, p.id) < (outbox.xid, outbox.id)) limit ${OUTBOX_BATCH}))
                 returning xid, id),
               last as (select xid, id from pruned order by xid desc, id desc limit 1),
               kept as (update armature.outbox_floor f set xid = last.xid, id = last.id from last where (f.xid, f.id) < (last.xid, last.id))
               select count(*)::text from pruned`,
        values: [before],
      },
    ]);
    if (Number(result?.rows[0]?.[0] ?? 0) < OUTBOX_BATCH) return;
  }
}

/** Every hour. @returns what ends it */
export function startHousekeeping(services: Kept): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    const all = async () => {
      await keepHouse(services);
      await emptyBins(services);
      await keepShares(services);
      await services.also?.();
    };
    running = all().catch((error: unknown) => services.log.warn({ err: error }, 'housekeeping'));
  }, HOUR);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
