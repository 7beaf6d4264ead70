/** A calendar day, without a time of day and without a time zone. */
import type { FieldType, Parsed } from '../../field-type.ts';
import { accept, options, CALENDAR, refuse, wrongType } from '../base.ts';
import { isDay, isoDate, readDay } from '../calendar.ts';

function parse(text: string): Parsed {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const day = { year: Number(parts?.[1]), month: Number(parts?.[2]), day: Number(parts?.[3]) };
  return parts && isDay(day)
    ? accept(isoDate(day))
    : refuse('date', `“${text.slice(0, 40)}” is not a day of the calendar. Write it as YYYY-MM-DD.`);
}

export const date: FieldType = {
  key: 'date',
  options: options({}),
  valueType: 'date',
  columns: (field) => [
    { name: field.key, type: 'date', checks: [{ suffix: 'range', sql: `{} between '0001-01-01' and '9999-12-31'` }] },
  ],
  inputSchema: () => ({ type: 'string', format: 'date' }),
  outputSchema: () => ({ type: 'string', format: 'date' }),
  normalise: (value) => (typeof value === 'string' ? parse(value) : wrongType('a date')),
  select: (column) => column,
  operators: CALENDAR,
  sortable: true,
  groupable: true,
  aggregates: ['min', 'max'],
  searchable: false,
  widget: () => 'date',
  importCell: (cell, _field, context) => {
    // Spreadsheets write a day as a date-time at midnight.
    const day = readDay(cell.replace(/[T\s]+00:00(?::00(?:\.0+)?)?Z?$/, ''), context.dateOrder);
    return 'error' in day ? day : accept(isoDate(day));
  },
  exportCell: (value) => String(value),
};
