/** A small model for the tests of the condition language: one field of every value type, and references. */
import type { FieldType } from '#engine/model/field-type.ts';
import type { Choice, Entity, Field } from '#engine/model/model.ts';
import type { ValueType } from '#engine/model/value-type.ts';
import { bareField } from '#engine/model/build/fields.ts';
import { OPERATORS_OF } from '../operators.ts';

export interface FieldOptions {
  readonly to?: string;
  readonly choices?: readonly string[];
}

/** `null` makes a field without a value, as children are. */
export function field(key: string, valueType: ValueType | null, options: FieldOptions = {}): Field {
  const { to } = options;
  const type = fieldType(to === undefined ? (valueType ?? 'children') : 'reference', valueType);
  return {
    ...bareField(type, key, key),
    id: `f_${key}`,
    reference: to === undefined ? null : { entity: to, onDelete: 'restrict' },
    choices: options.choices?.map((choice): Choice => ({ key: choice, label: choice, color: null })) ?? null,
  };
}

function fieldType(key: string, valueType: ValueType | null): FieldType {
  return {
    key,
    options: {},
    valueType,
    columns: () => [],
    inputSchema: () => null,
    outputSchema: () => ({}),
    normalise: (value) => ({ value }),
    select: (column) => column,
    operators: valueType === null ? [] : [...OPERATORS_OF[valueType]],
    sortable: false,
    groupable: false,
    aggregates: [],
    searchable: false,
    widget: () => 'text',
    importCell: (cell) => ({ value: cell }),
    exportCell: String,
  };
}

export function entity(name: string, fields: readonly Field[]): Entity {
  const [pack = '', key = ''] = name.split('.');
  return {
    id: `e_${key}`,
    name,
    pack,
    key,
    plural: `${key}s`,
    label: key,
    pluralLabel: `${key}s`,
    icon: null,
    path: `${pack}/${key}s`,
    table: `${pack}_${key}s`,
    title: { template: '{id}', fields: ['id'] },
    owner: false,
    flag: null,
    softDelete: false,
    history: false,
    partition: null,
    concurrency: 'optional',
    sharing: name === 'lab.thing',
    keepDays: null,
    duplicates: [],
    parent: null,
    fields: new Map([field('id', 'uuid'), ...fields].map((each) => [each.key, each])),
    fieldsById: new Map([field('id', 'uuid'), ...fields].map((each) => [each.id, each])),
    unique: [],
    permissions: [],
  };
}

export const USER = entity('core.user', [field('team', 'uuid'), field('login', 'text')]);
export const SHELF = entity('lab.shelf', [field('room', 'text'), field('level', 'integer')]);
export const BOX = entity('lab.box', [
  field('label', 'text'),
  field('size', 'integer'),
  field('weight', 'decimal'),
  field('opened', 'date'),
  field('codes', 'texts'),
  field('shelf', 'uuid', { to: 'lab.shelf' }),
  field('parent', 'uuid', { to: 'lab.box' }),
]);
export const THING = entity('lab.thing', [
  field('name', 'text'),
  field('note', 'text'),
  field('stage', 'text', { choices: ['open', 'won', 'lost'] }),
  field('count', 'integer'),
  field('amount', 'decimal'),
  field('limit', 'decimal'),
  field('done', 'boolean'),
  field('due', 'date'),
  field('begun', 'date'),
  field('seen_at', 'datetime'),
  field('opens', 'time'),
  field('closes', 'time'),
  field('extra', 'json'),
  field('tags', 'texts'),
  field('team', 'uuid'),
  field('owner', 'uuid', { to: 'core.user' }),
  field('box', 'uuid', { to: 'lab.box' }),
  field('lines', null),
  { ...field('items', null), many: { via: 'inverse', entity: 'lab.item', field: 'thing' } },
]);
export const ITEM = entity('lab.item', [
  field('thing', 'uuid', { to: 'lab.thing' }),
  field('label', 'text'),
  field('size', 'integer'),
  field('due', 'date'),
  field('box', 'uuid', { to: 'lab.box' }),
]);

export const ENTITIES: ReadonlyMap<string, Entity> = new Map(
  [USER, SHELF, BOX, THING, ITEM].map((each) => [each.name, each]),
);

export function lookup(name: string): Entity | undefined {
  return ENTITIES.get(name);
}
