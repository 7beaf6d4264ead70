/** The schemas of one entity: a record as it is answered, as it is created, as it is changed. From the field types alone. */
import type { JsonSchema } from '../model/field-type.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { LIMITS } from '../records/write/limits.ts';
import { leadsNowhere } from '../records/write/validate.ts';
import { asKnown, isReadable, readableFields } from './ui-entity.ts';

export type SchemaSet = Record<string, JsonSchema>;

/** Names of an entity's schemas under `components/schemas`. */
export function schemaNames(entity: Entity): {
  readonly record: string;
  readonly create: string;
  readonly update: string;
  readonly list: string;
  readonly upsert: string;
} {
  return {
    record: entity.name,
    create: `${entity.name}.create`,
    update: `${entity.name}.update`,
    list: `${entity.name}.list`,
    upsert: `${entity.name}.upsert`,
  };
}

export function schemaRef(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export const EXAMPLE_ID = '01900000-0000-7000-8000-000000000001';

/** A value such as the field has, by its kind. */
export function exampleOf(scope: Scope, field: Field): unknown {
  const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
  if (lifecycle) return lifecycle.initial;
  const first = field.choices?.[0]?.key;
  if (first !== undefined) return field.type.valueType === 'texts' ? [first] : first;
  const { derived } = asKnown(scope, field);
  if (derived?.kind === 'any') return { entity: derived.targets[0]?.entity ?? '', id: EXAMPLE_ID };
  const schema = field.type.inputSchema(field) ?? field.type.outputSchema(field);
  switch (field.type.valueType) {
    case 'uuid':
      return EXAMPLE_ID;
    case 'integer':
      return typeof schema['minimum'] === 'number' ? Math.max(1, schema['minimum']) : 1;
    case 'decimal':
      return decimalExample(field);
    case 'boolean':
      return true;
    case 'date':
      return '2026-01-31';
    case 'datetime':
      return '2026-01-31T10:00:00.000Z';
    case 'time':
      return '13:45:00';
    case 'json':
      return { example: true };
    case 'texts':
      return ['example'];
    case 'uuids':
      return [EXAMPLE_ID];
    case 'text':
      return textExample(scope, field);
    case null:
    default:
      return [];
  }
}

function decimalExample(field: Field): string {
  const scale = /,\s*(\d+)\)/.exec(field.type.columns(field)[0]?.type ?? '')?.[1];
  return (10).toFixed(scale === undefined ? 2 : Number(scale));
}

function textExample(scope: Scope, field: Field): string {
  switch (field.type.key) {
    case 'email':
      return 'sara@example.com';
    case 'phone':
      return '+4915112345678';
    case 'url':
      return 'https://example.com/';
    case 'currency':
      return scope.tenant.currency;
    default:
      return fitting(scope, field);
  }
}

/** A text that the field's pattern and length allow, its label if they do. */
function fitting(scope: Scope, field: Field): string {
  const { pattern, maxLength } = field.type.inputSchema(field) ?? {};
  const allowed = typeof pattern === 'string' ? new RegExp(pattern, 'u') : null;
  const most = typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY;
  const tries = [
    field.label,
    scope.tenant.timeZone,
    scope.tenant.locale,
    scope.tenant.currency,
    'EXAMPLE',
    'example',
    '1',
  ];
  return tries.find((one) => one.length <= most && (allowed === null || allowed.test(one))) ?? field.label;
}

function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** What a reference may be answered as: its id, or the record when it was selected. */
function outputSchema(scope: Scope, field: Field): JsonSchema {
  const described = { title: field.label, ...(field.help !== null && { description: field.help }) };
  if (field.many)
    return {
      ...described,
      type: 'array',
      description: 'Answered when selected.',
      items: schemaRef(field.many.entity),
    };
  const own = field.type.outputSchema(asKnown(scope, field));
  const target = field.reference?.entity;
  const value = target !== undefined && isReadable(scope.rights, target) ? { anyOf: [own, schemaRef(target)] } : own;
  return {
    ...described,
    // Nobody in particular has made what came with the organisation.
    ...(field.required || (field.system && !field.reference) ? value : nullable(value)),
    readOnly: field.readOnly || field.system,
  };
}

/** Parts of a record: new ones as a list; of one that exists also what is to happen to those that are there. */
function partsSchema(scope: Scope, field: Field, update: boolean): JsonSchema | null {
  const child = field.children && scope.model.entities.get(field.children.entity);
  if (!child || scope.rights.of(child.name).create.length === 0) return null;
  const names = schemaNames(child);
  const created = { type: 'array', maxItems: LIMITS.parts, items: schemaRef(names.create) };
  const identified = { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } };
  const changed = { type: 'array', maxItems: LIMITS.parts, items: identified };
  const removed = { type: 'array', maxItems: LIMITS.parts, items: { type: 'string', format: 'uuid' } };
  const commands = {
    type: 'object',
    additionalProperties: false,
    properties: update ? { create: created, update: changed, delete: removed } : { create: created },
  };
  const list = update ? { type: 'array', maxItems: LIMITS.parts, items: { type: 'object' } } : created;
  return {
    title: field.label,
    ...(update && {
      description: 'A list takes the place of what was there: with `id` one that stays, without a new one.',
    }),
    anyOf: [list, commands],
  };
}

