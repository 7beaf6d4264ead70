/** Dates as people write them in files. */
import { refuse } from './base.ts';

export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Whether the calendar has this day. Years 1–9999: what both `Date` and people's files mean by four digits. */
export function isDay({ year, month, day }: Day): boolean {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return day <= date.getUTCDate();
}

export function isoDate({ year, month, day }: Day): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/**
 * Reads `2026-01-31`, `2026/1/31`, `20260131`, `31.1.2026`, `31/01/2026`, `01/31/2026`, `31 Jan 2026`, `January 31, 2026`.
 * Day and month that could change places are refused, unless `order` says which comes first.
 */
export function readDay(cell: string, order: 'dmy' | 'mdy' | undefined): Day | ReturnType<typeof refuse> {
  const bad = () => refuse('date', `“${cell.slice(0, 40)}” is not a date. Write it as YYYY-MM-DD.`);
  const checked = (year: string | number, month: string | number, day: string | number) => {
    const found = { year: Number(year), month: Number(month), day: Number(day) };
    return isDay(found) ? found : bad();
  };
  const text = cell.trim();
  const iso = /^(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})$/.exec(text);
  if (iso?.[1] && iso[3] && iso[4] && (iso[2] !== '' || text.length === 8)) return checked(iso[1], iso[3], iso[4]);

  const numeric = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(text);
  if (numeric?.[1] && numeric[3] && numeric[4]) {
    const [first, second, year] = [Number(numeric[1]), Number(numeric[3]), numeric[4]];
    // With dots the day comes first wherever dots are used.
    const known = order ?? (numeric[2] === '.' ? 'dmy' : undefined);
    const asDmy = isDay({ year: Number(year), month: second, day: first });
    const asMdy = isDay({ year: Number(year), month: first, day: second });
    if (known) return known === 'dmy' ? checked(year, second, first) : checked(year, first, second);
    if (asDmy && asMdy && first !== second) {
      return refuse('ambiguous_date', `“${text}” can be read in two ways. Say whether day or month comes first.`);
    }
    return asDmy ? checked(year, second, first) : checked(year, first, second);
  }

  const dayFirst = /^(\d{1,2})[\s.-]+([A-Za-z]{3,9})\.?[\s,-]+(\d{4})$/.exec(text);
  if (dayFirst?.[1] && dayFirst[2] && dayFirst[3]) return checked(dayFirst[3], monthOf(dayFirst[2]), dayFirst[1]);
  const monthFirst = /^([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$/.exec(text);
  if (monthFirst?.[1] && monthFirst[2] && monthFirst[3])
    return checked(monthFirst[3], monthOf(monthFirst[1]), monthFirst[2]);
  return bad();
}

const MONTH_NAMES = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** 1–12, or 0 for a word that is no month. */
function monthOf(word: string): number {
  const name = word.toLowerCase();
  const short = name === 'sept' ? 'sep' : name;
  const index = MONTHS.indexOf(short);
  return (index >= 0 ? index : MONTH_NAMES.indexOf(name)) + 1;
}
