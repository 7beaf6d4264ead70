/** Rules that all texts share. */
import type { Parsed } from '../field-type.ts';
import type { Field } from '../model.ts';
import { accept, refuse } from './base.ts';

// Postgres cannot store NUL, and the other control characters are never meant; tab and line breaks are.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/;
/** Most texts of most files: nothing of it can be wrong, nothing has another form. */
const PLAIN = /^[\x20-\x7E]+$/;

/** Whether it can be stored: in a text, or anywhere in JSON (a token of `records/sealed.ts` begins with a control character). */
export function isStorable(text: string): boolean {
  return !CONTROL.test(text) && text.isWellFormed();
}

/**
 * Unicode-normalised (NFC) and trimmed. `lines: false` turns line breaks into spaces.
 * Empty text is the absence of a value: null, or an error when the field is required.
 */
export function cleanText(text: string, field: Field, lines: boolean): Parsed {
  if (PLAIN.test(text)) {
    const clean = text.trim();
    if (clean !== '') return accept(clean);
  }
  if (!isStorable(text)) {
    return refuse('control_character', 'This text holds characters that cannot be stored.');
  }
  const normal = text.normalize('NFC').replaceAll(/\r\n?/g, '\n');
  const clean = (lines ? normal : normal.replaceAll(/\s*\n\s*/g, ' ')).trim();
  if (clean !== '') return accept(clean);
  return field.required ? refuse('required', 'This is required.') : accept(null);
}

/** Length in characters as Postgres counts them (`char_length`): code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Checks a cell of a file against bounds that the API checks by schema. */
export function withinLength(parsed: Parsed, min: number, max: number): Parsed {
  if ('error' in parsed || typeof parsed.value !== 'string') return parsed;
  const length = lengthOf(parsed.value);
  if (length > max) return refuse('too_long', `At most ${max} characters; this has ${length}.`, { max, length });
  if (length < min) return refuse('too_short', `At least ${min} characters; this has ${length}.`, { min, length });
  return parsed;
}
