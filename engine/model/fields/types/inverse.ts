/** The other side of a reference: the records that point here. Made for every reference that names its `inverse`. */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';

const notWritten = () => refuse('inverse', 'It changes with the records that refer to this one.');

export const inverse: FieldType = {
  key: 'inverse',
  options: options({}),
  valueType: null,
  internal: true,
  readOnly: true,
  columns: () => [],
  inputSchema: () => null,
  outputSchema: () => ({ type: 'array', items: { type: 'object' } }),
  normalise: notWritten,
  select: (column) => column,
  operators: [],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'records',
  importCell: notWritten,
  exportCell: () => '',
};
