/** One of a list. Stored as its key; `text` with a CHECK, because an enum's operators are not leakproof and its values cannot be removed. */
import type { FieldType } from '../../field-type.ts';
import { accept, EQUALITY, options, wrongType } from '../base.ts';
import { choiceOptions, exportChoice, importChoice, keysOf, listCheck } from '../choices.ts';

export const choice: FieldType = {
  key: 'choice',
  options: options(
    {
      ...choiceOptions,
    },
    ['choices'],
  ),
  valueType: 'text',
  columns: (field) => [
    { name: field.key, type: 'text', checks: [{ suffix: 'choice', sql: listCheck(keysOf(field)) }] },
  ],
  inputSchema: (field) => ({ type: 'string', enum: keysOf(field) }),
  outputSchema: () => ({ type: 'string' }),
  normalise: (value, field) => {
    if (typeof value !== 'string') return wrongType('one of the choices');
    return keysOf(field).includes(value) ? accept(value) : importChoice(value, field);
  },
  select: (column) => column,
  operators: EQUALITY,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'select',
  importCell: importChoice,
  exportCell: (value, field) => exportChoice(String(value), field),
  fileCell: (value, field, label) => exportChoice(String(value), field, label),
};
