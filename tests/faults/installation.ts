/** A server and a Postgres of its own, both of which can be killed and started again, with a proxy between them. */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedPostgres } from '#engine/db/embedded.ts';
import { startEmbedded } from '#engine/db/embedded.ts';
import { run, type Running, start } from '#tests/support/process.ts';
import { freePort } from '#tests/support/port.ts';
import { openProxy, type Proxy } from './proxy.ts';

const PASSWORD = 'superuser';
const SECRET = 'a secret for tests only, and long enough';

export interface Installation {
  /** Address of the server, the same after each start. */
  readonly url: string;
  readonly proxy: Proxy;
  /** Port of Postgres, past the proxy; another one after each start. */
  postgresPort(): number;
  killServer(): Promise<void>;
  startServer(): Promise<void>;
  /** The postmaster and all of its children, at once. */
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** The command line, as an administrator runs it. */
  cli(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function install(): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'armature-faults-'));
  await chmod(home, 0o755);
  const cluster = join(home, 'cluster');
  // As it is shipped: what is acknowledged has been written to disk.
  const startCluster = () => startEmbedded({ directory: cluster, password: PASSWORD });
  let postgres: EmbeddedPostgres = await startCluster();
  const proxy = await openProxy(() => postgres.port);
  const port = await freePort();
  const environment = {
    ARMATURE_HOME: join(home, 'home'),
    ARMATURE_SECRET: SECRET,
    DATABASE_URL: `postgres://postgres:${PASSWORD}@127.0.0.1:${proxy.port}/postgres`,
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  };
  let server: Running | null = null;
  const url = `http://127.0.0.1:${port}`;
  const startServer = async (): Promise<void> => {
    server = start('engine/main.ts', [], environment);
    await server.says('Stop with Ctrl+C.');
  };
  const killServer = async (): Promise<void> => {
    const running = server;
    server = null;
    if (!running) return;
    running.child.kill('SIGKILL');
    await running.ended();
    // What was meant for it does not meet the next one while it starts: that one would give up.
    proxy.rest();
  };
  const killPostgres = async (): Promise<void> => {
    const file = join(cluster, 'postgres', 'postmaster.pid');
    const postmaster = Number((await readFile(file, 'utf8')).split('\n')[0]);
    // Stopped first: a postmaster that stands still makes no child after they were counted, and forgets none.
    process.kill(postmaster, 'SIGSTOP');
    for (let state: string | null = ''; state !== null && state !== 'T'; state = await stateOf(postmaster))
      await delay(1);
    const processes = [postmaster, ...(await childrenOf(postmaster))];
    for (const pid of processes) kill(pid);
    while (processes.some(isAlive)) await delay(10);
  };
  await startServer();
  return {
    url,
    proxy,
    postgresPort: () => postgres.port,
    killServer,
    startServer,
    killPostgres,
    startPostgres: async () => {
      postgres = await startCluster();
    },
    cli: async (...args) => {
      const { code, out, err } = await run('engine/armature.ts', args, environment);
      if (code !== 0) throw new Error(err);
      return out.trim();
    },
    close: async () => {
      await killServer();
      await proxy.close();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Also one that is dead, as long as nobody has taken note of it: whoever starts Postgres again would take it for running. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** `R` runs, `S` sleeps, `T` is stopped; `null` where there is no such process, or no /proc. */
async function stateOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^.*\) (\w)/s.exec(text)?.[1] ?? null;
}
