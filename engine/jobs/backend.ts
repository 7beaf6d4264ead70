/** Who hands out jobs: BullMQ's Postgres tables, or Redis. The same queues and workers, of one library. */
import { createPostgresBackend, Queue, withBackend, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { waitingRedis } from '#engine/redis/redis.ts';
import type { QueueName } from './queue.ts';

export type Run = (job: Job, token: string | undefined) => Promise<void>;

/** The parts of BullMQ's classes that are used, which both backends have. */
export interface AnyQueue extends Pick<Queue, 'getFailed' | 'getJob' | 'getJobCounts' | 'addBulk' | 'close'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}
export interface AnyWorker extends Pick<Worker, 'close'> {
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: Job | undefined, error: Error) => void): unknown;
}

export interface WorkerSettings {
  readonly concurrency: number;
  readonly lockDuration: number;
  readonly stalledInterval: number;
  readonly maxStalledCount: number;
  readonly removeOnComplete: { readonly age: number; readonly count: number };
  readonly removeOnFail: { readonly age: number };
}

export interface Backend {
  queue(name: QueueName): AnyQueue;
  worker(name: QueueName, run: Run, settings: WorkerSettings): AnyWorker;
  /** After queues and workers. */
  close(): Promise<void>;
}

export function postgresBackend(address: Address, credentials: Credentials): Backend {
  const bound = withBackend(createPostgresBackend);
  const connection = {
    host: address.host,
    port: address.port,
    database: address.database,
    ...(address.ssl ? { ssl: { rejectUnauthorized: true } } : {}),
    ...credentials,
    schema: 'bullmq',
    max: 6,
    keepAlive: true,
  };
  return {
    queue: (name) => new bound.Queue(name, { connection: { ...connection, max: 2 }, skipMetasUpdate: true }),
    worker: (name, run, settings) => new bound.Worker(name, run, { connection, ...settings }),
    close: async () => {},
  };
}

/** @param prefix begins the queues' keys */
export function redisBackend(url: string, prefix: string, log: Logger): Backend {
  const connection = waitingRedis({ url, log });
  const keys = `${prefix}:jobs`;
  return {
    queue: (name) => new Queue(name, { connection, prefix: keys }),
    worker: (name, run, settings) => new Worker(name, run, { connection, prefix: keys, ...settings }),
    close: async () => {
      connection.disconnect();
    },
  };
}
