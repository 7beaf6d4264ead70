/** Kills server and Postgres and loses replies, by the dice, and brings back what it has killed. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from '#tests/support/random.ts';
import type { Installation } from './installation.ts';

export class Kills {
  server = 0;
  postgres = 0;
  replies = 0;

  /** Whether server and Postgres have both been killed: work that ends before has not been disturbed. */
  get both(): boolean {
    return this.server > 0 && this.postgres > 0;
  }
}

/**
 * Until the work is done. Afterwards both are running.
 * @param kills what is counted meanwhile
 * @param most disturbances at most: what needs some time in one piece comes to its end after them
 */
export async function disturb(
  there: Installation,
  dice: Random,
  kills: Kills,
  done: () => boolean,
  most: number,
): Promise<void> {
  for (let time = 0; time < most && !done(); time += 1) {
    await delay(150 + dice.below(700));
    if (done()) break;
    // Each is killed once, whatever the dice say.
    const what = time < 2 ? time : dice.below(4);
    if (what === 0) {
      kills.server += 1;
      await there.killServer();
      await delay(dice.below(300));
      await there.startServer();
    } else if (what === 1) {
      kills.postgres += 1;
      await there.killPostgres();
      await delay(dice.below(300));
      await there.startPostgres();
    } else {
      there.proxy.drop(1 + dice.below(3));
    }
  }
  kills.replies = there.proxy.dropped();
}

/** Past server and proxy, as the superuser. */
export async function inside<T>(there: Installation, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: there.postgresPort(),
    user: 'postgres',
    password: 'superuser',
    database: 'postgres',
  });
  // Postgres is killed also between two statements: the next one tells.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
