/** A real Redis for a test file, where the machine has one: a process of its own on a port of its own, nothing on disk. */
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { freePort } from './port.ts';
import { runRedis } from './redis-server.ts';

export { hasRedis } from './redis-server.ts';

export interface TestRedis {
  readonly url: string;
  /** A client that sees everything. */
  readonly client: Redis;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  /** Brings it back on the same port, empty. */
  start(): Promise<void>;
}

/** Call it at the top of a test file; it ends after the file's last test. */
export async function testRedis(): Promise<TestRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  let end: () => Promise<void> = async () => {};
  const kill = () => end();
  const start = async (): Promise<void> => {
    end = runRedis(port);
    if (client.status === 'wait') await client.connect().catch(() => {});
    await client.ping();
  };
  await start();
  afterAll(async () => {
    client.disconnect();
    await kill();
  });
  return { url, client, kill, start };
}
