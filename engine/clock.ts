/** Time and randomness come from here, so that tests can set both (rule 12). */
import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
}

export interface IdSource {
  /** A fresh UUID version 7 (RFC 9562), lower case. */
  uuid(): string;
  /** `bytes` random bytes as base64url, for tokens. */
  secret(bytes: number): string;
}

export const systemClock: Clock = { now: () => Date.now() };

export const systemIds: IdSource = {
  uuid: () => v7(),
  secret: (bytes) => randomBytes(bytes).toString('base64url'),
};

/** A clock that stands still until it is told to move. */
export function fixedClock(start: number): Clock & { set(ms: number): void; advance(ms: number): void } {
  let current = start;
  return {
    now: () => current,
    set: (ms) => {
      current = ms;
    },
    advance: (ms) => {
      current += ms;
    },
  };
}
