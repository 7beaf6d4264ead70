/** From a JSON scalar to the canonical literal of a value type, so that equal values are equal texts. */
import { Decimal } from 'decimal.js';
import type { Field } from '../model/model.ts';
import type { Scalar, ValueType } from '../model/value-type.ts';
import { uuidOf } from '../uuid.ts';

export type Literal = Exclude<Scalar, null>;

/** What a person is told to write, per type. */
export const EXPECTED: Readonly<Record<ValueType, string>> = {
  text: 'text',
  integer: 'an integer',
  decimal: 'a decimal number such as "10.50"',
  boolean: 'true or false',
  date: 'a date such as "2026-01-31"',
  datetime: 'a date and time with offset, such as "2026-01-31T10:00:00Z"',
  time: 'a time of day such as "13:45"',
  uuid: 'an id (UUID)',
  texts: 'a list of texts',
  uuids: 'a list of ids',
  json: 'a JSON value',
};

/** Longer texts in a condition are a mistake or an attack; long texts are searched, not compared. */
const MAX_TEXT = 10_000;

const DECIMAL = /^[+-]?\d{1,40}(\.\d{1,30})?$/;
/** What a JSON number carries exactly; more digits are written as text. */
const EXACT_DIGITS = 15;
const INTEGER = /^-?\d{1,16}$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATETIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})$/i;
const TIME = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;

/**
 * @param fromText the value comes from a query string, where everything is text: `"5"` is an integer there
 * @returns the canonical value, or `undefined` when it is not of the type: decimals without superfluous zeros ("10.5"),
 *   date-times in UTC with milliseconds (further digits are cut off), ids in lower case
 */
export function parseLiteral(value: unknown, type: ValueType, fromText = false): Literal | undefined {
  switch (type) {
    case 'text':
    case 'texts':
      return parseText(value);
    case 'integer':
      return parseInteger(value, fromText);
    case 'decimal':
      return parseDecimal(value);
    case 'boolean':
      if (fromText && (value === 'true' || value === 'false')) return value === 'true';
      return typeof value === 'boolean' ? value : undefined;
    case 'date':
      return typeof value === 'string' && isDate(value) ? value : undefined;
    case 'datetime':
      return typeof value === 'string' ? parseDatetime(value) : undefined;
    case 'time':
      return typeof value === 'string' ? parseTime(value) : undefined;
    case 'json':
      // Nothing is compared with it.
      return undefined;
    case 'uuid':
    case 'uuids':
      return typeof value === 'string' ? (uuidOf(value) ?? undefined) : undefined;
  }
}

/**
 * What a whole value of a field is compared with, written as the field's values are stored: `foo@b.example` for
 * `FOO@b.example`. What is no value of the field stays as it is, and equals none.
 * @param country of the organisation
 */
export function storedLiteral<T extends Literal>(literal: T, field: Field, country: string): T | string {
  if (field.type.canonical !== true || typeof literal !== 'string') return literal;
  const parsed = field.type.normalise(literal, field, { country, currency: '', timeZone: 'UTC' });
  return 'value' in parsed && typeof parsed.value === 'string' ? parsed.value : literal;
}

/** Postgres stores neither NUL nor half a surrogate pair. */
function parseText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_TEXT || value.includes('\0') || !value.isWellFormed())
    return undefined;
  return value;
}

function parseInteger(value: unknown, fromText: boolean): number | undefined {
  const number = fromText && typeof value === 'string' && INTEGER.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  return number === 0 ? 0 : number;
}

function parseDecimal(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) {
    const number = new Decimal(value);
    const text = number.toFixed();
    return number.precision() <= EXACT_DIGITS && DECIMAL.test(text) ? canonicalDecimal(text) : undefined;
  }
  return typeof value === 'string' && DECIMAL.test(value) ? canonicalDecimal(value) : undefined;
}

/** `"+010.50"` → `"10.5"`, `"-0.00"` → `"0"`. */
export function canonicalDecimal(text: string): string {
  const decimal = new Decimal(text);
  return decimal.isZero() ? '0' : decimal.toFixed();
}

/** A day of the calendar, from 0001-01-01 to 9999-12-31. */
export function isDate(text: string): boolean {
  const parts = DATE.exec(text);
  if (parts === null || parts[1] === '0000') return false;
  // A day that does not exist (31 April) rolls over into another one.
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** A time of the day to the second, `13:45:00`; `undefined` for what is none (24:00 is the next day's 00:00). */
export function parseTime(text: string): string | undefined {
  const parts = TIME.exec(text);
  return parts === null ? undefined : `${parts[1]}:${parts[2]}:${parts[3] ?? '00'}`;
}

function parseDatetime(text: string): string | undefined {
  const parts = DATETIME.exec(text);
  if (parts === null) return undefined;
  const [, date = '', hour = '', minute = '', second = '00', fraction = '', zone = ''] = parts;
  if (!isDate(date) || Number(hour) > 23) return undefined;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const moment = new Date(`${date}T${hour}:${minute}:${second}.${milliseconds}${zone.toUpperCase()}`);
  if (Number.isNaN(moment.getTime())) return undefined;
  const canonical = moment.toISOString();
  // An offset can lead out of the years that have four digits.
  return canonical.length === 24 && !canonical.startsWith('0000') ? canonical : undefined;
}
