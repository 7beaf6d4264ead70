/** A colour, stored as `#rrggbb` in lower case. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, EQUALITY, options, refuse, wrongType } from '../base.ts';

const HEX = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i;
const STORED = '^#[0-9a-f]{6}$';

function parse(text: string, field: Field): Parsed {
  const written = text.normalize('NFKC').trim();
  if (written === '') return field.required ? refuse('required', 'This is required.') : accept(null);
  const digits = HEX.exec(written)?.[1]?.toLowerCase();
  if (digits === undefined)
    return refuse('colour', `“${written.slice(0, 40)}” is not a colour. Write it as #rrggbb, e.g. #1f6feb.`);
  return accept(`#${digits.length === 6 ? digits : digits.replaceAll(/./g, '$&$&')}`);
}

export const colour: FieldType = {
  key: 'colour',
  options: options({}),
  canonical: true,
  valueType: 'text',
  columns: (field) => [{ name: field.key, type: 'text', checks: [{ suffix: 'hex', sql: `{} ~ '${STORED}'` }] }],
  inputSchema: (field) => ({ type: 'string', maxLength: 20, ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string', pattern: STORED }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('a colour')),
  select: (column) => column,
  operators: EQUALITY,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'colour',
  importCell: parse,
  exportCell: (value) => String(value),
};
