/** Putting jobs into a queue inside the transaction of whoever asks: a job becomes visible with the change that made it, or not at all. */
import type { QUEUES } from '#engine/db/bootstrap.ts';
import type { Statement } from '#engine/db/execute.ts';

export type QueueName = (typeof QUEUES)[number];

export interface JobRequest {
  readonly queue: QueueName;
  /** Unique in its queue; a second job of the same id is ignored as long as the first is kept. */
  readonly id: string;
  readonly name: string;
  /** JSON: ids, never data that has rights of its own. */
  readonly data: unknown;
  /** Times it is tried (default 5), with pauses that double. */
  readonly attempts?: number;
  /** Milliseconds before the second try (default 1,000). */
  readonly backoff?: number;
  /** Milliseconds before the first try. */
  readonly delay?: number;
}

/** For a principal's batch or transaction. */
export function enqueueStatement({
  queue,
  id,
  name,
  data,
  attempts = 5,
  backoff = 1000,
  delay = 0,
}: JobRequest): Statement {
  const options = { attempts, backoff: { type: 'exponential', delay: backoff }, ...(delay > 0 ? { delay } : {}) };
  return {
    text: 'select bullmq.enqueue($1::text, $2::text, $3::text, $4::jsonb, $5::jsonb)',
    values: [queue, id, name, JSON.stringify(data), JSON.stringify(options)],
  };
}
