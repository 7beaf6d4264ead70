/** The request headers that change what a record route does: ETags, idempotency keys, preferences. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.ts';

function invalidHeader(parameter: string, message: string): Problem {
  return new Problem('invalid_header', message, [{ code: 'invalid_header', message, parameter }]);
}

/**
 * A strong entity tag, `"v17.Xk3…"`: the record's version, which `If-Match` compares, and a hash of the very bytes,
 * which `If-None-Match` compares. The bytes depend on more than the version: on the selection, the release and the
 * roles, and on other records when some are embedded.
 */
export function entityTag(version: number, body: string): string {
  return `"v${version}.${hash('sha1', body, 'base64url').slice(0, 12)}"`;
}

/** The tag of an answer without a body: good for `If-Match`, never equal to a representation's. */
export function versionTag(version: number): string {
  return `"v${version}"`;
}

/** Whether `If-None-Match` names this tag (weak comparison, RFC 9110 §13.1.2). */
export function matchesNone(request: IncomingMessage, tag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag);
}

const OUR_TAG = /^"v([1-9]\d{0,8})(?:\.[A-Za-z0-9_-]{1,32})?"$/;

/**
 * The version that `If-Match` demands; `null` without the header or for `*` (any version).
 * @throws Problem `invalid_header` when it is not one tag of ours; `precondition_failed` for a weak tag, which never matches (RFC 9110 §13.1.1)
 */
export function ifMatch(request: IncomingMessage): number | null {
  const header = request.headers['if-match']?.trim();
  if (header === undefined || header === '*') return null;
  if (header.startsWith('W/') && OUR_TAG.test(header.slice(2))) {
    throw new Problem('precondition_failed', 'A weak entity tag never matches. Send the strong one of the record.');
  }
  const version = OUR_TAG.exec(header)?.[1];
  if (version === undefined)
    throw invalidHeader('If-Match', 'If-Match must be the ETag of the record as you read it, e.g. "v3.x1Y2".');
  return Number(version);
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export interface Idempotency {
  readonly key: string;
  /** SHA-256 of method, path with query, and body, hexadecimal. */
  readonly fingerprint: string;
}

/**
 * The `Idempotency-Key`, with or without the quotes of the draft standard; `null` without the header.
 * @throws Problem `invalid_header`
 */
export function idempotencyOf(request: IncomingMessage, url: string, body: Buffer): Idempotency | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const given = typeof header === 'string' ? header.trim() : '';
  const key = given.length > 2 && given.startsWith('"') && given.endsWith('"') ? given.slice(1, -1) : given;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw invalidHeader(
      'Idempotency-Key',
      'Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.',
    );
  }
  return {
    key,
    fingerprint: hash('sha256', Buffer.concat([Buffer.from(`${request.method ?? ''} ${url}\n`), body]), 'hex'),
  };
}

export interface Preferences {
  /** `Prefer: return=minimal`: no body in the answer. */
  readonly minimal: boolean;
  /** `Prefer: duplicates=refuse` or `duplicates=ignore`: whether to look for records like the one that is created. */
  readonly duplicates?: 'refuse' | 'ignore';
}

const DEFAULT_PREFERENCES: Preferences = { minimal: false };

/**
 * RFC 7240: what is not known is ignored, except a dry run, which to ignore would write what was only to be tried.
 * @throws Problem `invalid_header`
 */
export function preferencesOf(request: IncomingMessage): Preferences {
  const header = request.headers['prefer'];
  if (header === undefined) return DEFAULT_PREFERENCES;
  const wishes = (Array.isArray(header) ? header.join(',') : header)
    .split(/[,;]/)
    .map((part) => part.trim().toLowerCase());
  if (wishes.includes('tx=rollback')) throw invalidHeader('Prefer', 'A dry run (tx=rollback) is not offered here.');
  const duplicates = (['refuse', 'ignore'] as const).find((wish) => wishes.includes(`duplicates=${wish}`));
  return { minimal: wishes.includes('return=minimal'), ...(duplicates && { duplicates }) };
}

/**
 * Refuses a request that wants no JSON.
 * @throws Problem `not_acceptable`
 */
export function requireJsonAccepted(request: IncomingMessage): void {
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*' || accept.includes('application/json')) return;
  if (/(?:^|[\s,])(?:\*\/\*|application\/(?:\*|problem\+json))/.test(accept)) return;
  throw new Problem('not_acceptable', 'Only application/json is available here.', [
    { code: 'not_acceptable', message: 'Ask for application/json.', parameter: 'Accept' },
  ]);
}
