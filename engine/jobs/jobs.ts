/**
 * Works off the queues: BullMQ on Postgres, as the login role that sees the queue's tables and nothing else; or on
 * Redis, where `relay.ts` tells it what to hand out.
 */
import type { Job } from 'bullmq';
import { DelayedError, UnrecoverableError } from 'bullmq';
import type { Logger } from 'pino';
import type { Address, Credentials } from '#engine/db/connection.ts';
import type { Database } from '#engine/db/database.ts';
import { Problem } from '#engine/problem.ts';
import type { AnyQueue, AnyWorker, Backend } from './backend.ts';
import { postgresBackend, redisBackend } from './backend.ts';
import { Interrupted } from './interrupted.ts';
import type { QueueName } from './queue.ts';
import { Relay } from './relay.ts';

/** Milliseconds a worker may be silent before its job is given to another one. BullMQ renews on its own while a job runs. */
const LOCK = 15_000;
/** Milliseconds between looks for jobs that have lost their worker. */
const STALLED = 5_000;
/** Times a job may lose its worker (crash, restart) before it counts as failed. */
const MAX_STALLED = 10;
const KEPT = { completed: { age: 24 * 3600, count: 1000 }, failed: { age: 30 * 24 * 3600 } };
/** Milliseconds a job waits that was interrupted by a shutdown. */
const AFTER_INTERRUPTION = 500;

export interface JobContext {
  readonly id: string;
  readonly name: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The last try: what fails now stays failed. */
  readonly last: boolean;
  /** Aborted when the process shuts down: finish the current step, then throw {@link Interrupted}. */
  readonly signal: AbortSignal;
  /** Whether other jobs of the queue wait: a long one may throw {@link Interrupted} to go on after them. */
  readonly othersWait: () => Promise<boolean>;
}

export type Processor = (data: unknown, context: JobContext) => Promise<void>;

export interface FailedJob {
  readonly id: string;
  readonly name: string;
  readonly attempts: number;
  readonly reason: string;
  /** Milliseconds since the Unix epoch. */
  readonly failedAt: number | null;
}

export interface Jobs {
  /** Registers what works off a queue. Once per queue; work begins with {@link start}. */
  process(queue: QueueName, processor: Processor, options?: { readonly concurrency?: number }): void;
  start(): Promise<void>;
  /** Newest first. */
  failed(queue: QueueName, limit?: number): Promise<readonly FailedJob[]>;
  /** Gives a failed job all of its tries again. @throws Problem `not_found` */
  retry(queue: QueueName, id: string): Promise<void>;
  /** Takes no more jobs, interrupts those under way and waits for them. */
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly address: Address;
  readonly credentials: Credentials;
  readonly log: Logger;
  /** Redis hands the jobs out. `database` is where they were asked for. */
  readonly redis?: { readonly url: string; readonly prefix: string; readonly database: Database };
}

interface Registration {
  readonly processor: Processor;
  readonly concurrency: number;
}

