import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Address, Credentials } from './connection.ts';

/** Looks at the list of connections, and milliseconds between them: on a busy machine our own take a while to disappear from it. */
const LOOKS = 30;
const PAUSE = 100;

/** Whether any other client is connected to this server. Close your own connections before. `true` when it cannot be told. */
export async function hasOtherConnections(address: Address, admin: Credentials): Promise<boolean> {
  const client = new pg.Client({ host: address.host, port: address.port, database: address.database, ...admin });
  client.on('error', () => {});
  try {
    await client.connect();
    for (let look = 0; look < LOOKS; look++) {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      if (!rowCount) return false;
      await delay(PAUSE);
    }
    return true;
  } catch {
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}
