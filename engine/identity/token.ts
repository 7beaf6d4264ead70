/** Session and bearer tokens: 256 random bits. A hash without salt is enough for a secret nobody can guess. */
import { hash } from 'node:crypto';
import type { IdSource } from '../clock.ts';

/** The prefix lets secret scanners find a token that was committed by mistake. */
const FORM = /^arm_[A-Za-z0-9_-]{43}$/;

export function newToken(ids: IdSource): string {
  return `arm_${ids.secret(32)}`;
}

/** SHA-256 of the token in hexadecimal, or `null` for a text that was never one of ours. */
export function hashToken(token: string): string | null {
  return FORM.test(token) ? hash('sha256', token, 'hex') : null;
}
