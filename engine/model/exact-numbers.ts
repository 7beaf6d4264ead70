/**
 * Numbers in JSON that would not stay what they are. JavaScript reads every number as a double: `12345678901234567890`
 * becomes `12345678901234567000`, and nobody is told. Such a number is refused; as text it is kept as it stands.
 */
import { Decimal } from 'decimal.js';
import type { ValueError } from './field-type.ts';

export interface InexactNumber {
  /** JSON Pointer (RFC 6901) to where it stands. */
  readonly pointer: string;
  readonly error: ValueError;
}

/**
 * Up to fifteen digits survive always, unless an exponent of three digits takes them out of range. Most bodies have no
 * such number, and are not gone through: what stands right behind a quote, such as an id, is none.
 */
const SUSPECT = /(?:^|[[,:\s])-?(?:[\d.]{16}|[\d.]+[eE][+-]?\d{3})/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[[\]{},]/g;

/** @param text valid JSON. The first number in it that would be changed; `null` when there is none. */
export function inexactNumber(text: string): InexactNumber | null {
  if (!SUSPECT.test(text)) return null;
  /** Where the scan stands: the index in each open array, the key in each open object (`null` before it is known). */
  const path: (number | string | null)[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const last = path.at(-1);
    if (token === '[') path.push(0);
    else if (token === '{') path.push(null);
    else if (token === ']' || token === '}') path.pop();
    else if (token === ',') path[path.length - 1] = typeof last === 'number' ? last + 1 : null;
    else if (token.startsWith('"')) {
      if (last === null) path[path.length - 1] = String(JSON.parse(token));
    } else if (!survives(token)) {
      const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token;
      const message = `The number ${shown} cannot be kept exactly. Send it as text.`;
      return { pointer, error: { code: 'inexact_number', message } };
    }
  }
  return null;
}

function survives(token: string): boolean {
  const number = Number(token);
  return Number.isFinite(number) && new Decimal(token).equals(String(number));
}
