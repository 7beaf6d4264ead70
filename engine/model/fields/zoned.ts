/** Wall-clock times in an IANA time zone. */
import type { Day } from './calendar.ts';

export interface WallTime extends Day {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Offset of a zone at a moment, in milliseconds east of UTC. */
function offsetAt(moment: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const whole = Math.floor(moment / 1000) * 1000;
  return (
    utc({
      year: number('year'),
      month: number('month'),
      day: number('day'),
      hour: number('hour'),
      minute: number('minute'),
      second: number('second'),
      millisecond: 0,
    }) - whole
  );
}

/** Milliseconds since the epoch of a wall-clock time read as UTC. */
export function utc(time: WallTime): number {
  const date = new Date(0);
  date.setUTCFullYear(time.year, time.month - 1, time.day);
  date.setUTCHours(time.hour, time.minute, time.second, time.millisecond);
  return date.getTime();
}

/**
 * The moment (milliseconds since the epoch) of a wall-clock time in a zone. In an hour that occurs twice the first
 * one is meant; in one that does not occur, the time that the clock would have shown before it was put forward
 * (ISO 8601-2 leaves it open; this is what `java.time` and Temporal's `compatible` do).
 */
export function zonedToUtc(time: WallTime, timeZone: string): number {
  const local = utc(time);
  const day = 86_400_000;
  const before = offsetAt(local - day, timeZone);
  const after = offsetAt(local + day, timeZone);
  const candidates = [local - before, local - after].filter((moment) => moment + offsetAt(moment, timeZone) === local);
  return candidates.length > 0 ? Math.min(...candidates) : local - before;
}
