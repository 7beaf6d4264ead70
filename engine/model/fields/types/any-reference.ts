/**
 * A reference to a record of one of several entities. It is kept in an ordinary reference for each of them, of which at
 * most one has a value: so foreign keys, deletes, indexes and rights are those of references.
 */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';
import { otherSide } from './reference.ts';

function targetsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export const anyReference: FieldType = {
  key: 'any_reference',
  options: options(
    {
      to: {
        type: 'array',
        items: { $ref: 'common.schema.json#/$defs/name' },
        minItems: 1,
        maxItems: 20,
        uniqueItems: true,
        description: 'The entities it may point at.',
      },
      ...otherSide,
    },
    ['to'],
  ),
  valueType: null,
  columns: () => [],
  inputSchema: (field) => ({
    type: 'object',
    properties: {
      entity: {
        enum:
          field.derived?.kind === 'any'
            ? field.derived.targets.map(({ entity }) => entity)
            : targetsOf(field.options['to']),
      },
      id: { type: 'string', format: 'uuid' },
    },
    required: ['entity', 'id'],
  }),
  outputSchema: () => ({
    type: 'object',
    properties: {
      entity: { type: 'string' },
      id: { type: 'string', format: 'uuid' },
      _title: { type: ['string', 'null'] },
    },
  }),
  normalise: () => refuse('any_reference', 'It is written as {"entity", "id"}.'),
  select: (column) => column,
  operators: [],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'any_reference',
  importCell: () => refuse('any_reference', 'Import one of its references instead.'),
  exportCell: (value) => String(value),
};
