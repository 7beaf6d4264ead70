/** A number of stars, from 1 to as many as there are. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, numberOption, options, ORDERED, refuse, wrongType } from '../base.ts';
import { fixedDecimal, readNumber } from '../number-text.ts';

const STARS = /^[★⭐☆\s]+$/u;

const maxOf = (field: Field): number => numberOption(field, 'max', 5);

function within(value: number, field: Field): Parsed {
  const max = maxOf(field);
  if (!Number.isInteger(value) || value < 1 || value > max)
    return refuse('rating', `A rating is a whole number from 1 to ${max}.`, { min: 1, max });
  return accept(value);
}

export const rating: FieldType = {
  key: 'rating',
  options: options({
    max: { type: 'integer', minimum: 2, maximum: 10, description: 'The best rating; 5 when left out.' },
  }),
  valueType: 'integer',
  columns: (field) => [
    { name: field.key, type: 'bigint', checks: [{ suffix: 'range', sql: `{} between 1 and ${maxOf(field)}` }] },
  ],
  inputSchema: (field) => ({ type: 'integer', minimum: 1, maximum: maxOf(field) }),
  outputSchema: (field) => ({ type: 'integer', minimum: 1, maximum: maxOf(field) }),
  normalise: (value, field) => (typeof value === 'number' ? within(value, field) : wrongType('a whole number')),
  select: (column) => column,
  operators: ORDERED,
  sortable: true,
  groupable: true,
  aggregates: ['avg', 'min', 'max'],
  searchable: false,
  widget: () => 'rating',
  importCell: (cell, field, context) => {
    if (STARS.test(cell)) return within(cell.match(/[★⭐]/gu)?.length ?? 0, field);
    const read = readNumber(cell.replace(/\s*\/\s*\d+$/, ''), context);
    if ('error' in read) return read;
    const whole = fixedDecimal(read.number, 20, 0);
    return 'error' in whole ? whole : within(Number(whole.value), field);
  },
  exportCell: (value) => String(value),
};
