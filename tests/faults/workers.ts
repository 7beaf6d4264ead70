/**
 * Writers that never give up: each request has a key, and is sent again under it until it is answered. Each writer keeps
 * a book of what its records must be; nobody else touches them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '#tests/support/random.ts';

export interface Kept {
  name: string;
  /** How often it was changed. */
  changes: number;
  deleted: boolean;
}

export interface Tally {
  /** Requests that were answered with success. */
  acknowledged: number;
  /** Requests sent again because there was no answer, or none that was final. */
  repeated: number;
  /** Answers that were those of an earlier request under the same key. */
  replayed: number;
  /** Answers that must not be. */
  readonly odd: string[];
}

export interface Writers {
  /** By record id. */
  readonly book: Map<string, Kept>;
  readonly tally: Tally;
}

/** Told to come again. */
const AGAIN: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'request_in_progress']);

export type Ask = (
  method: string,
  path: string,
  body: object | null,
  key: string,
) => Promise<{ readonly status: number; readonly json: { readonly data?: { readonly id?: string } } }>;

/** Sends until it is answered for good. */
export function persistent(url: () => string, token: string, tally: Tally): Ask {
  return async (method, path, body, key) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await fetch(url() + path, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            'idempotency-key': key,
            ...(body ? { 'content-type': 'application/json' } : {}),
          },
          ...(body ? { body: JSON.stringify(body) } : {}),
          signal: AbortSignal.timeout(20_000),
        });
        const text = await response.text();
        const json = text === '' ? {} : JSON.parse(text);
        if (!AGAIN.has(json.code)) {
          if (response.headers.get('idempotency-replayed') === 'true') tally.replayed += 1;
          if (response.ok) tally.acknowledged += 1;
          else tally.odd.push(`${method} ${path} → ${response.status} ${text.slice(0, 300)}`);
          return { status: response.status, json };
        }
      } catch {
        // Broken off: whether it was done is not known.
      }
      tally.repeated += 1;
      if (attempt > 4000) throw new Error(`${method} ${path} was never answered`);
      await delay(50 + 50 * Math.min(attempt, 4));
    }
  };
}

/**
 * @param operations requests this writer sends at least
 * @param enough whether it may end then
 * @returns how many it has sent
 */
export async function write(
  name: string,
  path: string,
  operations: number,
  random: Random,
  ask: Ask,
  book: Writers['book'],
  enough: () => boolean,
): Promise<number> {
  const own: string[] = [];
  let index = 0;
  for (; index < operations || !enough(); index += 1) {
    const key = `${name}-${index}`;
    const id = own[random.below(Math.max(1, own.length))];
    const record = id === undefined ? undefined : book.get(id);
    const dice = random.next();
    if (id === undefined || !record || dice < 0.4) {
      const { json } = await ask('POST', path, { name: key }, key);
      const made = json.data?.id;
      if (made === undefined) continue;
      own.push(made);
      book.set(made, { name: key, changes: 0, deleted: false });
    } else if (record.deleted) {
      await ask('POST', `${path}/${id}/actions/restore`, null, key);
      record.deleted = false;
      record.changes += 1;
    } else if (dice < 0.9) {
      await ask('PATCH', `${path}/${id}`, { name: key }, key);
      record.name = key;
      record.changes += 1;
    } else {
      await ask('DELETE', `${path}/${id}`, null, key);
      record.deleted = true;
      record.changes += 1;
    }
  }
  return index;
}
