/** A parcel code, `PX-00042-6`: two letters, five digits and a check digit. The worked example of `docs/adding-a-field-type.md`. */
import type { FieldType, Parsed } from '#engine/model/field-type.ts';

const WRITTEN = /^([A-Z]{2})-?(\d{5})-?(\d)$/;

function parse(text: string): Parsed {
  const [, letters, digits = '', check] = WRITTEN.exec(text.trim().toUpperCase()) ?? [];
  const sum = Array.from(digits).reduce((total, digit, index) => total + Number(digit) * (index + 1), 0);
  if (letters === undefined || Number(check) !== sum % 10) {
    return {
      error: { code: 'parcel_code', message: `“${text.slice(0, 40)}” is not a parcel code such as PX-00042-6.` },
    };
  }
  return { value: `${letters}-${digits}-${check}` };
}

export const parcelCode: FieldType = {
  key: 'parcel_code',
  options: { type: 'object', properties: {} },
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'form', sql: `{} ~ '^[A-Z]{2}-[0-9]{5}-[0-9]$'` }] },
  ],
  inputSchema: () => ({ type: 'string', maxLength: 20 }),
  outputSchema: () => ({ type: 'string', pattern: '^[A-Z]{2}-[0-9]{5}-[0-9]$' }),
  normalise: (value) => parse(String(value)),
  select: (column) => column,
  operators: ['eq', 'ne', 'in', 'nin', 'null', 'starts'],
  sortable: true,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'text',
  importCell: parse,
  exportCell: (value) => String(value),
};
