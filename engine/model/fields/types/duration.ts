/**
 * A length of time in whole seconds: `bigint` in the database, a number in JSON. People write it as `1:30` (hours and
 * minutes), `1:30:15`, `90m`, `1h 30m`, `2d` or ISO 8601 (`PT1H30M`). A day has 24 hours; months and years have no length.
 */
import { Decimal } from 'decimal.js';
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, numberOption, options, ORDERED, refuse, wrongType } from '../base.ts';
import { latinDigits } from '../number-text.ts';

const MAX_INPUT = 40;
const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };
const CLOCK = /^(-?)(\d{1,13}):([0-5]\d)(?::([0-5]\d))?$/;
const NUMBER = '\\d{1,13}(?:[.,]\\d{1,6})?';
const PART = new RegExp(
  `^(${NUMBER})\\s*(w|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])\\s*`,
  'i',
);
const ISO = new RegExp(
  `^(-?)P(?=.)(?:(${NUMBER})W)?(?:(${NUMBER})D)?(?:T(?=.)(?:(${NUMBER})H)?(?:(${NUMBER})M)?(?:(${NUMBER})S)?)?$`,
  'i',
);

/** The largest duration that JSON carries exactly. */
const bounds = (field: Field) => ({
  min: Math.max(numberOption(field, 'min', 0), Number.MIN_SAFE_INTEGER),
  max: Math.min(numberOption(field, 'max', Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER),
});

function within(seconds: Decimal, field: Field): Parsed {
  const { min, max } = bounds(field);
  if (!seconds.isInteger()) return refuse('duration_fraction', 'A duration has whole seconds.');
  if (seconds.lessThan(min)) return refuse('too_small', `At least ${exportDuration(min)}.`, { min, unit: 'seconds' });
  if (seconds.greaterThan(max)) return refuse('too_large', `At most ${exportDuration(max)}.`, { max, unit: 'seconds' });
  return accept(seconds.isZero() ? 0 : seconds.toNumber());
}

const amount = (text: string | undefined): Decimal => new Decimal((text ?? '0').replace(',', '.'));

/** Seconds of a written duration, `null` when it is none. A bare number is seconds, as in JSON. */
function read(text: string): Decimal | null {
  if (/^-?\d{1,16}$/.test(text)) return new Decimal(text);
  const clock = CLOCK.exec(text);
  if (clock) {
    const [, sign, hours, minutes, seconds = '0'] = clock;
    const total = amount(hours).times(3600).plus(amount(minutes).times(60)).plus(seconds);
    return sign === '-' ? total.negated() : total;
  }
  const iso = ISO.exec(text);
  if (iso) {
    const [, sign, ...parts] = iso;
    const total = Decimal.sum(0, ...parts.map((part, index) => amount(part).times(Object.values(UNITS)[index] ?? 0)));
    return sign === '-' ? total.negated() : total;
  }
  return spelled(text);
}

/** `1h 30m`, `2 days`, `-5m`. Every unit once, the larger before the smaller. */
function spelled(text: string): Decimal | null {
  const negative = /^[-−–]\s*/.exec(text);
  let rest = negative ? text.slice(negative[0].length) : text;
  let total = new Decimal(0);
  let smallest = Infinity;
  while (rest !== '') {
    const [found, number, name = ''] = PART.exec(rest) ?? [];
    const unit = UNITS[name.charAt(0).toLowerCase()];
    if (found === undefined || unit === undefined || unit >= smallest) return null;
    total = total.plus(amount(number).times(unit));
    smallest = unit;
    rest = rest.slice(found.length);
  }
  if (smallest === Infinity) return null;
  return negative ? total.negated() : total;
}

function parse(text: string, field: Field): Parsed {
  const seconds = read(latinDigits(text).trim());
  return seconds === null
    ? refuse('duration', `“${text.slice(0, MAX_INPUT)}” is not a duration. Write it as 1:30, 90m, 1h 30m or PT1H30M.`)
    : within(seconds, field);
}

/** `1:30:00` for 5400: hours, minutes and seconds, which reads back as the same everywhere. */
function exportDuration(seconds: number): string {
  const all = Math.abs(seconds);
  const two = (part: number): string => String(part).padStart(2, '0');
  const clock = `${Math.floor(all / 3600)}:${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
  return seconds < 0 ? `-${clock}` : clock;
}

export const duration: FieldType = {
  key: 'duration',
  options: options({
    min: { type: 'integer', description: 'The shortest, in seconds; 0 when left out.' },
    max: { type: 'integer', description: 'The longest, in seconds.' },
  }),
  valueType: 'integer',
  columns: (field) => {
    const { min, max } = bounds(field);
    return [{ name: field.key, type: 'bigint', checks: [{ suffix: 'range', sql: `{} between ${min} and ${max}` }] }];
  },
  inputSchema: (field) => {
    const { min, max } = bounds(field);
    return {
      type: ['integer', 'string'],
      minimum: min,
      maximum: max,
      maxLength: MAX_INPUT,
      description: 'Seconds, or text such as "1:30" (hours and minutes), "90m", "1h 30m", "PT1H30M".',
    };
  },
  outputSchema: () => ({ type: 'integer', description: 'Seconds.' }),
  normalise: (value, field) => {
    if (typeof value === 'number') return within(new Decimal(value), field);
    if (typeof value !== 'string') return wrongType('a duration');
    if (value.trim() !== '') return parse(value, field);
    return field.required ? refuse('required', 'This is required.') : accept(null);
  },
  select: (column) => column,
  operators: ORDERED,
  sortable: true,
  groupable: true,
  aggregates: ['sum', 'avg', 'min', 'max'],
  searchable: false,
  widget: () => 'duration',
  importCell: parse,
  exportCell: (value) => (typeof value === 'number' ? exportDuration(value) : String(value)),
};
