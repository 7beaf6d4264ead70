/** A mistake in a formula, shown at its place. */
import { Problem } from '../problem.ts';

/** Where the source stands, for error messages. */
export interface Place {
  readonly source: string;
  /** JSON Pointer of the source inside the document. */
  readonly pointer: string;
}

/** How much of a long formula is shown on either side of the mistake. */
const CONTEXT = 60;

/**
 * @param offset UTF-16 units from the start of the source
 * @throws Problem `invalid_document`; `params.offset` counts from 0, `params.caret` is two lines for a fixed-width font:
 *   the source and a `^` under the mistake
 */
export function fault(
  place: Place,
  offset: number,
  message: string,
  code = 'invalid',
  params?: Readonly<Record<string, unknown>>,
): never {
  const from = Math.max(0, offset - CONTEXT);
  const excerpt = place.source.slice(from, offset + CONTEXT).replaceAll(/\s/g, ' ');
  const caret = `${excerpt}\n${' '.repeat(offset - from)}^`;
  const sentence = `${message} (at character ${offset + 1})`;
  throw new Problem('invalid_document', sentence, [
    { code, message: sentence, pointer: place.pointer, params: { offset, caret, ...params } },
  ]);
}
