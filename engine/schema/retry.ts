/** DDL waits a quarter of a second for a lock and then steps back, so that nobody queues behind it; then it tries again. */
import { isCatalogueConflict, isDatabaseError } from '../db/database-error.ts';
import { Problem } from '../problem.ts';

/** lock_not_available, deadlock_detected. */
const RETRYABLE: ReadonlySet<string> = new Set(['55P03', '40P01']);

export interface RetryOptions {
  /** Milliseconds after which it gives up (default 20,000). */
  readonly patience?: number;
  /** Milliseconds before the second attempt; doubled each time up to a second (default 50). */
  readonly pause?: number;
}

/**
 * @param attempt a whole transaction that leaves nothing behind when it throws
 * @throws Problem `unavailable` when the locks were not to be had in time; what `attempt` throws otherwise
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const end = performance.now() + (options.patience ?? 20_000);
  for (let pause = options.pause ?? 50; ; pause = Math.min(pause * 2, 1000)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLockConflict(error)) throw error;
      // Half of it by chance: two that met do not meet again.
      const wait = pause * (0.5 + Math.random() / 2);
      if (performance.now() + wait > end) {
        throw new Problem(
          'unavailable',
          'Records are held by long-running work. Nothing was changed; try again later.',
          [],
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Whether somebody held a lock for too long, or two waited for each other. */
export function isLockConflict(error: unknown): boolean {
  // A role is a row of the whole cluster: its changes meet without a lock.
  return isCatalogueConflict(error) || (isDatabaseError(error) && RETRYABLE.has(error.code));
}
