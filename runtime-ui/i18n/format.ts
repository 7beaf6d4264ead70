/** Numbers, money and dates as people of a language write them. Digits are Latin in every language. */
import { createContext, useContext } from 'react';
import { languageTag } from './languages.ts';

export interface Format {
  readonly locale: string;
  readonly timeZone: string;
  /** How dates and date-times are written in inputs, in the notation of dayjs: as everywhere else. */
  readonly patterns: { readonly date: string; readonly datetime: string; readonly hours: '12h' | '24h' };
  /** @param grouping whether 1960 is `1,960` */
  integer(value: number, grouping?: boolean): string;
  /** @param value decimal string, shown exactly, never through a float; zeros at its end say nothing */
  decimal(value: string, scale?: number | null): string;
  /** The number of an amount, with as many digits as its currency has; the code is shown beside it. */
  amount(value: string, currency: string | null): string;
  percent(value: string): string;
  /** @param value `2026-01-31` */
  date(value: string): string;
  /** @param value an instant, shown in the organisation's time zone */
  datetime(value: string): string;
  /** "3 hours ago" for the last week, then the date. */
  ago(value: string, now?: number): string;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;
const STEPS = [
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
] as const;

export function createFormat(locale: string, timeZone: string): Format {
  const tag = new Intl.Locale(languageTag(locale) ?? 'en', { numberingSystem: 'latn' }).toString();
  const cache = new Map<string, Intl.NumberFormat>();
  const numbers = (key: string, options: Intl.NumberFormatOptions) => {
    const known = cache.get(key);
    if (known) return known;
    const made = new Intl.NumberFormat(tag, options);
    cache.set(key, made);
    return made;
  };
  const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  const instant = new Intl.DateTimeFormat(tag, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone,
  });
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  return {
    locale: tag,
    timeZone,
    patterns: patternsOf(day, instant),
    integer: (value, grouping = true) =>
      numbers(`integer${grouping}`, { maximumFractionDigits: 0, useGrouping: grouping }).format(value),
    decimal: (value, scale) => exact(numbers(`decimal${scale ?? ''}`, { maximumFractionDigits: scale ?? 12 }), value),
    amount: (value, currency) => {
      const known = currency && /^[A-Z]{3}$/.test(currency) ? currency : null;
      const digits = known
        ? (numbers(`money${known}`, { style: 'currency', currency: known }).resolvedOptions().maximumFractionDigits ??
          2)
        : 2;
      return exact(
        numbers(`amount${digits}`, { minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 6) }),
        value,
      );
    },
    percent: (value) => `${exact(numbers('percent', { maximumFractionDigits: 6 }), value)}%`,
    date: (value) => parsed(`${value.slice(0, 10)}T00:00:00Z`, (date) => day.format(date)),
    datetime: (value) => parsed(value, (date) => instant.format(date)),
    ago: (value, now = Date.now()) =>
      parsed(value, (date) => {
        const past = date.getTime() - now;
        if (Math.abs(past) > 7 * 86_400_000) return instant.format(date);
        const [unit, size] = STEPS.findLast(([, size]) => Math.abs(past) >= size) ?? STEPS[0];
        return relative.format(Math.round(past / size), unit);
      }),
  };
}

function patternsOf(day: Intl.DateTimeFormat, instant: Intl.DateTimeFormat): Format['patterns'] {
  const parts = day.formatToParts(0).map((part) => part.type);
  const date = parts.indexOf('month') < parts.indexOf('day') ? 'MMM D, YYYY' : 'D MMM YYYY';
  const halves = instant.resolvedOptions().hour12 === true;
  return { date, datetime: `${date} ${halves ? 'h:mm A' : 'HH:mm'}`, hours: halves ? '12h' : '24h' };
}

/** Intl reads a decimal string exactly (ES2023); what is no number is shown as it came. */
function exact(format: Intl.NumberFormat, value: string): string {
  return isDecimal(value) ? format.format(value) : value;
}

function parsed(value: string, show: (date: Date) => string): string {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : show(date);
}

function isDecimal(value: string): value is `${number}` {
  return DECIMAL.test(value);
}

/** Keeps a name of one direction whole inside a sentence of the other (Unicode isolates). */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

export const FormatContext = createContext<Format>(createFormat('en', 'UTC'));
export function useFormat(): Format {
  return useContext(FormatContext);
}
