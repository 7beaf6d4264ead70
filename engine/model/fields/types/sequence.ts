/** A number that the engine gives: `O-00042`. Numbers rise, and gaps are possible (a refused write uses one up). */
import type { FieldType } from '../../field-type.ts';
import { accept, numberOption, options, TEXTUAL, textOption, wrongType } from '../base.ts';

export const sequence: FieldType = {
  key: 'sequence',
  readOnly: true,
  options: options({
    prefix: {
      type: 'string',
      pattern: '^[A-Za-z0-9/._-]{0,20}$',
      description: 'What stands before the number, e.g. `O-`.',
    },
    digits: {
      type: 'integer',
      minimum: 1,
      maximum: 15,
      description: 'Digits at least, filled up with zeros; 5 when left out.',
    },
    start: { type: 'integer', minimum: 0, maximum: 1_000_000_000, description: 'The first number; 1 when left out.' },
  }),
  valueType: 'text',
  columns: (field) => [
    {
      name: field.key,
      type: 'text',
      sequence: {
        prefix: textOption(field, 'prefix') ?? '',
        digits: numberOption(field, 'digits', 5),
        start: numberOption(field, 'start', 1),
      },
    },
  ],
  inputSchema: () => null,
  outputSchema: () => ({ type: 'string' }),
  normalise: (value) => (typeof value === 'string' ? accept(value) : wrongType('text')),
  select: (column) => column,
  operators: TEXTUAL,
  sortable: true,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'readonly',
  importCell: (cell) => accept(cell),
  exportCell: (value) => String(value),
};
