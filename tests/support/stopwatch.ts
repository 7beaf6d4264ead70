/** Working time counted the slow way, to hold the database's count against. */
import { zonedToUtc } from '#engine/model/fields/zoned.ts';
import type { BusinessHours } from '#engine/model/tenant.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * When so many minutes of working time are over: day after day, without the pauses, as people would count with a
 * stopwatch. Moments are milliseconds since the Unix epoch.
 * @returns `null` when ten years do not hold as many
 */
export function stopwatch(
  hours: BusinessHours,
  holidays: readonly string[],
  since: number,
  minutes: number,
  pauses: readonly (readonly [number, number])[] = [],
): number | null {
  let left = minutes * MINUTE;
  const moment = (day: Date, clock: string) => {
    const [hour = 0, minute = 0] = clock.split(':').map(Number);
    const date = { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() };
    return zonedToUtc({ ...date, hour, minute, second: 0, millisecond: 0 }, hours.timeZone);
  };
  // A day early: where it is still the day before.
  for (let step = -1; step < 3600; step += 1) {
    const day = new Date(Math.floor(since / DAY) * DAY + step * DAY);
    if (!hours.days.includes(day.getUTCDay() || 7) || holidays.includes(day.toISOString().slice(0, 10))) continue;
    let from = Math.max(since, moment(day, hours.from));
    const end = moment(day, hours.to);
    for (const [stop, go] of [...pauses, [Infinity, Infinity] as const]) {
      if (go <= from) continue;
      const until = Math.min(end, stop);
      if (until > from) {
        if (left <= until - from) return from + left;
        left -= until - from;
      }
      from = Math.max(from, Math.min(end, go));
      if (from >= end) break;
    }
  }
  return null;
}
