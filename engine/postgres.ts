/** The Postgres behind an installation: the embedded one in its home, or one of your own; prepared either way. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Config } from './config.ts';
import type { Bootstrapped } from './db/bootstrap.ts';
import { bootstrap, derive } from './db/bootstrap.ts';
import { startEmbedded } from './db/embedded.ts';
import { findServer } from './home.ts';

const DATABASE = 'armature';
const SUPERUSER = 'postgres';

export interface Postgres extends Bootstrapped {
  /** Ends it, where it is ours to end. Close all connections before. */
  close(): Promise<void>;
}

/**
 * @param owner whether this process is the installation's server, which ends the embedded Postgres whoever started it;
 *   a tool ends it only when nobody else uses it
 * @throws StartupError
 */
export async function openPostgres(config: Config, secret: string, owner: boolean): Promise<Postgres> {
  if (config.postgres) {
    const { address, admin } = config.postgres;
    const { database, ...server } = address;
    return {
      ...(await bootstrap({ server, admin, adminDatabase: database, database, secret })),
      close: async () => {},
    };
  }
  const admin = { user: SUPERUSER, password: derive(secret, `postgres:${SUPERUSER}`) };
  const embedded = await startEmbedded({ directory: config.home, password: admin.password });
  const close = async (): Promise<void> => {
    if (owner || !(await isUsed(config.home, embedded.port, admin))) await embedded.stop();
  };
  try {
    const server = { host: '127.0.0.1', port: embedded.port };
    const prepared = await bootstrap({ server, admin, adminDatabase: SUPERUSER, database: DATABASE, secret });
    return { ...prepared, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether a server runs on this home, or another process is connected. */
async function isUsed(home: string, port: number, admin: pg.ClientConfig): Promise<boolean> {
  if (await findServer(home)) return true;
  const client = new pg.Client({ host: '127.0.0.1', port, database: SUPERUSER, ...admin });
  client.on('error', () => {});
  try {
    await client.connect();
    // Our own connections take a moment to disappear from the list.
    for (let attempt = 0; attempt < 10; attempt++) {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      if (!rowCount) return false;
      await delay(100);
    }
    return true;
  } catch {
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}
