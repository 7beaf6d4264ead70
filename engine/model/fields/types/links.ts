/** Links to any number of records of another entity (many to many). No column here: the links are rows of a table of their own. */
import type { FieldType } from '../../field-type.ts';
import { options, refuse } from '../base.ts';
import { namesOf } from '../named-records.ts';

const MAX_LINKS = 1000;
const ids = { type: 'array', items: { type: 'string', format: 'uuid' }, maxItems: MAX_LINKS } as const;

export const links: FieldType = {
  key: 'links',
  options: options(
    {
      to: { $ref: 'common.schema.json#/$defs/name', description: 'The entity it links to.' },
      inverse: {
        $ref: 'common.schema.json#/$defs/key',
        description: 'Key of the field on that entity which shows the same links from the other side.',
      },
      inverseLabel: {
        $ref: 'common.schema.json#/$defs/label',
        description: 'What people read there; the plural of this entity when left out.',
      },
    },
    ['to'],
  ),
  valueType: null,
  columns: () => [],
  inputSchema: () => ({
    anyOf: [
      ids,
      {
        type: 'object',
        properties: { set: ids, add: ids, remove: ids },
        additionalProperties: false,
        minProperties: 1,
      },
    ],
    description: 'Ids of the linked records; or what to add and remove.',
  }),
  outputSchema: () => ({ type: 'array', items: { type: 'object' } }),
  normalise: () => refuse('links', 'Links are written as a list of ids.'),
  select: (column) => column,
  operators: [],
  sortable: false,
  groupable: false,
  aggregates: [],
  searchable: false,
  widget: () => 'links',
  // Files name the other records by their titles, separated by semicolons; the import looks them up.
  importCell: () => refuse('links', 'Links are looked up by the import.'),
  exportCell: namesOf,
};
