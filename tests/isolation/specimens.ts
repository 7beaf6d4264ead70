/**
 * Entities of an organisation's own with a field of every type that the CRM has no use for, and ways from one to the
 * other of every kind; some of it hidden from somebody.
 */
import type { PermissionDocument } from './expectation.ts';

type Document = Readonly<Record<string, unknown>>;

const ROOM: Document = {
  kind: 'entity',
  key: 'room',
  plural: 'rooms',
  label: 'Room',
  title: '{name}',
  owner: true,
  softDelete: true,
  history: true,
  fields: [
    { key: 'name', type: 'text', required: true, search: 'A' },
    { key: 'cost', type: 'money' },
    { key: 'note', type: 'long_text' },
  ],
};

const SPECIMEN: Document = {
  kind: 'entity',
  key: 'specimen',
  plural: 'specimens',
  label: 'Specimen',
  title: '{name}',
  owner: true,
  softDelete: true,
  history: true,
  sharing: true,
  fields: [
    { key: 'name', type: 'text', required: true, search: 'A' },
    { key: 'secret', type: 'encrypted' },
    { key: 'home', type: 'address' },
    { key: 'finder', type: 'person_name' },
    { key: 'place', type: 'location' },
    { key: 'scan', type: 'file' },
    { key: 'picture', type: 'image' },
    { key: 'raw', type: 'json' },
    { key: 'words', type: 'rich_text', search: 'C' },
    { key: 'length', type: 'decimal', scale: 1 },
    { key: 'stars', type: 'rating' },
    { key: 'lasts', type: 'duration' },
    { key: 'opens', type: 'time' },
    { key: 'colour', type: 'colour' },
    { key: 'kinds', type: 'multiple_choice', choices: [{ key: 'dry' }, { key: 'wet' }] },
    { key: 'room', type: 'reference', to: 'room', onDelete: 'restrict', inverse: 'kept' },
    { key: 'rooms', type: 'links', to: 'room', inverse: 'shown' },
    { key: 'regarding', type: 'any_reference', to: ['room', 'crm.contact'], inverse: 'mentions' },
    { key: 'room_name', type: 'lookup', via: 'room', field: 'name' },
    { key: 'room_cost', type: 'lookup', via: 'room', field: 'cost' },
    { key: 'rooms_cost', type: 'rollup', of: 'rooms', fn: 'sum', field: 'cost' },
    { key: 'parts', type: 'children', of: 'specimen_part' },
    { key: 'weight', type: 'rollup', of: 'parts', fn: 'sum', field: 'weight' },
    { key: 'plan', type: 'text' },
  ],
};

const PART: Document = {
  kind: 'entity',
  key: 'specimen_part',
  plural: 'specimen_parts',
  label: 'Part of a specimen',
  parent: 'specimen',
  fields: [
    { key: 'specimen', type: 'reference', to: 'specimen', required: true },
    { key: 'name', type: 'text', required: true },
    { key: 'weight', type: 'decimal', scale: 1 },
  ],
};

const LETTER: Document = {
  kind: 'template',
  key: 'label_of_specimen',
  label: 'Label',
  entity: 'custom.specimen',
  format: 'text',
  subject: '{{name}}',
  body: '{{name}} {{secret}} {{home}} {{room_name}} {{weight}} {{plan}} {{room.name}} {{#parts}}{{name}}{{/parts}}',
};

const LENGTH: Document = {
  kind: 'metric',
  key: 'longest_specimen',
  label: 'The longest',
  entity: 'custom.specimen',
  aggregate: 'max(length)',
};

export const SPECIMENS: readonly Document[] = [ROOM, SPECIMEN, PART, LETTER, LENGTH];

/** Who sees what of them. */
export const SPECIMEN_PERMISSIONS: readonly PermissionDocument[] = [
  {
    role: 'sales_rep',
    entity: 'custom.specimen',
    actions: ['create', 'read', 'update', 'share'],
    fields: {
      read: { except: ['secret', 'scan', 'home', 'raw', 'parts', 'length'] },
      create: { except: ['secret', 'plan'] },
      update: { except: ['secret', 'plan', 'rooms'] },
    },
    conditions: { owner: 'self' },
  },
  {
    role: 'manager',
    entity: 'custom.specimen',
    actions: ['create', 'read', 'update', 'delete', 'export', 'assign', 'share'],
    conditions: { owner: 'team' },
  },
  {
    role: 'support',
    entity: 'custom.specimen',
    actions: ['read'],
    fields: { read: { only: ['name', 'words', 'stars', 'regarding', 'rooms', 'finder'] } },
  },
  {
    role: 'sales_rep',
    entity: 'custom.room',
    actions: ['create', 'read', 'update'],
    conditions: { owner: 'self' },
  },
  {
    role: 'manager',
    entity: 'custom.room',
    actions: ['create', 'read', 'update', 'delete'],
    conditions: { owner: 'team' },
  },
  { role: 'finance', entity: 'custom.room', actions: ['read'], fields: { read: { except: ['note'] } } },
];
