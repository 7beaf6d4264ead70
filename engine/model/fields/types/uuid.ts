/** The id of a record. Made by the engine (UUID version 7); documents do not name it. */
import type { FieldType } from '../../field-type.ts';
import { IDENTITY, options, wrongType } from '../base.ts';
import { parseUuid } from './reference.ts';

export const uuid: FieldType = {
  key: 'uuid',
  internal: true,
  readOnly: true,
  options: options({}),
  valueType: 'uuid',
  columns: (field) => [{ name: field.key, type: 'uuid' }],
  inputSchema: () => null,
  outputSchema: () => ({ type: 'string', format: 'uuid' }),
  normalise: (value) => (typeof value === 'string' ? parseUuid(value) : wrongType('an id')),
  select: (column) => column,
  operators: IDENTITY,
  sortable: true,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'readonly',
  importCell: (cell) => parseUuid(cell),
  exportCell: (value) => String(value),
};
