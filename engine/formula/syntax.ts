/**
 * Pratt parser (top-down operator precedence, V. Pratt 1973): tokens to a tree without types.
 *
 * | binds      | operators              |
 * | ---------- | ---------------------- |
 * | loosest    | `or`                   |
 * |            | `and`                  |
 * |            | `not x`                |
 * |            | `= != < <= > >=`, once |
 * |            | `&`                    |
 * |            | `+ -`                  |
 * |            | `* / %`                |
 * | tightest   | `-x`                   |
 */
import { fault, type Place } from './fault.ts';
import { LIMITS } from './formula.ts';
import { type Token, tokenize } from './tokens.ts';

export type Node =
  | { readonly kind: 'number' | 'text' | 'date'; readonly text: string; readonly offset: number }
  | { readonly kind: 'constant'; readonly value: boolean | null; readonly offset: number }
  | { readonly kind: 'field'; readonly name: string; readonly offset: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Node[];
      readonly offset: number;
      /** Written as an operator, and not as a name with parentheses. */
      readonly operator: boolean;
    };

const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='];
const POWER: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  ...Object.fromEntries(COMPARISONS.map((sign) => [sign, 4])),
  '&': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
};
const NOT_POWER = 3;
const SIGN_POWER = 8;

const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** @throws Problem at the first mistake */
export function parseSyntax(place: Place): Node {
  if (place.source.length > LIMITS.length) {
    fault(place, LIMITS.length, `A formula may have at most ${LIMITS.length} characters`, 'too_large', {
      max: LIMITS.length,
    });
  }
  const parser = new Parser(place);
  const node = parser.expression(0, 1);
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #place: Place;
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(place: Place) {
    this.#place = place;
    this.#tokens = tokenize(place);
  }

  /** An expression whose operators all bind tighter than `power`. */
  expression(power: number, depth: number): Node {
    if (depth > LIMITS.depth) {
      fault(this.#place, this.#peek().offset, `A formula may be at most ${LIMITS.depth} levels deep`, 'too_deep', {
        max: LIMITS.depth,
      });
    }
    let left = this.#prefix(depth);
    for (;;) {
      const token = this.#peek();
      const own = this.#isOperator(token) ? (POWER[token.text] ?? 0) : 0;
      if (own <= power) return left;
      this.#position += 1;
      const right = this.expression(own, depth + 1);
      left = { kind: 'call', name: token.text, args: [left, right], offset: token.offset, operator: true };
      const next = this.#peek();
      if (COMPARISONS.includes(token.text) && COMPARISONS.includes(next.text) && next.kind === 'sign') {
        fault(this.#place, next.offset, 'Comparisons cannot be chained; connect two of them with "and"');
      }
    }
  }

  expectEnd(): void {
    const token = this.#peek();
    if (token.kind !== 'end') this.#unexpected(token, 'An operator or the end of the formula');
  }

  #prefix(depth: number): Node {
    const token = this.#peek();
    this.#position += 1;
    const { offset, text } = token;
    if (token.kind === 'number') return { kind: 'number', text, offset };
    if (token.kind === 'text') return { kind: 'text', text, offset };
    if (token.kind === 'name') return this.#name(token, depth);
    if (token.kind === 'sign' && text === '(') {
      const node = this.expression(0, depth + 1);
      this.#expect(')');
      return node;
    }
    if (token.kind === 'sign' && text === '-') {
      return { kind: 'call', name: 'negate', args: [this.expression(SIGN_POWER, depth + 1)], offset, operator: true };
    }
    return this.#unexpected(token, 'A field, a value or a function');
  }

  #name(token: Token, depth: number): Node {
    const { offset, text } = token;
    if (Object.hasOwn(CONSTANTS, text)) return { kind: 'constant', value: CONSTANTS[text] ?? null, offset };
    if (text === 'not')
      return { kind: 'call', name: 'not', args: [this.expression(NOT_POWER, depth + 1)], offset, operator: true };
    if (text === 'and' || text === 'or') return this.#unexpected(token, 'A field, a value or a function');
    const next = this.#peek();
    if (text === 'date' && next.kind === 'text') {
      this.#position += 1;
      return { kind: 'date', text: next.text, offset: next.offset };
    }
    if (!this.#isSign('(')) return { kind: 'field', name: text, offset };
    this.#position += 1;
    const args: Node[] = [];
    if (!this.#isSign(')')) {
      args.push(this.expression(0, depth + 1));
      while (this.#isSign(',')) {
        this.#position += 1;
        args.push(this.expression(0, depth + 1));
      }
    }
    this.#expect(')');
    return { kind: 'call', name: text, args, offset, operator: false };
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '', offset: this.#place.source.length };
  }

  #isSign(sign: string): boolean {
    const token = this.#peek();
    return token.kind === 'sign' && token.text === sign;
  }

  #isOperator(token: Token): boolean {
    return token.kind === 'sign' || (token.kind === 'name' && (token.text === 'and' || token.text === 'or'));
  }

  #expect(sign: string): void {
    if (!this.#isSign(sign)) this.#unexpected(this.#peek(), JSON.stringify(sign));
    this.#position += 1;
  }

  #unexpected(token: Token, expected: string): never {
    const found = token.kind === 'end' ? 'the end' : JSON.stringify(token.text);
    fault(this.#place, token.offset, `${expected} is expected here, found ${found}`, 'invalid', {
      expected,
      found: token.text,
    });
  }
}
