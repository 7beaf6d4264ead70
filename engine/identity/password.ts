/** Passwords: Argon2id as OWASP's Password Storage Cheat Sheet asks (19 MiB, two passes), and what makes one acceptable. */
import { hash, verify } from '@node-rs/argon2';
import type { ProblemDetail } from '../problem.ts';

/** `algorithm: 2` is Argon2id; memory in KiB. Written out, so that the library's defaults may change without us. */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const MINIMUM_LENGTH = 10;
/** Longer ones only cost time to hash. */
const MAXIMUM_LENGTH = 256;

/** Unicode writes the same letters in several ways; a phone and a laptop must agree (NIST SP 800-63B §3.1.1.2). */
const prepare = (password: string) => password.normalize('NFKC');

export function hashPassword(password: string): Promise<string> {
  return hash(prepare(password), PARAMETERS);
}

let dummy: Promise<string> | null = null;

/**
 * Whether the password belongs to the hash. Without a hash it works as long and says no, so that the time of the answer
 * does not tell which e-mails exist.
 */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  if (stored === null) dummy ??= hashPassword('nobody has this password');
  const against = stored ?? (await dummy);
  if (!against || password.length > MAXIMUM_LENGTH * 4) return false;
  try {
    return (await verify(against, prepare(password))) && stored !== null;
  } catch {
    // A stored hash that cannot be read lets nobody in.
    return false;
  }
}

/** @returns what is wrong with a new password, or `null`; `pointer` says where it stood */
export function weakness(password: string, email: string, pointer: string): ProblemDetail | null {
  const length = Array.from(password).length;
  if (length < MINIMUM_LENGTH) {
    const message = `A password needs at least ${MINIMUM_LENGTH} characters.`;
    return { code: 'too_short', message, pointer, params: { minimum: MINIMUM_LENGTH } };
  }
  if (length > MAXIMUM_LENGTH) {
    const message = `A password may have at most ${MAXIMUM_LENGTH} characters.`;
    return { code: 'too_long', message, pointer, params: { maximum: MAXIMUM_LENGTH } };
  }
  if (password.trim().toLowerCase() === email.toLowerCase()) {
    return { code: 'guessable', message: 'The password must not be the e-mail address.', pointer };
  }
  return null;
}
