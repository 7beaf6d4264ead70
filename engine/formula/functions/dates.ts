/** Days of the calendar and times of the day. Days go from 0001-01-01 to 9999-12-31. Date-times are read in UTC, whoever looks. */
import type { Decimal } from 'decimal.js';
import type { Cell, FormulaFunction } from './function.ts';
import { Exact, fixed, strict } from './function.ts';

const DAY = 86_400_000;
/** Milliseconds of 0001-01-01 and number of days from it to 9999-12-31. */
const FIRST = Date.UTC(2001, 0, 1) - 730_485 * DAY;
const LAST_DAY = 3_652_058;
const FIRST_SQL = `'0001-01-01'::date`;

function dayNumber(date: string): number {
  return (Date.parse(`${date}T00:00:00Z`) - FIRST) / DAY;
}

function dateOf(day: number): string {
  return new Date(FIRST + day * DAY).toISOString().slice(0, 10);
}

function part(name: 'year' | 'month' | 'day', from: number, to: number): FormulaFunction {
  return {
    name,
    arity: [1, 1],
    signature: fixed(['date'], 'integer'),
    evaluate: ([date]) => (typeof date === 'string' ? new Exact(date.slice(from, to)) : null),
    decide: strict,
    sql: ([date = '']) => `extract(${name} from ${date})`,
  };
}

/** Days from the first to the second; negative when the second comes before. */
const daysBetween: FormulaFunction = {
  name: 'days_between',
  arity: [2, 2],
  signature: fixed(['date', 'date'], 'integer'),
  evaluate([from, to]) {
    if (typeof from !== 'string' || typeof to !== 'string') return null;
    return new Exact(dayNumber(to) - dayNumber(from));
  },
  decide: strict,
  sql: ([from = '', to = '']) => `(${to} - ${from})::numeric`,
};

/** NULL when the result is no day of the calendar. */
const addDays: FormulaFunction = {
  name: 'add_days',
  arity: [2, 2],
  signature: fixed(['date', 'integer'], 'date'),
  evaluate([date, days]) {
    if (typeof date !== 'string' || !isNumberCell(days)) return null;
    const day = days.plus(dayNumber(date));
    return day.isNegative() && !day.isZero() ? null : day.gt(LAST_DAY) ? null : dateOf(day.toNumber());
  },
  decide: strict,
  // Held to one day outside of the calendar on either side, and those two days are NULL: so neither argument is used
  // twice, and no number is too large for Postgres.
  sql: ([date = '', days = '']) => {
    const day = `least(greatest((${date} - ${FIRST_SQL})::numeric + ${days}, -1), ${LAST_DAY + 1})::integer`;
    return `nullif(nullif(${FIRST_SQL} + ${day}, ${FIRST_SQL} - 1), ${FIRST_SQL} + ${LAST_DAY + 1})`;
  },
};

const secondsOf = (time: string): number =>
  Number(time.slice(0, 2)) * 3600 + Number(time.slice(3, 5)) * 60 + Number(time.slice(6, 8));

function timePart(name: 'hour' | 'minute', from: number): FormulaFunction {
  return {
    name,
    arity: [1, 1],
    signature: fixed(['time'], 'integer'),
    evaluate: ([time]) => (typeof time === 'string' ? new Exact(time.slice(from, from + 2)) : null),
    decide: strict,
    sql: ([time = '']) => `extract(${name} from ${time})`,
  };
}

/** Seconds from the first time of a day to the second, which is what a duration holds; negative when the second is earlier. */
const secondsBetween: FormulaFunction = {
  name: 'seconds_between',
  arity: [2, 2],
  signature: fixed(['time', 'time'], 'integer'),
  evaluate([from, to]) {
    if (typeof from !== 'string' || typeof to !== 'string') return null;
    return new Exact(secondsOf(to) - secondsOf(from));
  },
  decide: strict,
  sql: ([from = '', to = '']) => `trunc(extract(epoch from ${to}) - extract(epoch from ${from}))`,
};

/** The day of a date-time, in UTC: a time zone would be the session's, or change with its rules. */
const dateOfMoment: FormulaFunction = {
  name: 'date_of',
  arity: [1, 1],
  signature: fixed(['datetime'], 'date'),
  evaluate: ([moment]) => (typeof moment === 'number' ? new Date(moment).toISOString().slice(0, 10) : null),
  decide: strict,
  sql: ([moment = '']) => `(${moment} at time zone 'UTC')::date`,
};

function isNumberCell(cell: Cell | undefined): cell is Decimal {
  return cell instanceof Exact;
}

export const DATE_FUNCTIONS: readonly FormulaFunction[] = [
  part('year', 0, 4),
  part('month', 5, 7),
  part('day', 8, 10),
  daysBetween,
  addDays,
  dateOfMoment,
  timePart('hour', 0),
  timePart('minute', 3),
  secondsBetween,
];
