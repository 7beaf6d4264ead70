/** Counts failed attempts, so that passwords cannot be tried out. In memory: a restart forgives. */
import type { Clock } from '../clock.ts';
import { Problem } from '../problem.ts';

const WINDOW = 15 * 60_000;
const KEPT = 20_000;

interface Count {
  attempts: number;
  /** When the window began, milliseconds since the epoch. */
  readonly since: number;
}

export class Throttle {
  readonly #counts = new Map<string, Count>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes one attempt. It counts before the answer is known: many attempts sent at once would otherwise all pass.
   * @param limit attempts within a quarter of an hour
   * @throws Problem `too_many_requests`
   */
  attempt(key: string, limit: number): void {
    const now = this.#clock.now();
    let count = this.#counts.get(key);
    if (!count || now - count.since >= WINDOW) {
      count = { attempts: 0, since: now };
      this.#counts.delete(key);
      this.#counts.set(key, count);
      if (this.#counts.size > KEPT) this.#drop(now);
    }
    if (count.attempts >= limit) {
      const seconds = Math.ceil((count.since + WINDOW - now) / 1000);
      const message = `Too many failed attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`;
      throw new Problem('too_many_requests', message, [
        { code: 'too_many_requests', message, params: { retryAfter: seconds } },
      ]);
    }
    count.attempts++;
  }

  /** It was the right one: all attempts of this key are given back. */
  forgive(key: string): void {
    this.#counts.delete(key);
  }

  /** It was the right one, which says nothing of the others: one attempt is given back. */
  giveBack(key: string): void {
    const count = this.#counts.get(key);
    if (count && count.attempts > 0) count.attempts--;
  }

  /** Ended windows first, then the oldest. */
  #drop(now: number): void {
    for (const [key, count] of this.#counts) {
      if (now - count.since < WINDOW && this.#counts.size <= KEPT) return;
      this.#counts.delete(key);
    }
  }
}
