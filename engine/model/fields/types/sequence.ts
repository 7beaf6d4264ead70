/**
 * A number that the engine gives: `O-00042`. Numbers rise, and gaps are possible (a refused write uses one up), unless the
 * field is `gapless`: then each is drawn in the transaction that stores the record, and the next one waits for its end.
 * Numbers without gaps rise in the order in which their transactions are committed.
 */
import type { FieldType } from '../../field-type.ts';
import { accept, numberOption, options, TEXTUAL, textOption, wrongType } from '../base.ts';

export const sequence: FieldType = {
  key: 'sequence',
  readOnly: true,
  options: options({
    sequence: {
      $ref: 'common.schema.json#/$defs/name',
      description: 'A sequence document to draw from, shared with other fields; it says prefix, digits and start.',
    },
    prefix: {
      type: 'string',
      pattern: '^([A-Za-z0-9/._-]|\\{yyyy\\}|\\{yy\\}){0,20}$',
      description:
        'What stands before the number, e.g. `O-`. In a gapless one `{yyyy}` or `{yy}` is the year, and every year begins anew.',
    },
    digits: {
      type: 'integer',
      minimum: 1,
      maximum: 15,
      description: 'Digits at least, filled up with zeros; 5 when left out.',
    },
    gapless: {
      type: 'boolean',
      description: 'No number is left out, as invoices need it. Records are then created one after the other.',
    },
    start: { type: 'integer', minimum: 0, maximum: 1_000_000_000, description: 'The first number; 1 when left out.' },
  }),
  contradiction: (field) =>
    textOption(field, 'prefix')?.includes('{') && field.options['gapless'] !== true
      ? { option: 'prefix', message: 'Only a gapless sequence has the year in its prefix.' }
      : null,
  valueType: 'text',
  columns: (field) => [
    {
      name: field.key,
      type: 'text',
      sequence: {
        prefix: textOption(field, 'prefix') ?? '',
        digits: numberOption(field, 'digits', 5),
        start: numberOption(field, 'start', 1),
        gapless: field.options['gapless'] === true,
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
