/**
 * Any JSON: what another system sent, settings of an integration. It is kept and answered as it is; the only question
 * to it is whether there is one.
 */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { isObject } from '../../documents.ts';
import { inexactNumber } from '../../exact-numbers.ts';
import { accept, numberOption, options, refuse } from '../base.ts';
import { isStorable } from '../text-value.ts';

const MAX_BYTES = 65_536;
const MAX_DEPTH = 20;
/** Keys that change what an object is when somebody copies it carelessly. */
const POLLUTING: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** @param text JSON text. Refuses what is too large, too deep, would be changed, or would pollute prototypes. */
function parse(text: string, field: Field): Parsed {
  const bytes = Buffer.byteLength(text);
  const max = numberOption(field, 'max', MAX_BYTES);
  if (bytes > max)
    return refuse('too_large', `At most ${max} bytes of JSON; these are ${bytes}.`, { max, unit: 'bytes' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('json', `“${text.slice(0, 40)}” is not JSON.`);
  }
  const inexact = inexactNumber(text);
  if (inexact) return { error: inexact.error };
  if (value === null) return field.required ? refuse('required', 'This is required.') : accept(null);
  return fault(value, numberOption(field, 'maxDepth', MAX_DEPTH)) ?? accept(JSON.stringify(value));
}

/** Looks at everything in a value, without recursion: how deep it goes is what is to be found out. */
function fault(root: unknown, maxDepth: number): Parsed | null {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && !isStorable(value))
      return refuse('control_character', 'This text holds characters that cannot be stored.');
    if (typeof value !== 'object' || value === null) continue;
    if (depth > maxDepth) return refuse('too_deep', `At most ${maxDepth} levels of JSON.`, { max: maxDepth });
    for (const key of Object.keys(value)) {
      if (POLLUTING.has(key)) return refuse('json_key', `A key may not be “${key}”.`, { key });
      if (!isStorable(key)) return refuse('control_character', 'A key holds characters that cannot be stored.');
    }
    for (const item of Array.isArray(value) || isObject(value) ? Object.values(value) : [])
      pending.push({ value: item, depth: depth + 1 });
  }
  return null;
}

export const json: FieldType = {
  key: 'json',
  structured: true,
  keyed: false,
  options: options({
    max: { type: 'integer', minimum: 100, maximum: 1_000_000, description: 'Bytes at most; 65,536 when left out.' },
    maxDepth: { type: 'integer', minimum: 1, maximum: 60, description: 'Levels at most; 20 when left out.' },
  }),
  valueType: 'json',
  columns: (field) => [
    // Twice the bytes: Postgres writes spaces that the text had not.
    {
      name: field.key,
      type: 'jsonb',
      checks: [{ suffix: 'max', sql: `octet_length({}::text) <= ${2 * numberOption(field, 'max', MAX_BYTES)}` }],
    },
  ],
  inputSchema: () => ({ description: 'Any JSON value.' }),
  outputSchema: () => ({ description: 'Any JSON value.' }),
  normalise: (value, field) => parse(typeof value === 'string' ? value : JSON.stringify(value), field),
  select: (column) => column,
  operators: ['null'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'json',
  importCell: parse,
  exportCell: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
};
