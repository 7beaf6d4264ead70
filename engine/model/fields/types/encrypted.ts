/**
 * A text that the database never sees: an account number, a diagnosis. It is sealed before it is written and opened for
 * those who may read the field (`engine/vault.ts`, `records/sealed.ts`); nobody filters, sorts or searches by it.
 */
import type { FieldType } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { numberOption, options, refuse, wrongType } from '../base.ts';
import { cleanText, withinLength } from '../text-value.ts';

const DEFAULT_MAX = 200;
const maxOf = (field: Field): number => numberOption(field, 'max', DEFAULT_MAX);

/** What {@link masked} puts before the last characters. */
const DOTS = '••••';

/** All of a text that is shown of a masked field: its last four characters, when it has many more. */
export function masked(text: string): string {
  const characters = Array.from(text);
  return characters.length < 8 ? DOTS : `${DOTS}${characters.slice(-4).join('')}`;
}

export const encrypted: FieldType = {
  key: 'encrypted',
  sealed: true,
  keyed: false,
  options: options({
    max: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Characters at most; 200 when left out.' },
    mask: {
      type: 'boolean',
      description: 'Shows nobody more than the last four characters: who forgot the rest writes it anew.',
    },
  }),
  valueType: 'text',
  columns: (field) => [
    {
      name: field.key,
      type: 'text',
      checks: [
        { suffix: 'sealed', sql: `{} ~ '^v1[.][0-9a-f]{8}[.][A-Za-z0-9_-]{38,}$'` },
        // Four bytes for a character, four characters for three bytes.
        { suffix: 'max', sql: `char_length({}) <= ${6 * maxOf(field) + 100}` },
      ],
    },
  ],
  inputSchema: (field) => ({ type: 'string', maxLength: maxOf(field), ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string' }),
  normalise: (value, field) => {
    if (typeof value !== 'string') return wrongType('text');
    // What a masked field shows came back: the secret would be lost.
    if (value.startsWith(DOTS)) return refuse('masked', 'This is what is shown instead of the value. Write it whole.');
    return cleanText(value, field, false);
  },
  select: (column) => column,
  operators: ['null'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'encrypted',
  importCell: (cell, field) => withinLength(cleanText(cell, field, false), 0, maxOf(field)),
  exportCell: (value) => String(value),
};
