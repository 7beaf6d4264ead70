/** From the text of a formula to its tokens. */
import { fault, type Place } from './fault.ts';

export interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  /** Digits, the text without its quotes, the name, the sign; empty at the end. */
  readonly text: string;
  /** UTF-16 units from the start of the source. */
  readonly offset: number;
}

/** Longest first, so that `<=` is not read as `<` and `=`. */
const SIGNS = ['!=', '<=', '>=', '(', ')', ',', '+', '-', '*', '/', '%', '&', '=', '<', '>'] as const;

/** What people bring from other languages. */
const MEANT: Readonly<Record<string, string>> = {
  '==': '=',
  '<>': '!=',
  '&&': 'and',
  '||': 'or',
  '!': 'not',
  '"': "'",
};

const SPACE = /[ \t\r\n]+/y;
/** Thirty digits are more than any amount and still exact. */
const NUMBER = /\d{1,30}(?:\.\d{1,30})?/y;
const NAME = /[a-z_][a-z0-9_]*/iy;
/** A quote inside a text is written twice. */
const TEXT = /'(?:[^']|'')*'/y;

/** @throws Problem for a character that starts nothing */
export function tokenize(place: Place): Token[] {
  const { source } = place;
  const tokens: Token[] = [];
  let offset = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(source)?.[0];
  };
  const push = (kind: Token['kind'], text: string, length: number) => {
    tokens.push({ kind, text, offset });
    offset += length;
  };
  while (offset < source.length) {
    const space = take(SPACE);
    if (space !== undefined) {
      offset += space.length;
      continue;
    }
    const number = take(NUMBER);
    if (number !== undefined) {
      push('number', number, number.length);
      // `2a`, `1.2.3` and a 31st digit are none of them two tokens.
      if (/[\w.]/.test(source[offset] ?? '')) fault(place, offset, 'This number is not valid');
      continue;
    }
    const name = take(NAME);
    if (name !== undefined) {
      push('name', name, name.length);
      continue;
    }
    const text = take(TEXT);
    if (text !== undefined) {
      push('text', text.slice(1, -1).replaceAll("''", "'"), text.length);
      continue;
    }
    const start = offset;
    for (const [wrong, right] of Object.entries(MEANT)) {
      // `!=` is right, and not a wrong `!`.
      if (source.startsWith(wrong, start) && !source.startsWith('!=', start)) {
        fault(place, start, `${JSON.stringify(wrong)} is not known here; write ${JSON.stringify(right)}`, 'invalid', {
          nearest: right,
        });
      }
    }
    const sign = SIGNS.find((each) => source.startsWith(each, start));
    if (sign === undefined) {
      const what =
        source[start] === "'" ? 'This text has no end' : `${JSON.stringify(source[start])} is not known here`;
      fault(place, start, what);
    }
    push('sign', sign, sign.length);
  }
  push('end', '', 0);
  return tokens;
}
