/** The words of a rich text: computed by the database beside every field of that type; documents do not name it. */
import type { FieldType } from '../../field-type.ts';
import { accept, options, refuse, wrongType } from '../base.ts';
import { plainTextSql } from '../rich-text.ts';

export const plainTextType: FieldType = {
  key: 'plain_text',
  internal: true,
  readOnly: true,
  computed: true,
  options: options({}),
  valueType: 'text',
  columns: (field) => [{ name: field.key, type: 'text', generated: plainTextSql('{<}') }],
  inputSchema: () => null,
  outputSchema: () => ({ type: 'string' }),
  normalise: (value) => (typeof value === 'string' ? accept(value) : wrongType('text')),
  select: (column) => column,
  operators: ['null', 'contains', 'icontains', 'starts', 'istarts', 'ends'],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: true,
  widget: () => 'readonly',
  importCell: () => refuse('read_only', 'This is computed.'),
  exportCell: (value) => String(value),
};
