/** The Postgres behind an installation: the embedded one in its home, or one of your own; prepared either way. */
import type { Config } from './config.ts';
import type { Bootstrapped } from './db/bootstrap.ts';
import { bootstrap, derive } from './db/bootstrap.ts';
import { startEmbedded } from './db/embedded.ts';
import { hasOtherConnections } from './db/other-connections.ts';
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
  const server = { host: '127.0.0.1', port: embedded.port };
  const isUsed = async () =>
    (await findServer(config.home)) !== null || hasOtherConnections({ ...server, database: SUPERUSER }, admin);
  const close = async (): Promise<void> => {
    if (owner || !(await isUsed())) await embedded.stop();
  };
  try {
    const prepared = await bootstrap({ server, admin, adminDatabase: SUPERUSER, database: DATABASE, secret });
    return { ...prepared, close };
  } catch (error) {
    await close();
    throw error;
  }
}
