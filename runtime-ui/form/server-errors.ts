/** Refusals of the server, put beside the fields their pointers name. */
import type { ErrorSchema } from '@rjsf/utils';
import type { ProblemDetail } from '../api/problem.ts';
import { detailText } from '../i18n/refusals.ts';
import type { Values } from './wire.ts';

export interface Placed {
  readonly beside: ErrorSchema<Values>;
  /** Sentences about nothing that the form shows. */
  readonly other: readonly string[];
}

/**
 * @param pathOf where in the form a pointer leads; empty when nowhere
 * @param shown keys of the fields the form has
 */
export function serverErrors(
  errors: readonly ProblemDetail[],
  pathOf: (pointer: string) => readonly string[],
  shown: readonly string[],
): Placed {
  const beside: Record<string, unknown> = {};
  const other: string[] = [];
  for (const error of errors) {
    const path = error.pointer === undefined ? [] : pathOf(error.pointer);
    const [first] = path;
    if (first === undefined || !shown.includes(first)) {
      other.push(detailText(error));
      continue;
    }
    let place = beside;
    for (const key of path) {
      const next = place[key];
      const inner: Record<string, unknown> = typeof next === 'object' && next !== null ? { ...next } : {};
      place[key] = inner;
      place = inner;
    }
    const known = place['__errors'];
    place['__errors'] = [...(Array.isArray(known) ? known : []), detailText(error)];
  }
  // The shape is rjsf's own: nested by path, messages under `__errors`.
  return { beside: beside as ErrorSchema<Values>, other };
}
