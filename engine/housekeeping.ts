/** Deletes what nobody needs any more: expired sessions, and answers kept for requests that are no longer repeated. */
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Database } from './db/database.ts';
import { gateSession } from './identity/service-principals.ts';

const HOUR = 3_600_000;
/** How long an Idempotency-Key is honoured. */
const KEPT = 24 * HOUR;

interface Kept {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deletes once. */
export async function keepHouse({ database, clock }: Pick<Kept, 'database' | 'clock'>): Promise<void> {
  const now = clock.now();
  await database.batch(gateSession('housekeeping'), [
    { text: 'delete from armature.session where expires_at <= $1', values: [new Date(now).toISOString()] },
    { text: 'delete from armature.idempotency where created_at < $1', values: [new Date(now - KEPT).toISOString()] },
  ]);
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
