/** Session and bearer tokens: 256 random bits. A hash without salt is enough for a secret nobody can guess. */
import { hash } from 'node:crypto';
import type { IdSource } from '../clock.ts';

/** The prefix lets secret scanners find a token that was committed by mistake; the cell lets a request find its database. */
const FORM = /^arm_(?:([a-z][a-z0-9]{0,11})\.)?[A-Za-z0-9_-]{43}$/;

/** @param cell key of the cell whose token it is, `null` for home */
export function newToken(ids: IdSource, cell: string | null): string {
  return `arm_${cell === null ? '' : `${cell}.`}${ids.secret(32)}`;
}

/** `null` for the home cell, and for what is no token. */
export function cellOfToken(token: string): string | null {
  return FORM.exec(token)?.[1] ?? null;
}

/** Hashes of the tokens of the moment: programs send the same one with every request. */
const hashes = new Map<string, string>();
const KEPT_HASHES = 1000;

/** SHA-256 of the token in hexadecimal, or `null` for a text that was never one of ours. */
export function hashToken(token: string): string | null {
  const known = hashes.get(token);
  if (known !== undefined) return known;
  if (!FORM.test(token)) return null;
  const hashed = hash('sha256', token, 'hex');
  if (hashes.size >= KEPT_HASHES) hashes.clear();
  hashes.set(token, hashed);
  return hashed;
}
