/** Free words. In files they are separated by semicolons or commas, so neither can be part of one. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { lengthOf } from '../text-value.ts';
import { numberOption, options, refuse, wrongType } from '../base.ts';

const MAX_TAGS = 50;
const MAX_LENGTH = 60;
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[;,\u0000-\u001F\u007F]|\p{Surrogate}/u;

function parse(words: readonly string[], field: Field): Parsed {
  const max = numberOption(field, 'max', MAX_TAGS);
  const tags = new Set<string>();
  for (const word of words) {
    const tag = word.normalize('NFC').trim().replaceAll(/\s+/g, ' ');
    if (tag === '') continue;
    if (FORBIDDEN.test(tag))
      return refuse('tag', `“${tag.slice(0, 40)}” cannot be a tag: no commas, semicolons or line breaks.`);
    if (lengthOf(tag) > MAX_LENGTH)
      return refuse('too_long', `A tag has at most ${MAX_LENGTH} characters.`, { max: MAX_LENGTH });
    tags.add(tag);
  }
  if (tags.size > max) return refuse('too_many', `At most ${max} tags; these are ${tags.size}.`, { max });
  if (tags.size === 0) return field.required ? refuse('required', 'This is required.') : { value: null };
  return { value: [...tags] };
}

export const tags: FieldType = {
  key: 'tags',
  options: options({
    max: { type: 'integer', minimum: 1, maximum: 200, description: 'Tags at most; 50 when left out.' },
  }),
  valueType: 'texts',
  columns: (field) => [
    {
      name: field.key,
      type: 'text[]',
      checks: [{ suffix: 'max', sql: `cardinality({}) <= ${numberOption(field, 'max', MAX_TAGS)}` }],
    },
  ],
  inputSchema: () => ({ type: 'array', items: { type: 'string', maxLength: MAX_LENGTH * 2 }, maxItems: 1000 }),
  outputSchema: () => ({ type: 'array', items: { type: 'string' } }),
  normalise: (value, field) => (Array.isArray(value) ? parse(value, field) : wrongType('a list of tags')),
  select: (column) => column,
  operators: ['has', 'hasAny', 'hasAll', 'null'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'tags',
  importCell: (cell, field) => parse(cell.split(/[;,]/), field),
  exportCell: (value) => (Array.isArray(value) ? value.join('; ') : String(value)),
};
