/** The parts of a record (lines of an order): records of another entity that live and die with this one. No column here; they point back. */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';

export const children: FieldType = {
  key: 'children',
  options: options(
    {
      of: {
        $ref: 'common.schema.json#/$defs/name',
        description: 'The entity of the parts; its `parent` is a reference to this entity.',
      },
    },
    ['of'],
  ),
  valueType: null,
  columns: () => [],
  // Each part is checked as a record of its own entity; here only the shape.
  inputSchema: () => ({ type: 'array', items: { type: 'object' }, maxItems: 1000 }),
  outputSchema: () => ({ type: 'array', items: { type: 'object' } }),
  normalise: () => refuse('children', 'Parts are written as records of their own.'),
  select: (column) => column,
  operators: [],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'children',
  importCell: () => refuse('children', 'Parts cannot stand in a cell; import them as records of their own.'),
  exportCell: () => '',
};
