/** Moments and days, from the texts in records and literals. */

/** `2026-01-31 10:00:00.123456+00`: Postgres leaves out the minutes of an offset, and prints a blank where ISO has a T. */
const SHORT_OFFSET = /([+-]\d{2})$/;
/** `new Date` knows three digits of a second for certain. */
const MICROSECONDS = /(\.\d{3})\d+/;

/**
 * @param value as a client, JSON from Postgres or `timestamptz::text` writes it
 * @returns milliseconds since the Unix epoch; NaN for what is no moment
 */
export function parseMoment(value: string | number | boolean): number {
  if (typeof value !== 'string') return typeof value === 'number' ? value : Number.NaN;
  const iso = value.replace(' ', 'T').replace(MICROSECONDS, '$1').replace(SHORT_OFFSET, '$1:00');
  return Date.parse(iso);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local calendar day, ISO weekday (1 = Monday) and minute of the day of a moment. */
export interface LocalTime {
  /** `2026-01-31` */
  readonly date: string;
  readonly weekday: number;
  readonly minute: number;
}

/** @param timeZone IANA name */
export function localTime(moment: number, timeZone: string): LocalTime {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(moment).map((part) => [part.type, part.value]));
  const date = `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
  return { date, weekday, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

/**
 * The moment at which a day begins. Where clocks are put forward over midnight, it is the moment the clock would show
 * without that; where midnight comes twice, the second one: Postgres's `at time zone` decides so.
 * @param day `2026-01-31`
 * @param timeZone IANA name
 * @returns milliseconds since the Unix epoch
 */
export function startOfDay(day: string, timeZone: string): number {
  const local = Date.parse(`${day}T00:00:00Z`);
  const before = local - offsetAt(local - DAY, timeZone);
  const after = local - offsetAt(local + DAY, timeZone);
  return before === after || after + offsetAt(after, timeZone) !== local ? before : after;
}

const DAY = 86_400_000;

/** How far local time is ahead of UTC at a moment, in milliseconds. */
function offsetAt(moment: number, timeZone: string): number {
  const { date, minute } = localTime(moment, timeZone);
  return Math.round((Date.parse(`${date}T00:00:00Z`) + minute * 60_000 - moment) / 60_000) * 60_000;
}
