/** The server as a process of its own on a test's database: to be killed, or to be measured without the test in it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, inject } from 'vitest';
import SERVER_FLAGS from '../../scripts/server-flags.json' with { type: 'json' };
import type { TestDatabase } from './postgres.ts';
import { type Running, start } from './process.ts';

/** As `npm start` runs it, with a heap in which nothing that grows has room for long. */
export const SMALL_HEAP = [...SERVER_FLAGS, '--max-old-space-size=160'];

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  readonly running: Running;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** A folder for servers of this test file, and whatever of them is left is ended with it. */
export async function serverProcesses(
  database: TestDatabase,
  flags: readonly string[] = [],
): Promise<{ readonly begin: () => Promise<ServerProcess> }> {
  const home = await mkdtemp(join(tmpdir(), 'armature-server-'));
  const begun: Running[] = [];
  afterAll(async () => {
    for (const { child } of begun) child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  });
  const redis = inject('redisUrl');
  const begin = async (): Promise<ServerProcess> => {
    const { host, port, database: name } = database.address;
    const { user, password } = database.admin;
    await rm(join(home, 'server.json'), { force: true });
    const running = start(
      'engine/main.ts',
      [],
      {
        ARMATURE_HOME: home,
        ARMATURE_SECRET: database.secret,
        DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/${name}`,
        PORT: '0',
        LOG_LEVEL: 'error',
        ...(redis ? { REDIS_URL: redis } : {}),
      },
      flags,
    );
    begun.push(running);
    const url = await ready(home, running);
    const kill = async () => {
      running.child.kill('SIGKILL');
      await running.ended();
    };
    return { url: url.replace('localhost', '127.0.0.1'), pid: running.child.pid ?? 0, running, kill };
  };
  return { begin };
}

async function ready(home: string, running: Running): Promise<string> {
  for (const end = performance.now() + 120_000; performance.now() < end && running.child.exitCode === null; ) {
    const noted = await readFile(join(home, 'server.json'), 'utf8').catch(() => '');
    const url = /"url"\s*:\s*"([^"]+)"/.exec(noted)?.[1];
    if (
      url &&
      (await fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      ))
    )
      return url;
    await delay(50);
  }
  throw new Error(running.err());
}
