/** Yes or no. */
import type { FieldType } from '../../field-type.ts';
import { accept, fold, options, refuse, wrongType } from '../base.ts';

const YES: ReadonlySet<string> = new Set([
  'true',
  't',
  'yes',
  'y',
  '1',
  'on',
  'x',
  '✓',
  '✔',
  'نعم',
  'ja',
  'oui',
  'sí',
  'si',
]);
const NO: ReadonlySet<string> = new Set(['false', 'f', 'no', 'n', '0', 'off', '✗', '✘', 'لا', 'nein', 'non']);

export const boolean: FieldType = {
  key: 'boolean',
  options: options({}),
  valueType: 'boolean',
  columns: (field) => [{ name: field.key, type: 'boolean' }],
  inputSchema: () => ({ type: 'boolean' }),
  outputSchema: () => ({ type: 'boolean' }),
  normalise: (value) => (typeof value === 'boolean' ? accept(value) : wrongType('true or false')),
  select: (column) => column,
  operators: ['eq', 'ne', 'null'],
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'checkbox',
  importCell: (cell) => {
    const word = fold(cell);
    if (YES.has(word)) return accept(true);
    if (NO.has(word)) return accept(false);
    return refuse('boolean', `“${cell.slice(0, 40)}” is neither yes nor no.`);
  },
  exportCell: (value) => (value === true ? 'true' : 'false'),
};
