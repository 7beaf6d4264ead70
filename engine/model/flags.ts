/** Whether a flag is on for somebody. The twin in SQL is `armature.flag_on`; a test holds the two equal. */
import { createHash } from 'node:crypto';
import type { Flag } from './parts.ts';

export interface FlagContext {
  /** `null`: no person. Nobody in particular is among no part of a hundred but all of it. */
  readonly userId: string | null;
  /** With those they inherit. */
  readonly roles: ReadonlySet<string>;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** What administrators have switched: qualified name → on. */
  readonly switched: ReadonlyMap<string, boolean>;
}

/** Switching decides whether it is on at all; roles, percent and time still say for whom and when. */
export function flagOn(flag: Flag, { userId, roles, now, switched }: FlagContext): boolean {
  if (!(switched.get(flag.name) ?? flag.on)) return false;
  if (flag.from !== null && now < flag.from) return false;
  if (flag.until !== null && now >= flag.until) return false;
  if (flag.roles !== null && !flag.roles.some((role) => roles.has(role))) return false;
  if (flag.percent === null || flag.percent >= 100) return true;
  return userId !== null && portionOf(flag.name, userId) < flag.percent;
}

/** Where a person stands among a hundred, 0 to 99: the same at every look, another with every flag. */
export function portionOf(flag: string, userId: string): number {
  return Number.parseInt(createHash('md5').update(`${flag}:${userId}`).digest('hex').slice(0, 8), 16) % 100;
}
