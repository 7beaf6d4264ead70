/** Date-times between the API (instants in UTC) and the pickers (wall time of the organisation). */
import dayjs from 'dayjs';
import timezone from 'dayjs/plugin/timezone.js';
import utc from 'dayjs/plugin/utc.js';

dayjs.extend(utc);
dayjs.extend(timezone);

/** `2026-01-31T08:00:00.000Z` in Asia/Dubai → `2026-01-31 12:00:00`; `null` for what is no instant. */
export function toWallTime(instant: string, timeZone: string): string | null {
  const parsed = dayjs(instant);
  return parsed.isValid() ? parsed.tz(timeZone).format('YYYY-MM-DD HH:mm:ss') : null;
}

/** `2026-01-31 12:00:00` in Asia/Dubai → `2026-01-31T08:00:00.000Z`. */
export function fromWallTime(wall: string, timeZone: string): string {
  return dayjs.tz(wall, timeZone).utc().format('YYYY-MM-DDTHH:mm:ss.SSS[Z]');
}
