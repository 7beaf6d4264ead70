/**
 * Deletes what nobody needs any more: expired sessions, answers kept for requests that are no longer repeated, and
 * events that every consumer has read (the row policy keeps the others, however old), and files that no record names.
 */
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Database } from './db/database.ts';
import type { Files } from './files/files.ts';
import { gateSession } from './identity/service-principals.ts';

const HOUR = 3_600_000;
/** How long an Idempotency-Key is honoured. */
const KEPT = 24 * HOUR;
/** How long an event stays in the outbox at least: for programs of others that read it, and for looking back. */
const OUTBOX_KEPT = 7 * 24 * HOUR;
/** Events deleted at a time, so that no statement runs for long. */
const OUTBOX_BATCH = 20_000;

interface Kept {
  readonly files: Pick<Files, 'purge'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deletes once. */
export async function keepHouse({ database, clock, files }: Omit<Kept, 'log'>): Promise<void> {
  const now = clock.now();
  await database.batch(gateSession('housekeeping'), [
    { text: 'delete from armature.session where expires_at <= $1', values: [new Date(now).toISOString()] },
    { text: 'delete from armature.idempotency where created_at < $1', values: [new Date(now - KEPT).toISOString()] },
  ]);
  await files.purge();
  await pruneOutbox(database, new Date(now - OUTBOX_KEPT).toISOString());
}

async function pruneOutbox(database: Database, before: string): Promise<void> {
  for (;;) {
    const [result] = await database.batch(gateSession('housekeeping'), [
      {
        text: `delete from armature.outbox where ctid = any (array(select ctid from armature.outbox where at < $1 and not exists (
                 select from armature.outbox_position p where (p.xid, p.id) < (outbox.xid, outbox.id)) limit ${OUTBOX_BATCH}))`,
        values: [before],
      },
    ]);
    if ((result?.count ?? 0) < OUTBOX_BATCH) return;
  }
}

/** Every hour. @returns what ends it */
export function startHousekeeping(services: Kept): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = keepHouse(services).catch((error: unknown) => services.log.warn({ err: error }, 'housekeeping'));
  }, HOUR);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
