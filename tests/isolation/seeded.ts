/** Ids and moments that are the same in two worlds, so that nothing has to be taken out of answers before they are compared. */
import { createHash } from 'node:crypto';
import type { IdSource } from '#engine/clock.ts';

/** Noon of a day in spring, far from every change of the clocks. */
export const MOMENT = Date.UTC(2026, 4, 12, 12);

/** Ids of version 7 in the order of asking. Sources of different `seed`s (0 to 65,535) never give the same one. */
export function seededIds(seed: number): IdSource {
  let count = 0;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return {
    uuid: () => `019e1c00-${hex(seed, 4)}-7000-8000-${hex(++count, 12)}`,
    secret: (bytes) => {
      const parts: Buffer[] = [];
      for (let length = 0; length < bytes; length += 32)
        parts.push(createHash('sha256').update(`${seed} ${++count}`).digest());
      return Buffer.concat(parts).subarray(0, bytes).toString('base64url');
    },
  };
}
