/** One value of a field as a value of the same field with another type: by the field types' own rules, as an import. */
import { arrayText } from '../../db/identifiers.ts';
import type { ValueContext } from '../../model/field-type.ts';
import type { Field } from '../../model/model.ts';
import type { Tenant } from '../../model/tenant.ts';
import type { Value } from '../../model/value-type.ts';
import type { Known } from './names.ts';

export type Converted = { readonly value: Value } | { readonly reason: string };

/** How values are read: as in files of the organisation, numbers and dates of fields without any doubt. */
export function contextOf(tenant: Tenant, from: Field): ValueContext {
  const { country, currency, timeZone } = tenant;
  const exact = from.type.valueType !== 'text';
  return { country, currency, timeZone, ...(exact && { decimalMark: '.' as const }) };
}

/** Types whose values are texts that every text field may hold as they are. */
const PLAIN: ReadonlySet<string> = new Set(['text', 'long_text']);
/** Types that keep a key of a list. */
const LISTED: ReadonlySet<string> = new Set(['choice', 'state']);
/** Types of numbers that mean the same as they stand. */
const NUMBERS: ReadonlySet<string> = new Set(['decimal', 'money', 'percent']);

/** Whether the values stay as they are when the columns have one type; the new type's rules are checked all the same. */
export function staysAsItIs(from: Field, to: Field): boolean {
  const [old, now] = [from.type.key, to.type.key];
  if (old === now) return true;
  if (isSealed(from) || isSealed(to)) return false;
  if (PLAIN.has(now)) return from.type.valueType === 'text';
  return (
    (LISTED.has(old) && LISTED.has(now)) ||
    (NUMBERS.has(old) && NUMBERS.has(now)) ||
    (from.type.valueType === 'uuid' && to.type.valueType === 'uuid')
  );
}

/** Its values are only sealed and opened for somebody who writes or reads them: publishing has no key. */
const isSealed = ({ type }: Field): boolean => type.sealed === true;

/** Whether values can be converted at all. */
export function isConvertible(from: Field, to: Field): boolean {
  if (isSealed(from) || isSealed(to)) return false;
  const oneColumn = [from, to].every((field) => field.column !== null && field.type.columns(field).length === 1);
  const ordinary = [from, to].every(
    // An id without a record behind it, a file's, says nothing to anybody.
    ({ type, formula, reference }) => formula === null && (type.valueType !== 'uuid' || reference !== null),
  );
  return oneColumn && ordinary && to.type.key !== 'sequence' && to.type.inputSchema(to) !== null;
}

/** What the refusal of a change says of its reason. */
export function unconvertible(from: Field, to: Field): string {
  const columns = [from, to].map((field) => (field.column === null ? 0 : field.type.columns(field).length));
  if (columns.includes(0)) return ': that is not kept in the record itself';
  if (isSealed(from) || isSealed(to)) return ': nobody but who may read a value opens what is sealed';
  return columns.some((length) => length > 1) ? ': that takes several columns' : '';
}

/** @param value as the API answers it, not null */
export function convertValue(value: Value, from: Field, to: Field, context: ValueContext, known: Known): Converted {
  const cell = cellOf(value, from, to, context, known).trim();
  if (cell === '') return { value: null };
  if (to.reference) return known.records.get(cell) ?? { reason: 'It was not looked for.' };
  const parsed = to.type.importCell(cell, to, context);
  if ('error' in parsed) return { reason: parsed.error.message };
  // A currency in the text that the field's own would silently replace.
  const currency = Object.values(parsed.also ?? {}).find((other) => other !== null && other !== context.currency);
  if (currency !== undefined)
    return { reason: `It says ${String(currency)}; the field would say ${context.currency}.` };
  return { value: parsed.value };
}

/** The value as a file would have it. Of a record its title, without one its id. */
export function cellOf(value: Value, from: Field, to: Field, { timeZone }: ValueContext, known: Known): string {
  if (from.reference) return known.titles.get(String(value)) ?? String(value);
  // A moment is a day where people are.
  if (from.type.valueType === 'datetime' && to.type.valueType === 'date' && typeof value === 'string')
    return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date(value));
  return from.type.exportCell(value, from);
}

/** As a parameter that is cast to the column's type; `null` is no value. */
export function textOf(value: Value): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayText(value.map(String));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
