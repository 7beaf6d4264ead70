/** Runs a real `redis-server` on loopback, with nothing on disk. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';
import { freePort } from './port.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the run's Redis; `null` where tests run without one. */
    redisUrl: string | null;
  }
}

/** Whether `redis-server` can be run here. `.ci/run` installs it. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns what ends it at once, as a crash would */
export function runRedis(port: number): () => Promise<void> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  let ended = false;
  const end = once(server, 'exit').then(() => {
    ended = true;
  });
  return async () => {
    if (!ended) server.kill('SIGKILL');
    await end;
  };
}

/** Vitest's global set-up of the tests that run once more with Redis; its name is Vitest's. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const port = await freePort();
  const end = runRedis(port);
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  await client.ping();
  client.disconnect();
  project.provide('redisUrl', url);
  return end;
}
