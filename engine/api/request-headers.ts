/** The request headers that change what a record route does: ETags, idempotency keys, preferences. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.ts';
import type { DuplicateWish } from '../records/duplicates/on-create.ts';
import { MANY_LIMITS } from '../records/write/limits.ts';

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

/** What `If-Match` demands: any version of a record that exists, or one of these; `null` without the header. */
export type IfMatch = '*' | readonly number[] | null;

const OUR_TAG = /^"v([1-9]\d{0,8})(?:\.[A-Za-z0-9_-]{1,32})?"$/;
/** RFC 9110 §8.8.3, and the list of §5.6.1: empty elements are ignored. */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/y;

/** The tags of a list, each with whether it is weak; `null` when it is no list of tags. */
function tagsIn(header: string): readonly { readonly weak: boolean; readonly tag: string }[] | null {
  const tags: { weak: boolean; tag: string }[] = [];
  let at = 0;
  while (at < header.length) {
    if (/[\s,]/.test(header.charAt(at))) {
      at += 1;
      continue;
    }
    TAG.lastIndex = at;
    const found = TAG.exec(header);
    if (!found) return null;
    tags.push({ weak: found[1] !== undefined, tag: found[2] ?? '' });
    at = TAG.lastIndex;
    if (at < header.length && !/^\s*(?:,|$)/.test(header.slice(at))) return null;
  }
  return tags.length === 0 ? null : tags;
}

/**
 * `If-Match` compares versions, strongly (RFC 9110 §13.1.1): the hash in a tag is of the answer and not of the record,
 * and a weak tag never matches.
 * @throws Problem `invalid_header` when it is no list of tags; `precondition_failed` when none of them can match
 */
export function ifMatch(request: IncomingMessage): IfMatch {
  const header = request.headers['if-match']?.trim();
  if (header === undefined) return null;
  if (header === '*') return '*';
  const tags = tagsIn(header);
  if (tags === null)
    throw invalidHeader('If-Match', 'If-Match must be the ETag of the record as you read it, e.g. "v3.x1Y2".');
  const versions = tags.flatMap(({ weak, tag }) => {
    const version = weak ? undefined : OUR_TAG.exec(tag)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
  if (versions.length > 0) return versions;
  const message = tags.some(({ weak }) => weak)
    ? 'A weak entity tag never matches. Send the strong one of the record.'
    : 'No record has this entity tag.';
  throw new Problem('precondition_failed', message, [{ code: 'version', message, parameter: 'If-Match' }]);
}

/**
 * As {@link ifMatch}, where one version at most can be asked for; `null` for any.
 * @throws Problem `invalid_header` for several
 */
export function ifMatchOne(request: IncomingMessage): number | null {
  const match = ifMatch(request);
  if (match === null || match === '*') return null;
  const [version = null, ...more] = match;
  if (more.length > 0) throw invalidHeader('If-Match', 'If-Match can have one ETag here.');
  return version;
}

/**
 * Of a write: whether the record must not exist yet, `If-None-Match: *`.
 * @throws Problem `invalid_header` for a tag: whoever changes what they have read says so with `If-Match`
 */
export function mustNotExist(request: IncomingMessage): boolean {
  const header = request.headers['if-none-match']?.trim();
  if (header !== undefined && header !== '*')
    throw invalidHeader(
      'If-None-Match',
      'A write can have “If-None-Match: *” alone. To change what you have read, send If-Match.',
    );
  return header === '*';
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
  /** `return=minimal`: no body in the answer. */
  readonly minimal: boolean;
  /** `tx=rollback`: a dry run. */
  readonly dryRun: boolean;
  /** `max-affected=N`: how many records a filter may match; 0: none must. */
  readonly maxAffected: number | null;
  /** `Prefer: duplicates=refuse`, `=report` or `=ignore`: whether to look for records like those that are created. */
  readonly duplicates?: DuplicateWish;
}

const DEFAULT_PREFERENCES: Preferences = { minimal: false, dryRun: false, maxAffected: null };

const DUPLICATE_WISHES: readonly DuplicateWish[] = ['refuse', 'report', 'ignore'];

/** Everything that is known. What is known and does not apply to a request is fulfilled by doing nothing. */
const KNOWN_PREFERENCES: ReadonlySet<string> = new Set([
  'return=minimal',
  'return=representation',
  'tx=rollback',
  'tx=commit',
  'handling=strict',
  'handling=lenient',
  ...DUPLICATE_WISHES.map((wish) => `duplicates=${wish}`),
]);

/**
 * RFC 7240: what is not known is ignored, unless `handling=strict` asks to refuse it. A limit that cannot be read is
 * refused always: to ignore it would change more than was allowed.
 * @throws Problem `invalid_header`
 */
export function preferencesOf(request: IncomingMessage): Preferences {
  const header = request.headers['prefer'];
  if (header === undefined) return DEFAULT_PREFERENCES;
  const wishes = (Array.isArray(header) ? header.join(',') : header)
    .split(/[,;]/)
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .replaceAll('"', '')
        .replaceAll(/\s*=\s*/g, '='),
    )
    .filter((part) => part !== '');
  const limit = wishes.find((wish) => wish.startsWith('max-affected'));
  const duplicates = DUPLICATE_WISHES.find((wish) => wishes.includes(`duplicates=${wish}`));
  const unknown = wishes.find((wish) => wish !== limit && !KNOWN_PREFERENCES.has(wish));
  if (unknown !== undefined && wishes.includes('handling=strict'))
    throw invalidHeader('Prefer', `The preference “${unknown.slice(0, 60)}” is not known.`);
  return {
    minimal: wishes.includes('return=minimal'),
    dryRun: wishes.includes('tx=rollback'),
    maxAffected: limit === undefined ? null : maxAffected(limit),
    ...(duplicates && { duplicates }),
  };
}

function maxAffected(wish: string): number {
  const [, text = ''] = wish.split('=');
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 0 && number <= MANY_LIMITS.most) return number;
  throw invalidHeader('Prefer', `max-affected is a whole number from 0 to ${MANY_LIMITS.most}.`);
}

/**
 * Refuses a request that wants no JSON.
 * @param also further media types that the address answers
 * @throws Problem `not_acceptable`
 */
export function requireJsonAccepted(request: IncomingMessage, also: readonly string[] = []): void {
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*' || accept.includes('application/json')) return;
  if (/(?:^|[\s,])(?:\*\/\*|application\/(?:\*|problem\+json))/.test(accept)) return;
  const types = ['application/json', ...also];
  const message =
    also.length === 0 ? 'Only application/json is available here.' : `Available here: ${types.join(', ')}.`;
  throw new Problem('not_acceptable', message, [
    { code: 'not_acceptable', message: `Ask for ${types.join(' or ')}.`, parameter: 'Accept', params: { types } },
  ]);
}
