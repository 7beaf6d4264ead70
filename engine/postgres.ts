/** The Postgres behind an installation: the embedded one in its home, or one of your own; prepared either way. */
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { Bootstrapped } from './db/bootstrap.ts';
import { bootstrap, derive } from './db/bootstrap.ts';
import { startEmbedded } from './db/embedded.ts';
import { hasOtherConnections } from './db/other-connections.ts';
import { StartupError } from './db/startup-error.ts';
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
 * @param warn told what works and is not as it should be
 * @throws StartupError
 */
export async function openPostgres(
  config: Config,
  secret: string,
  owner: boolean,
  warn?: (text: string) => void,
): Promise<Postgres> {
  // A tool's environment says nothing about who works off the jobs.
  const jobsBy = owner ? (config.redis === null ? 'postgres' : 'redis') : undefined;
  if (config.postgres) {
    const { address, admin } = config.postgres;
    const { database, ...server } = address;
    return {
      ...(await bootstrap({ server, admin, adminDatabase: database, database, secret, jobsBy, ...(warn && { warn }) })),
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
    const prepared = await bootstrap({
      server,
      admin,
      adminDatabase: SUPERUSER,
      database: DATABASE,
      secret,
      jobsBy,
    });
    return { ...prepared, close };
  } catch (error) {
    await close();
    if (error instanceof StartupError && isWrongPassword(error.cause)) {
      throw new StartupError(
        `The data in ${join(config.home, 'postgres')} were made with another secret than this one. Restore the file ${join(config.home, 'secret')} from a backup, or set ARMATURE_SECRET to what it was.`,
        { cause: error },
      );
    }
    throw error;
  }
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '28P01';
}
