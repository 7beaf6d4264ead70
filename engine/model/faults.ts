/** Collects what is wrong with documents, so that an author sees all of it at once. */
import { Problem, type ProblemDetail } from '../problem.ts';
import { nearest } from '../nearest.ts';

/** A place in a document: its source and a JSON Pointer (RFC 6901) into it. */
export interface Place {
  readonly document: string;
  readonly pointer: string;
}

/** More of them help nobody, and a broken document could bring thousands. */
const MAX_FAULTS = 200;

export class Faults {
  readonly #details: ProblemDetail[] = [];

  get count(): number {
    return this.#details.length;
  }

  /**
   * @param code `unknown_property`, `missing`, `unknown_reference`, `duplicate`, `reserved`, `cycle`, `invalid`, …
   * @param params machine-readable: `found`, `expected`, `nearest`
   */
  add(place: Place, code: string, message: string, params?: Readonly<Record<string, unknown>>): void {
    if (this.#details.length >= MAX_FAULTS) return;
    this.#details.push({
      code,
      message,
      pointer: place.pointer,
      document: place.document,
      ...(params ? { params } : {}),
    });
  }

  /** A name that nothing has: with what was probably meant. */
  unknown(place: Place, what: string, found: string, candidates: Iterable<string>): void {
    const known = [...candidates];
    const suggestion = nearest(found, known);
    this.add(place, 'unknown_reference', `There is no ${what} “${found}”.${didYouMean(suggestion)}`, {
      found,
      expected: known.slice(0, 50),
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
  }

  /** Takes over what another part found; anything but an `invalid_document` is a defect and goes on. */
  absorb(error: unknown): void {
    if (!(error instanceof Problem) || error.code !== 'invalid_document') throw error;
    for (const detail of error.errors) if (this.#details.length < MAX_FAULTS) this.#details.push(detail);
  }

  /** @throws Problem `invalid_document` when anything was added */
  check(): void {
    const first = this.#details[0];
    if (!first) return;
    const rest = this.#details.length - 1;
    const where = `${first.document ?? ''}${first.pointer ?? ''}`;
    const more = rest > 0 ? ` (and ${rest} more)` : '';
    throw new Problem('invalid_document', `${where}: ${first.message}${more}`, this.#details);
  }
}

/** `base` and the keys under it as a JSON Pointer: `~` is `~0`, `/` is `~1` (RFC 6901 §3). */
export function pointer(base: string, ...keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`, base);
}

export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` Did you mean “${suggestion}”?`;
}

/** What a person would call this JSON value, short: `text "won"`, `a list of 3`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return `text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  return typeof value === 'number' || typeof value === 'boolean' ? `${typeof value} ${value}` : typeof value;
}
