/** How long people wait for locks, as Postgres itself sees it: what a busy machine adds is not in it. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { TestDatabase } from './postgres.ts';

export interface Watched {
  /** Longest wait for a lock of any statement of the application, in milliseconds. */
  readonly longest: number;
  /** Waits that were seen. */
  readonly waits: number;
  /** Looks taken. */
  readonly looks: number;
}

/** Looks every few milliseconds until it is stopped. @returns what ends it */
export async function watchLocks(database: TestDatabase): Promise<() => Promise<Watched>> {
  const client = new pg.Client({ ...database.address, ...database.admin, application_name: 'watch' });
  await client.connect();
  let running = true;
  let longest = 0;
  let looks = 0;
  const waits = new Set<string>();
  const watching = (async () => {
    while (running) {
      const { rows } = await client.query<{ wait: string; ms: number }>(
        `select l.pid || ' ' || l.waitstart as wait, (extract(epoch from clock_timestamp() - l.waitstart) * 1000)::float8 as ms
         from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where not l.granted and l.waitstart is not null and a.application_name = 'armature' and a.datname = current_database()`,
      );
      looks += 1;
      for (const { wait, ms } of rows) {
        waits.add(wait);
        longest = Math.max(longest, ms);
      }
      await delay(4);
    }
  })();
  return async () => {
    running = false;
    await watching;
    await client.end();
    return { longest, waits: waits.size, looks };
  };
}
