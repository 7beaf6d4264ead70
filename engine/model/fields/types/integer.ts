/** A whole number. `bigint` in the database; kept within what JSON numbers carry exactly. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, numberOption, options, ORDERED, refuse, wrongType } from '../base.ts';
import { fixedDecimal, readNumber } from '../number-text.ts';

const bounds = (field: Field) => ({
  min: Math.max(numberOption(field, 'min', Number.MIN_SAFE_INTEGER), Number.MIN_SAFE_INTEGER),
  max: Math.min(numberOption(field, 'max', Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER),
});

function within(value: number, field: Field): Parsed {
  const { min, max } = bounds(field);
  if (!Number.isSafeInteger(value)) return refuse('number_too_large', 'This number is too large to be kept exactly.');
  if (value < min) return refuse('too_small', `At least ${min}.`, { min });
  if (value > max) return refuse('too_large', `At most ${max}.`, { max });
  return accept(value === 0 ? 0 : value);
}

export const integer: FieldType = {
  key: 'integer',
  options: options({
    min: { type: 'integer', description: 'The smallest value.' },
    max: { type: 'integer', description: 'The largest value.' },
    grouping: {
      type: 'boolean',
      description: 'Shown with thousands separators; true when left out. Years, for one, are not.',
    },
  }),
  valueType: 'integer',
  columns: (field) => {
    const { min, max } = bounds(field);
    return [{ name: field.key, type: 'bigint', checks: [{ suffix: 'range', sql: `{} between ${min} and ${max}` }] }];
  },
  inputSchema: (field) => {
    const { min, max } = bounds(field);
    return { type: 'integer', minimum: min, maximum: max };
  },
  outputSchema: () => ({ type: 'integer' }),
  normalise: (value, field) => (typeof value === 'number' ? within(value, field) : wrongType('a whole number')),
  select: (column) => column,
  operators: ORDERED,
  sortable: true,
  groupable: true,
  aggregates: ['sum', 'avg', 'min', 'max'],
  searchable: false,
  widget: () => 'integer',
  importCell: (cell, field, context) => {
    const read = readNumber(cell, context);
    if ('error' in read) return read;
    const whole = fixedDecimal(read.number, 1000, 0);
    if ('error' in whole)
      return whole.error.code === 'too_many_decimals'
        ? refuse('integer', `“${cell.slice(0, 40)}” is not a whole number.`)
        : whole;
    return within(Number(whole.value), field);
  },
  exportCell: (value) => String(value),
};
