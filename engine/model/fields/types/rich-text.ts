/**
 * Text with headings, lists and links: HTML that was cleaned when it was written. Its words stand in the companion
 * `<key>_text`, which the database computes: that is what people filter, search and see in lists.
 */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, numberOption, options, refuse, wrongType } from '../base.ts';
import { htmlOf, isBlank, plainText, sanitised } from '../rich-text.ts';
import { cleanText, lengthOf } from '../text-value.ts';

const DEFAULT_MAX = 100_000;
/** What is sent may be this much longer than what is left of it: editors send attributes and classes. */
const SLACK = 4;

const maxOf = (field: Field): number => numberOption(field, 'max', DEFAULT_MAX);

function parse(html: string, field: Field): Parsed {
  const clean = cleanText(html, field, true);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const kept = sanitised(clean.value);
  if (isBlank(kept)) return field.required ? refuse('required', 'This is required.') : accept(null);
  const max = maxOf(field);
  const length = lengthOf(kept);
  if (length > max)
    return refuse('too_long', `At most ${max} characters with their markup; this has ${length}.`, { max });
  return accept(kept);
}

/** Whether a cell of a file is meant as HTML. */
const isHtml = (cell: string): boolean => /<\/?[a-z][a-z0-9]*(\s[^<>]*)?\/?>/i.test(cell);

export const richText: FieldType = {
  key: 'rich_text',
  keyed: false,
  companions: [{ suffix: '_text', type: 'plain_text', label: 'text', searched: true }],
  options: options({
    max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description: 'Characters at most, markup counted; 100,000 when left out.',
    },
  }),
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'max', sql: `char_length({}) <= ${maxOf(field)}` }] },
  ],
  inputSchema: (field) => ({
    type: 'string',
    maxLength: maxOf(field) * SLACK,
    contentMediaType: 'text/html',
    ...(field.required ? { minLength: 1 } : {}),
  }),
  outputSchema: () => ({ type: 'string', contentMediaType: 'text/html' }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('text')),
  select: (column) => column,
  // Its words are asked for in the companion; here a filter would find markup.
  operators: ['null'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'richtext',
  importCell: (cell, field) => parse(isHtml(cell) ? cell : htmlOf(cell), field),
  exportCell: (value) => plainText(String(value)),
  // With its markup: what comes back from a file must not flatten it. Its words alone stand in the companion.
  fileCell: (value) => (isHtml(String(value)) ? String(value) : `<html>${String(value)}</html>`),
};
