/** Works off the queues: BullMQ on Postgres, as the login role that sees the queue's tables and nothing else. */
import type { Job } from 'bullmq';
import { createPostgresBackend, DelayedError, UnrecoverableError, withBackend } from 'bullmq';
import type { Logger } from 'pino';
import type { Address, Credentials } from '#engine/db/connection.ts';
import { Problem } from '#engine/problem.ts';
import { Interrupted } from './interrupted.ts';
import type { QueueName } from './queue.ts';

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
}

export function createJobs({ address, credentials, log }: JobsOptions): Jobs {
  const { Queue, Worker } = withBackend(createPostgresBackend);
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
  const stop = new AbortController();
  const registered = new Map<QueueName, { processor: Processor; concurrency: number }>();
  const workers: InstanceType<typeof Worker>[] = [];
  const queues = new Map<QueueName, InstanceType<typeof Queue>>();

  const queueOf = (name: QueueName): InstanceType<typeof Queue> => {
    const known = queues.get(name);
    if (known) return known;
    const queue = new Queue(name, { connection: { ...connection, max: 2 }, skipMetasUpdate: true });
    queue.on('error', (error) => log.warn({ queue: name, err: error }, 'job queue'));
    queues.set(name, queue);
    return queue;
  };

  const work = (queue: QueueName, { processor, concurrency }: { processor: Processor; concurrency: number }) => {
    const waiting = async () => (await queueOf(queue).getWaitingCount()) > 0;
    const worker = new Worker(queue, (job, token) => run(job, token, processor, stop.signal, waiting), {
      connection,
      concurrency,
      lockDuration: LOCK,
      stalledInterval: STALLED,
      maxStalledCount: MAX_STALLED,
      removeOnComplete: KEPT.completed,
      removeOnFail: KEPT.failed,
    });
    worker.on('error', (error) => log.warn({ queue, err: error }, 'job worker'));
    worker.on('failed', (job, error) => {
      const left = (job?.opts.attempts ?? 1) - (job?.attemptsMade ?? 1);
      log.error(
        { queue, job: job?.id, name: job?.name, left, err: error },
        left > 0 ? 'job failed, will be tried again' : 'job failed',
      );
    });
    workers.push(worker);
    return worker;
  };

  return {
    process: (queue, processor, options = {}) => {
      if (registered.has(queue)) throw new RangeError(`the queue "${queue}" already has a processor`);
      registered.set(queue, { processor, concurrency: options.concurrency ?? 1 });
    },
    start: async () => {
      await Promise.all([...registered].map(([queue, registration]) => work(queue, registration).waitUntilReady()));
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
      await job.retry('failed', { resetAttemptsMade: true });
    },
    close: async () => {
      stop.abort();
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
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
      await job.moveToDelayed(Date.now() + AFTER_INTERRUPTION, token);
      throw new DelayedError();
    }
    // What a client would be told not to repeat is not repeated here either.
    if (error instanceof Problem && !error.retryable && error.code !== 'internal')
      throw new UnrecoverableError(error.message);
    throw error;
  }
}
