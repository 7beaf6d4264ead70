/** An e-mail address, lower-cased: two spellings of one address must meet in a unique key. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, options, refuse, TEXTUAL, wrongType } from '../base.ts';
import { cleanText } from '../text-value.ts';

/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets, two of them brackets. */
const MAX = 254;
// HTML's "valid e-mail address", plus letters of other scripts (RFC 6531) and a dot in the domain.
const ADDRESS =
  /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

function parse(text: string, field: Field): Parsed {
  const clean = cleanText(text, field, false);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const address = clean.value.toLowerCase();
  if (address.length > MAX || !ADDRESS.test(address)) {
    return refuse('email', `“${clean.value.slice(0, 80)}” is not an e-mail address.`);
  }
  return accept(address);
}

export const email: FieldType = {
  key: 'email',
  options: options({
    mx: {
      type: 'boolean',
      description: 'New values are looked up in the DNS while the setting email_mx_check of the pack is on.',
    },
  }),
  canonical: true,
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'max', sql: `char_length({}) <= ${MAX}` }] },
  ],
  inputSchema: (field) => ({ type: 'string', maxLength: MAX, ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string', format: 'email' }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('an e-mail address')),
  select: (column) => column,
  operators: TEXTUAL,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: true,
  widget: () => 'email',
  importCell: (cell, field) => parse(cell.replace(/^mailto:/i, '').replace(/^.*<([^<>]+)>$/, '$1'), field),
  exportCell: (value) => String(value),
};