export function createJobs({ address, credentials, log, redis }: JobsOptions): Jobs {
  const postgres = postgresBackend(address, credentials);
  const backend = redis ? redisBackend(redis.url, redis.prefix, log) : postgres;
  const stop = new AbortController();
  const registered = new Map<QueueName, Registration>();
  const workers: AnyWorker[] = [];
  const queues = new Map<QueueName, AnyQueue>();
  let relay: Relay | null = null;

  const queueOf = (name: QueueName): AnyQueue => {
    const known = queues.get(name);
    if (known) return known;
    const queue = watched(backend.queue(name), name);
    queues.set(name, queue);
    return queue;
  };
  const watched = <T extends AnyQueue>(queue: T, name: QueueName): T => {
    queue.on('error', (error) => log.warn({ queue: name, err: error }, 'job queue'));
    return queue;
  };

  const work = async (by: Backend, queue: QueueName, { processor, concurrency }: Registration): Promise<void> => {
    const told = by === backend ? relay : null;
    const othersWait = async () => ((await queueOf(queue).getJobCounts('wait'))['wait'] ?? 0) > 0;
    const settings = {
      concurrency,
      lockDuration: LOCK,
      stalledInterval: STALLED,
      maxStalledCount: MAX_STALLED,
      removeOnComplete: KEPT.completed,
      removeOnFail: KEPT.failed,
    };
    const worker = by.worker(
      queue,
      async (job, token) => {
        await run(job, token, processor, stop.signal, othersWait);
        await told?.done(queue, job.id ?? '');
      },
      settings,
    );
    worker.on('error', (error) => log.warn({ queue, err: error }, 'job worker'));
    worker.on('failed', (job, error) => {
      const left = error instanceof UnrecoverableError ? 0 : (job?.opts.attempts ?? 1) - (job?.attemptsMade ?? 1);
      log.error(
        { queue, job: job?.id, name: job?.name, left, err: error },
        left > 0 ? 'job failed, will be tried again' : 'job failed',
      );
      if (left <= 0 && job?.id !== undefined)
        told?.failed(queue, job.id).catch((reason: unknown) => log.warn({ err: reason }, 'noting a failed job'));
    });
    workers.push(worker);
    await worker.waitUntilReady();
  };

  /** Jobs of the time before there was a Redis. */
  const workOffPostgres = async (queue: QueueName, registration: Registration): Promise<void> => {
    const former = watched(postgres.queue(queue), queue);
    const counts = await former.getJobCounts('wait', 'active', 'delayed', 'prioritized');
    await former.close();
    if (Object.values(counts).some((count) => count > 0)) await work(postgres, queue, registration);
  };

  return {
    process: (queue, processor, options = {}) => {
      if (registered.has(queue)) throw new RangeError(`the queue "${queue}" already has a processor`);
      registered.set(queue, { processor, concurrency: options.concurrency ?? 1 });
    },
    start: async () => {
      if (redis) relay = new Relay({ database: redis.database, log, queue: queueOf, queues: [...registered.keys()] });
      await Promise.all([...registered].map(([queue, registration]) => work(backend, queue, registration)));
      await relay?.start();
      if (redis)
        await Promise.all([...registered].map(([queue, registration]) => workOffPostgres(queue, registration)));
    },
    failed: async (queue, limit = 50) => {
      const jobs = await queueOf(queue).getFailed(0, limit - 1);
      return jobs.map((job) => ({
        id: job.id ?? '',
        name: job.name,
        attempts: job.attemptsMade,
        reason: job.failedReason ?? '',
        failedAt: job.finishedOn ?? null,
      }));
    },
    retry: async (queue, id) => {
      const job: Job | undefined = await queueOf(queue).getJob(id);
      if (!job || (await job.getState()) !== 'failed')
        throw new Problem('not_found', 'There is no failed job with this id.');
      await relay?.again(queue, id);
      await job.retry('failed', { resetAttemptsMade: true });
    },
    close: async () => {
      stop.abort();
      await relay?.stop();
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

async function run(
  job: Job,
  token: string | undefined,
  processor: Processor,
  signal: AbortSignal,
  othersWait: () => Promise<boolean>,
): Promise<void> {
  const attempts = job.opts.attempts ?? 1;
  const context: JobContext = {
    id: job.id ?? '',
    name: job.name,
    attempt: job.attemptsMade + 1,
    last: job.attemptsMade + 1 >= attempts,
    signal,
    othersWait,
  };
  try {
    await processor(job.data, context);
  } catch (error) {
    if (error instanceof Interrupted) {
      await job.moveToDelayed(Date.now() + (error.pause ?? AFTER_INTERRUPTION), token);
      throw new DelayedError();
    }
    // What a client would be told not to repeat is not repeated here either.
    if (error instanceof Problem && !error.retryable && error.code !== 'internal')
      throw new UnrecoverableError(error.message);
    throw error;
  }
}
