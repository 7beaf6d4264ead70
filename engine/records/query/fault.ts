/** Refusals of a query: one sentence, and the name of the parameter or the pointer where it stands. */
import type { ProblemCode } from '../../problem.ts';
import { Problem } from '../../problem.ts';

/**
 * @param at a JSON Pointer (empty, or starting with `/`), or else the name of a query parameter
 * @throws Problem always
 */
export function refuse(
  at: string,
  code: ProblemCode,
  message: string,
  params?: Readonly<Record<string, unknown>>,
): never {
  throw new Problem(code, message, [
    {
      code,
      message,
      ...(at === '' || at.startsWith('/') ? { pointer: at } : { parameter: at }),
      ...(params === undefined ? {} : { params }),
    },
  ]);
}

/** A value that cannot be read: `invalid_parameter` with what would have been. */
export function invalid(at: string, message: string, expected: unknown, found: unknown): never {
  return refuse(at, 'invalid_parameter', message, { expected, found: shorten(found) });
}

/** What was found, short enough to be repeated. */
export function shorten(found: unknown): unknown {
  return typeof found === 'string' && found.length > 60 ? `${found.slice(0, 60)}…` : found;
}
