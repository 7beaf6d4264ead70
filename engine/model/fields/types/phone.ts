/** A telephone number, stored as E.164 (`+4930901820`). Numbers without a country code are those of the organisation's country. */
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { FieldType, Parsed, ValueContext } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, options, refuse, TEXTUAL, wrongType } from '../base.ts';
import { cleanText } from '../text-value.ts';

const MAX_INPUT = 40;

function countryOf(context: ValueContext): { defaultCountry?: CountryCode } {
  return isSupportedCountry(context.country) ? { defaultCountry: context.country } : {};
}

function parse(text: string, field: Field, context: ValueContext): Parsed {
  const clean = cleanText(text, field, false);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const number = parsePhoneNumberFromString(clean.value, { ...countryOf(context), extract: false });
  if (!number?.isValid()) {
    return refuse(
      'phone',
      `“${clean.value.slice(0, MAX_INPUT)}” is not a telephone number. Write it with its country code, e.g. +49 30 901820.`,
    );
  }
  // E.164 has no place for an extension, and dropping it would lose what the person wrote.
  if (number.ext)
    return refuse('phone_extension', `The extension ${number.ext} cannot be stored in a telephone number.`);
  return accept(number.number);
}

export const phone: FieldType = {
  key: 'phone',
  options: options({}),
  canonical: true,
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'e164', sql: `{} ~ '^[+][1-9][0-9]{1,14}$'` }] },
  ],
  inputSchema: (field) => ({ type: 'string', maxLength: MAX_INPUT, ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string', pattern: '^[+][1-9][0-9]{1,14}$' }),
  normalise: (value, field, context) =>
    typeof value === 'string' ? parse(value, field, context) : wrongType('a telephone number'),
  select: (column) => column,
  operators: TEXTUAL,
  sortable: true,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'phone',
  importCell: (cell, field, context) => parse(cell.replace(/^tel:/i, ''), field, context),
  exportCell: (value) => String(value),
};