function inputSchema(scope: Scope, field: Field, update: boolean): JsonSchema | null {
  if (field.children) return partsSchema(scope, field, update);
  const own = field.type.inputSchema(asKnown(scope, field));
  if (own === null) return null;
  if (field.many) return { title: field.label, ...own, examples: [[EXAMPLE_ID], { add: [EXAMPLE_ID], remove: [] }] };
  const examples = [exampleOf(scope, field)];
  const target = field.reference && scope.model.entities.get(field.reference.entity);
  const value =
    target && scope.rights.of(target.name).create.length > 0
      ? {
          anyOf: [
            own,
            {
              type: 'object',
              required: ['create'],
              additionalProperties: false,
              properties: { create: schemaRef(schemaNames(target).create) },
            },
          ],
        }
      : own;
  return {
    title: field.label,
    ...(field.required && (update || field.fill === null) ? value : nullable(value)),
    examples,
  };
}

function inputs(scope: Scope, entity: Entity, allowed: ReadonlySet<string>, update = false): SchemaSet {
  const made: SchemaSet = {};
  for (const key of allowed) {
    const field = entity.fields.get(key);
    const schema = field && !leadsNowhere(scope, field) ? inputSchema(scope, field, update) : null;
    if (schema) made[key] = schema;
  }
  return made;
}

/** A field must be sent when it is required and nothing else gives it a value. */
function mustSend(entity: Entity, key: string): boolean {
  const field = entity.fields.get(key);
  return (
    field !== undefined &&
    field.required &&
    field.default === undefined &&
    field.fill === null &&
    field.lifecycle === null &&
    key !== 'owner' &&
    field.key !== entity.parent?.field
  );
}

/** A whole record as an example, of the fields given. */
export function recordExample(scope: Scope, entity: Entity, keys: Iterable<string>): Record<string, unknown> {
  const example: Record<string, unknown> = {};
  for (const key of keys) {
    const field = entity.fields.get(key);
    if (field && !field.many) example[key] = exampleOf(scope, field);
  }
  return example;
}

/** What must be sent with a new record. */
export function createExample(scope: Scope, entity: Entity): Record<string, unknown> {
  const allowed = [...scope.rights.of(entity.name).creatableFields];
  return recordExample(
    scope,
    entity,
    allowed.filter((key) => entity.fields.get(key)?.required === true),
  );
}

/** A change of the first field that is plain to change; empty where there is none. */
export function updateExample(scope: Scope, entity: Entity): Record<string, unknown> {
  const plain = [...scope.rights.of(entity.name).updatableFields].find((key) => {
    const field = entity.fields.get(key);
    const kind = field?.type.valueType;
    return field && !field.unique && !field.reference && (kind === 'text' || kind === 'integer' || kind === 'boolean');
  });
  return plain === undefined ? {} : recordExample(scope, entity, [plain]);
}

/** All schemas of an entity that the principal has a use for, by name. */
export function entitySchemas(scope: Scope, entity: Entity): SchemaSet {
  const names = schemaNames(entity);
  const rights = scope.rights.of(entity.name);
  const made: SchemaSet = {};
  if (rights.read.length > 0) {
    const fields = readableFields(scope, entity);
    made[names.record] = {
      type: 'object',
      title: entity.label,
      properties: {
        ...Object.fromEntries(fields.map((field) => [field.key, outputSchema(scope, field)])),
        _title: { type: 'string', readOnly: true, description: 'The title, when selected.' },
        _actions: {
          type: 'array',
          readOnly: true,
          items: { type: 'string' },
          description: 'Transitions that are possible now, when selected.',
        },
        _may: {
          type: 'array',
          readOnly: true,
          items: { enum: ['update', 'delete'] },
          description: 'What the caller may do with this record, when selected.',
        },
      },
      examples: [
        recordExample(
          scope,
          entity,
          fields.filter(({ type }) => !type.attached).map(({ key }) => key),
        ),
      ],
    };
    made[names.list] = {
      type: 'object',
      required: ['data', 'page'],
      properties: {
        data: { type: 'array', items: schemaRef(names.record) },
        page: schemaRef('Page'),
        count: schemaRef('Count'),
      },
    };
  }
  if (rights.create.length > 0) {
    const properties = inputs(scope, entity, rights.creatableFields);
    const required = Object.keys(properties).filter((key) => mustSend(entity, key));
    made[names.create] = {
      type: 'object',
      title: entity.label,
      additionalProperties: false,
      properties,
      ...(required.length > 0 && { required }),
    };
    made[names.upsert] = {
      type: 'object',
      title: entity.label,
      description: 'A new record, or what changes of the one that has the key.',
      additionalProperties: false,
      properties: {
        ...properties,
        ...(rights.update.length > 0 && inputs(scope, entity, rights.updatableFields, true)),
      },
    };
  }
  if (rights.update.length > 0) {
    made[names.update] = {
      type: 'object',
      title: entity.label,
      description: 'JSON Merge Patch (RFC 7396): what is left out stays.',
      additionalProperties: false,
      properties: inputs(scope, entity, rights.updatableFields, true),
    };
  }
  return made;
}
