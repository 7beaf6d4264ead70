/**
 * Page cursors: the sort keys of the record at the edge of a page. Signed, so that nobody can make one up and use it
 * as a filter on fields they may not filter by; and bound to the query they came from.
 *
 * base64url of: 16 bytes of HMAC-SHA256, then JSON `[version, direction, query, keys]`. The HMAC's key is derived from
 * the installation's secret and the tenant (HKDF, RFC 5869).
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Problem } from '../../problem.ts';

const VERSION = 1;
const SIGNATURE_BYTES = 16;

export type Direction = 'after' | 'before';

export class Cursors {
  readonly #secret: string;
  readonly #keys = new Map<string, Buffer>();

  /** @param secret the installation's secret */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /**
   * @param query see {@link fingerprint}
   * @param keys the sort keys as Postgres prints them
   */
  encode(tenant: string, direction: Direction, query: string, keys: readonly (string | null)[]): string {
    const payload = Buffer.from(JSON.stringify([VERSION, direction, query, keys]));
    return Buffer.concat([this.#sign(tenant, payload), payload]).toString('base64url');
  }

  /**
   * @param length how many keys there must be
   * @throws Problem `invalid_cursor` for one that was forged, belongs to another tenant or another query
   */
  decode(
    tenant: string,
    direction: Direction,
    query: string,
    length: number,
    cursor: string,
    at: string,
  ): readonly (string | null)[] {
    const bytes = /^[\w-]+$/.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
    const signature = bytes.subarray(0, SIGNATURE_BYTES);
    const payload = bytes.subarray(SIGNATURE_BYTES);
    if (signature.length < SIGNATURE_BYTES || !timingSafeEqual(signature, this.#sign(tenant, payload)))
      throw invalidCursor(at);
    const content: unknown = JSON.parse(payload.toString());
    if (!Array.isArray(content)) throw invalidCursor(at);
    const [version, way, from, keys]: readonly unknown[] = content;
    if (version !== VERSION || way !== direction || from !== query || !isKeys(keys) || keys.length !== length)
      throw invalidCursor(at);
    return keys;
  }

  #sign(tenant: string, payload: Buffer): Buffer {
    let key = this.#keys.get(tenant);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', this.#secret, tenant, 'armature page cursor', 32));
      this.#keys.set(tenant, key);
    }
    return createHmac('sha256', key).update(payload).digest().subarray(0, SIGNATURE_BYTES);
  }
}

function isKeys(keys: unknown): keys is readonly (string | null)[] {
  return Array.isArray(keys) && keys.every((key) => key === null || typeof key === 'string');
}

/** What a cursor is bound to: entity, order, and everything that decides which records there are. */
export function fingerprint(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

function invalidCursor(at: string): Problem {
  const message = 'This page cursor is not valid for this query.';
  return new Problem('invalid_cursor', message, [
    { code: 'invalid_cursor', message, ...(at.startsWith('/') ? { pointer: at } : { parameter: at }) },
  ]);
}
