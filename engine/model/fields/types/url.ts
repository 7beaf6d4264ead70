/** A web address. Only http and https: anything else in a link is a way to run code in somebody's browser. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, options, refuse, TEXTUAL, wrongType } from '../base.ts';
import { cleanText } from '../text-value.ts';

const MAX = 2000;

function parse(text: string, field: Field): Parsed {
  const clean = cleanText(text, field, false);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(clean.value) ? clean.value : `https://${clean.value}`;
  const parsed = URL.canParse(written) && !/\s/.test(clean.value) ? new URL(written) : null;
  if (
    !parsed ||
    !/^https?:$/.test(parsed.protocol) ||
    !parsed.hostname.includes('.') ||
    parsed.username ||
    parsed.password
  ) {
    return refuse('url', `“${clean.value.slice(0, 80)}” is not a web address (http or https).`);
  }
  const bare = parsed.pathname === '/' && !parsed.search && !parsed.hash;
  const address = bare ? parsed.origin : parsed.href;
  if (address.length > MAX) return refuse('too_long', `At most ${MAX} characters.`, { max: MAX });
  return accept(address);
}

export const url: FieldType = {
  key: 'url',
  options: options({}),
  canonical: true,
  valueType: 'text',
  columns: (field) => [
    {
      name: field.key,
      type: 'text',
      checks: [
        { suffix: 'max', sql: `char_length({}) <= ${MAX}` },
        { suffix: 'scheme', sql: `{} ~ '^https?://'` },
      ],
    },
  ],
  inputSchema: (field) => ({ type: 'string', maxLength: MAX, ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string', format: 'uri' }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('a web address')),
  select: (column) => column,
  operators: TEXTUAL,
  sortable: true,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'url',
  importCell: (cell, field) => parse(cell, field),
  exportCell: (value) => String(value),
};
