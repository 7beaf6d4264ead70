/** Text of several lines. */
import type { FieldType } from '../../field-type.ts';
import { numberOption, options, wrongType } from '../base.ts';
import { cleanText, withinLength } from '../text-value.ts';

const DEFAULT_MAX = 20_000;

export const longText: FieldType = {
  key: 'long_text',
  keyed: false,
  options: options({
    max: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'Characters at most; 20,000 when left out.' },
  }),
  valueType: 'text',
  columns: (field) => [
    {
      name: field.key,
      type: 'text',
      checks: [{ suffix: 'max', sql: `char_length({}) <= ${numberOption(field, 'max', DEFAULT_MAX)}` }],
    },
  ],
  inputSchema: (field) => ({
    type: 'string',
    maxLength: numberOption(field, 'max', DEFAULT_MAX),
    ...(field.required ? { minLength: 1 } : {}),
  }),
  outputSchema: () => ({ type: 'string' }),
  normalise: (value, field) => (typeof value === 'string' ? cleanText(value, field, true) : wrongType('text')),
  select: (column) => column,
  operators: ['null', 'contains', 'icontains', 'starts', 'istarts', 'ends', 'like', 'ilike', 'search', 'eq', 'ne'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'textarea',
  importCell: (cell, field) => withinLength(cleanText(cell, field, true), 0, numberOption(field, 'max', DEFAULT_MAX)),
  exportCell: (value) => String(value),
};
