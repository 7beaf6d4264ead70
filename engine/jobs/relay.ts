/**
 * Hands jobs over to Redis. They were put into `armature.job` by the transactions that asked for them, and stay there
 * until they are done: a Redis that was emptied, or lost what it had not written down, is told again. Twice told is
 * once done as long as Redis knows the job's id; after that, a job finds out itself what is done.
 */
import type { Logger } from 'pino';
import { Listener } from '#engine/db/listener.ts';
import type { Database } from '#engine/db/database.ts';
import { arrayText } from '#engine/db/identifiers.ts';
import { gateSession } from '#engine/identity/service-principals.ts';
import type { AnyQueue } from './backend.ts';
import type { QueueName } from './queue.ts';

/** Milliseconds between looks, when nobody tells. */
const INTERVAL = 2000;
/** Jobs handed over at a time. */
const BATCH = 500;
/** After this time a job that is not done is told again. */
const AGAIN = '1 minute';

export interface RelayOptions {
  readonly database: Database;
  readonly log: Logger;
  readonly queue: (name: QueueName) => AnyQueue;
  readonly queues: readonly QueueName[];
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #listener: Listener;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #wanted = false;
  #busy = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { address, credentials } = options.database;
    this.#listener = new Listener({
      address,
      credentials: credentials.app,
      channel: 'armature_job',
      onMessage: () => this.#look(),
      onConnected: () => this.#look(),
      onLost: () => {},
    });
  }

  async start(): Promise<void> {
    await this.#listener.start();
    this.#timer = setInterval(() => this.#look(), INTERVAL);
    this.#timer.unref();
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#listener.close();
    await this.#running;
  }

  /** The job needs no telling any more. */
  async done(queue: string, id: string): Promise<void> {
    await this.#send('delete from armature.job where queue = $1 and id = $2', queue, id);
  }

  async failed(queue: string, id: string): Promise<void> {
    await this.#send('update armature.job set failed_at = clock_timestamp() where queue = $1 and id = $2', queue, id);
  }

  /** Somebody gave it another chance. */
  async again(queue: string, id: string): Promise<void> {
    await this.#send(
      'update armature.job set failed_at = null, told_at = clock_timestamp() where queue = $1 and id = $2',
      queue,
      id,
    );
  }

  async #send(text: string, ...values: string[]): Promise<void> {
    await this.#options.database.batch(gateSession('jobs'), [{ text, values }]);
  }

  #look(): void {
    if (this.#stopped) return;
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#running = this.#handOver().finally(() => {
      this.#busy = false;
      if (this.#wanted) this.#look();
    });
  }

  async #handOver(): Promise<void> {
    this.#wanted = false;
    try {
      while (!this.#stopped && (await this.#batch()) === BATCH);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'handing jobs over to Redis');
    }
  }

  /** Marked first, so that a crash in between costs a minute and no job. */
  async #batch(): Promise<number> {
    const { database, queue, queues } = this.#options;
    const [result] = await database.batch(gateSession('jobs'), [
      {
        text: `update armature.job set told_at = clock_timestamp() where (queue, id) in (
                 select queue, id from armature.job where failed_at is null and queue = any ($1::text[])
                   and coalesce(told_at, '-infinity') < clock_timestamp() - interval '${AGAIN}'
                 order by coalesce(told_at, '-infinity'), made_at limit ${BATCH} for update skip locked)
               returning queue, id, name, data::text, options::text`,
        values: [arrayText(queues)],
      },
    ]);
    const rows = result?.rows ?? [];
    for (const name of queues) {
      const jobs = rows
        .filter(([of]) => of === name)
        .map(([, id, jobName, data, options]) => ({
          name: jobName ?? '',
          data: JSON.parse(data ?? 'null'),
          opts: { ...JSON.parse(options ?? '{}'), jobId: id ?? '' },
        }));
      if (jobs.length === 0) continue;
      await queue(name)
        .addBulk(jobs)
        .catch(async (error: unknown) => {
          await this.#untold(name, jobs);
          throw error;
        });
    }
    return rows.length;
  }

  /** Redis did not take them: the next look tries again. */
  async #untold(queue: QueueName, jobs: readonly { readonly opts: { readonly jobId: string } }[]): Promise<void> {
    await this.#options.database.batch(gateSession('jobs'), [
      {
        text: 'update armature.job set told_at = null where queue = $1 and id = any ($2::text[])',
        values: [queue, arrayText(jobs.map(({ opts }) => opts.jobId))],
      },
    ]);
  }
}
