/**
 * Relative dates: `today`, `last_30_days`, `this_fiscal_quarter`. A period is two days, the first one of it and the first
 * one after it, in the time zone of whoever asks. The twin of `armature.period` in Postgres.
 *
 * - `this_`, `last_` and `next_` week, month, quarter, year are those of the calendar; weeks begin on Monday.
 * - `last_30_days` are thirty days that end with today, `next_30_days` thirty that begin with it; weeks and months with a
 *   number likewise: the stretch of so many up to today, or from today on.
 * - Fiscal years begin with a month of the organisation's, January unless it says otherwise, and have four quarters.
 */
import { localTime, startOfDay } from './moment.ts';

const PERIOD = /^(this|last|next)_(?:([1-9]\d{0,3})_)?(fiscal_)?(day|week|month|quarter|year)(s?)$/;
const MAX_COUNT = 1000;
const NAMED = ['today', 'yesterday', 'tomorrow'];
const UNITS = ['week', 'month', 'quarter', 'year', 'fiscal_quarter', 'fiscal_year'];

/** The words without a number, for messages and screens. */
export const PERIODS: readonly string[] = [
  ...NAMED,
  ...['this', 'last', 'next'].flatMap((which) => UNITS.map((unit) => `${which}_${unit}`)),
];

export function isPeriod(name: string): boolean {
  if (NAMED.includes(name)) return true;
  const parts = PERIOD.exec(name);
  if (parts === null) return false;
  const [, which, count, fiscal, unit, plural] = parts;
  if (count === undefined) return plural === '' && unit !== 'day';
  return which !== 'this' && fiscal === undefined && plural === 's' && Number(count) <= MAX_COUNT;
}

export interface PeriodContext {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Month the fiscal year begins with, 1 to 12. */
  readonly fiscalYearStart?: number;
}

export type Edge = 'from' | 'to';

/**
 * @param type of the field that is compared: a day, or the moment it begins at
 * @returns `2026-01-01`, or `2025-12-31T23:00:00.000Z`; the edge `to` is the first that no longer counts
 */
export function periodEdge(name: string, edge: Edge, type: 'date' | 'datetime', context: PeriodContext): string {
  const day = edgeDay(name, edge, localTime(context.now, context.timeZone).date, context.fiscalYearStart ?? 1);
  if (type === 'date') return day;
  return new Date(startOfDay(day, context.timeZone)).toISOString();
}

/** Days as numbers of days since 1970, months as numbers of months since the year 0. */
function edgeDay(name: string, edge: Edge, today: string, fiscalYearStart: number): string {
  const day = Date.parse(`${today}T00:00:00Z`) / DAY;
  const after = edge === 'to' ? 1 : 0;
  if (name === 'today') return dayText(day + after);
  if (name === 'yesterday') return dayText(day - 1 + after);
  if (name === 'tomorrow') return dayText(day + 1 + after);
  const [, which = '', count, fiscal, unit = ''] = PERIOD.exec(name) ?? [];
  if (count !== undefined) {
    if (which === 'last') return edge === 'to' ? dayText(day + 1) : add(day + 1, -Number(count), unit);
    return edge === 'from' ? dayText(day) : add(day, Number(count), unit);
  }
  const offset = (which === 'last' ? -1 : which === 'next' ? 1 : 0) + after;
  if (unit === 'week') return dayText(day - ((day + 3) % 7) + 7 * offset);
  const length = MONTHS[unit] ?? 1;
  const shift = fiscal === undefined ? 0 : fiscalYearStart - 1;
  const month = monthOf(day) - shift;
  return firstOf(month - (((month % length) + length) % length) + shift + offset * length);
}

const DAY = 86_400_000;
const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };

const dayText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10);

function monthOf(day: number): number {
  const date = new Date(day * DAY);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

const firstOf = (month: number): string =>
  `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}-01`;

/** As Postgres adds an interval: 31 January and a month is the last day of February. */
function add(day: number, count: number, unit: string): string {
  if (unit === 'day') return dayText(day + count);
  if (unit === 'week') return dayText(day + 7 * count);
  const month = monthOf(day) + count * (MONTHS[unit] ?? 1);
  const last = new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();
  const wanted = new Date(day * DAY).getUTCDate();
  return `${firstOf(month).slice(0, 8)}${String(Math.min(wanted, last)).padStart(2, '0')}`;
}
