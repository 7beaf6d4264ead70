/**
 * A reference to a record of one of several entities. It is kept in an ordinary reference for each of them, of which at
 * most one has a value: so foreign keys, deletes, indexes and rights are those of references.
 */
import type { FieldType, JsonSchema } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { options, refuse } from '../base.ts';
import { namesOf } from '../named-records.ts';
import { otherSide } from './reference.ts';

function entitySchema({ derived }: Field): JsonSchema {
  return derived?.kind === 'any' && derived.targets.length > 0
    ? { enum: derived.targets.map(({ entity }) => entity) }
    : { type: 'string' };
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
    properties: { entity: entitySchema(field), id: { type: 'string', format: 'uuid' } },
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
  widget: () => 'anyreference',
  importCell: () => refuse('any_reference', 'Import one of its references instead.'),
  exportCell: namesOf,
};
