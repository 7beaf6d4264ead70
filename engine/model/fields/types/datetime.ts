/** A moment in time, to the millisecond. Kept in UTC; shown in the reader's time zone. */
import type { FieldType, Parsed } from '../../field-type.ts';
import { accept, options, CALENDAR, refuse, wrongType } from '../base.ts';
import { isDay, readDay } from '../calendar.ts';
import { utc, type WallTime, zonedToUtc } from '../zoned.ts';

const TIME = '(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9}))?)?';
const STRICT = new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})[Tt ]${TIME}\\s*([Zz]|[+-]\\d{2}:?\\d{2})$`);
const LOOSE = new RegExp(`^(.+?)[Tt,\\s]+${TIME}\\s*([AaPp]\\.?[Mm]\\.?)?\\s*([Zz]|UTC|GMT|[+-]\\d{2}:?\\d{2})?$`);

const text = (moment: number): Parsed => accept(new Date(moment).toISOString());
const bad = (written: string) =>
  refuse('datetime', `“${written.slice(0, 40)}” is not a date and time. Write it as 2026-01-31T10:00:00Z.`);

/** Milliseconds of `Z`, `+02:00` or `+0200`. */
function offset(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

function validTime(time: WallTime): boolean {
  return isDay(time) && time.hour < 24 && time.minute < 60 && time.second < 60;
}

/** The first three digits of a fraction of a second: finer moments are cut off, as the column does not keep them. */
const milliseconds = (fraction = ''): number => Number(fraction.slice(0, 3).padEnd(3, '0'));

function parse(written: string): Parsed {
  const parts = STRICT.exec(written);
  if (!parts) return bad(written);
  const [year, month, day, hour, minute] = parts.slice(1, 6).map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined || minute === undefined)
    return bad(written);
  const time = { year, month, day, hour, minute, second: Number(parts[6] ?? 0), millisecond: milliseconds(parts[7]) };
  return validTime(time) ? inRange(utc(time) - offset(parts[8] ?? 'Z'), written) : bad(written);
}

/** An offset can carry a moment out of the years that ISO strings and Postgres print with four digits. */
function inRange(moment: number, written: string): Parsed {
  const year = new Date(moment).getUTCFullYear();
  return year >= 1 && year <= 9999 ? text(moment) : bad(written);
}

export const datetime: FieldType = {
  key: 'datetime',
  options: options({}),
  valueType: 'datetime',
  columns: (field) => [{ name: field.key, type: 'timestamptz(3)' }],
  inputSchema: () => ({ type: 'string', format: 'date-time' }),
  outputSchema: () => ({ type: 'string', format: 'date-time' }),
  normalise: (value) => (typeof value === 'string' ? parse(value) : wrongType('a date and time')),
  select: (column) => column,
  operators: CALENDAR,
  sortable: true,
  groupable: true,
  aggregates: ['min', 'max'],
  searchable: false,
  widget: () => 'datetime',
  importCell: (cell, _field, context) => {
    const strict = parse(cell);
    if (!('error' in strict)) return strict;
    const parts = LOOSE.exec(cell);
    const day = readDay(parts?.[1] ?? cell, context.dateOrder);
    if ('error' in day) return parts && day.error.code === 'date' ? bad(cell) : day;
    const half = parts?.[6]?.toLowerCase();
    const written = Number(parts?.[2] ?? 0);
    if (half && (written < 1 || written > 12)) return bad(cell);
    const hour = half ? (written % 12) + (half.startsWith('p') ? 12 : 0) : written;
    const time = {
      ...day,
      hour,
      minute: Number(parts?.[3] ?? 0),
      second: Number(parts?.[4] ?? 0),
      millisecond: milliseconds(parts?.[5]),
    };
    if (!validTime(time)) return bad(cell);
    const zone = parts?.[7];
    return inRange(zone ? utc(time) - offset(zone) : zonedToUtc(time, context.timeZone), cell);
  },
  exportCell: (value) => {
    // The database prints `+00:00`; files carry one spelling.
    const parsed = typeof value === 'string' ? parse(value) : null;
    return parsed && 'value' in parsed ? String(parsed.value) : String(value);
  },
};
