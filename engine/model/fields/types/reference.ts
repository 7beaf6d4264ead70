/** A link to a record of another entity: a foreign key. */
import { uuidOf } from '../../../uuid.ts';
import type { FieldType, JsonSchema, Parsed } from '../../field-type.ts';
import { accept, IDENTITY, options, refuse, wrongType } from '../base.ts';

export function parseUuid(text: string): Parsed {
  const id = uuidOf(text);
  return id !== null ? accept(id) : refuse('uuid', `“${text.slice(0, 40)}” is not the id of a record.`);
}

const onDelete: JsonSchema = {
  enum: ['restrict', 'clear', 'cascade'],
  description:
    'What happens to this record when the other one is deleted: the delete is refused (`restrict`, the default), the link is cleared, or this record goes too.',
};

/** What every reference may say of its other side. */
export const otherSide: Readonly<Record<string, JsonSchema>> = {
  onDelete,
  inverse: {
    $ref: 'common.schema.json#/$defs/key',
    description: 'Key of the field on the other entity which lists the records that refer to it.',
  },
  inverseLabel: {
    $ref: 'common.schema.json#/$defs/label',
    description: 'What people read there; the plural of this entity when left out.',
  },
};

export const reference: FieldType = {
  key: 'reference',
  options: options(
    { to: { $ref: 'common.schema.json#/$defs/name', description: 'The entity it points at.' }, ...otherSide },
    ['to'],
  ),
  valueType: 'uuid',
  columns: (field) => [{ name: field.key, type: 'uuid' }],
  inputSchema: () => ({ type: 'string', format: 'uuid' }),
  outputSchema: () => ({ type: 'string', format: 'uuid' }),
  normalise: (value) => (typeof value === 'string' ? parseUuid(value) : wrongType('the id of a record')),
  select: (column) => column,
  operators: IDENTITY,
  sortable: false,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'reference',
  // Files name the other record by its title or another unique field; the import looks it up.
  importCell: (cell) => accept(cell),
  exportCell: (value) => String(value),
};
