/** A currency (ISO 4217 code). Made by the engine beside every money field; documents do not name it. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, EQUALITY, options, refuse, wrongType } from '../base.ts';
import { cleanText } from '../text-value.ts';

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}

function parse(text: string, field: Field): Parsed {
  const clean = cleanText(text, field, false);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const code = clean.value.toUpperCase();
  return isCurrency(code)
    ? accept(code)
    : refuse('currency', `“${clean.value.slice(0, 20)}” is not a currency code such as USD or EUR.`);
}

export const currency: FieldType = {
  key: 'currency',
  internal: true,
  options: options({}),
  canonical: true,
  valueType: 'text',
  columns: (field) => [{ name: field.key, type: 'text', checks: [{ suffix: 'code', sql: `{} ~ '^[A-Z]{3}$'` }] }],
  inputSchema: () => ({ type: 'string', pattern: '^[A-Za-z]{3}$' }),
  outputSchema: () => ({ type: 'string', pattern: '^[A-Z]{3}$' }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('a currency code')),
  select: (column) => column,
  operators: EQUALITY,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'currency',
  importCell: (cell, field) => parse(cell, field),
  exportCell: (value) => String(value),
};
