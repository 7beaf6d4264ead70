/** Collects what is wrong with a condition, so that an author sees all of it at once. */
import type { ProblemCode, ProblemDetail } from '../problem.ts';
import { Problem } from '../problem.ts';

/** Where the condition came from, which decides the problem it is refused with. */
export interface Origin {
  /** `invalid_document` for metadata; `invalid_parameter` (the default) for what a client sent. */
  readonly problem?: 'invalid_document' | 'invalid_parameter';
  /** For metadata: the document the pointers point into. */
  readonly document?: string;
}

/** What a refusal calls an entity. @param known its fields that may be named; without any it may not be named itself */
export function nameOf({ name }: { readonly name: string }, known: readonly unknown[]): string {
  return known.length === 0 ? 'a record that you may see' : name;
}

/** More of them help nobody, and a hostile document could have thousands. */
const MAX_FAULTS = 20;

export class Faults {
  readonly #origin: Origin;
  readonly #details: ProblemDetail[] = [];

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /**
   * @param at a JSON Pointer; a text that is neither empty nor starts with `/` is the name of a query parameter
   * @param code `unknown_field`, `unknown_operator`, `too_deep`, `too_large` or `invalid`
   */
  add(at: string, code: string, message: string, params?: Readonly<Record<string, unknown>>): void {
    const { document } = this.#origin;
    this.#details.push({
      code,
      message,
      ...(at === '' || at.startsWith('/') ? { pointer: at } : { parameter: at }),
      ...(document === undefined ? {} : { document }),
      ...(params === undefined ? {} : { params }),
    });
    if (this.#details.length >= MAX_FAULTS) this.check();
  }

  /** For a fault after which it is not worth looking further. */
  stop(at: string, code: string, message: string, params?: Readonly<Record<string, unknown>>): never {
    this.add(at, code, message, params);
    throw this.#problem();
  }

  /** @throws Problem when anything was added */
  check(): void {
    if (this.#details.length > 0) throw this.#problem();
  }

  #problem(): Problem {
    const first = this.#details[0];
    const rest = this.#details.length - 1;
    const detail = `${first?.message ?? ''}${rest > 0 ? ` (and ${rest} more)` : ''}`;
    return new Problem(this.#code(), detail, this.#details);
  }

  /** A client's filter that only names unknown fields is refused as exactly that; a document is always `invalid_document`. */
  #code(): ProblemCode {
    if (this.#origin.problem === 'invalid_document') return 'invalid_document';
    for (const code of ['unknown_field', 'unknown_operator'] as const) {
      if (this.#details.every((detail) => detail.code === code)) return code;
    }
    return 'invalid_parameter';
  }
}

/** The JSON Pointer of `key` inside what `pointer` points at (RFC 6901 §3: `~` is `~0`, `/` is `~1`). */
export function at(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** What a person would call this JSON value: `text "won"`, `a list of 3`, `nothing`. Short, whatever was sent. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return `text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  return `${typeof value} ${JSON.stringify(value)}`;
}

/** ` Did you mean "amount"?`, or nothing. */
export function hint(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
}
