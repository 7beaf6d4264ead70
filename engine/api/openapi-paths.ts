/** The routes of one entity as OpenAPI paths, as far as the principal may use them. */
import { offeredOperators } from '../condition/offered.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';
import type { Part, Paths } from './openapi-parts.ts';
import { data, headerRef, json, operation, parameter, writtenData } from './openapi-parts.ts';
import { createExample, EXAMPLE_ID, exampleOf, schemaNames, schemaRef, updateExample } from './openapi-schemas.ts';
import { UPSERTED, writePaths } from './openapi-writes.ts';
import { commandPaths, idOf } from './openapi-commands.ts';
import { filePaths, importPaths } from './openapi-files.ts';
import { readableFields } from './ui-entity.ts';
import { resourceUrl } from '../model/resource-url.ts';

const LIST_CONTROLS = [
  'select',
  'where',
  'order',
  'first',
  'last',
  'after',
  'before',
  'offset',
  'count',
  'search',
  'view',
  'group',
  'agg',
  'having',
  'distinct',
  'deleted',
] as const;

/** The JSON form of a query. */
const QUERY_BODY: Part = {
  type: 'object',
  additionalProperties: false,
  properties: {
    where: { type: ['object', 'null'], description: 'Conditions by field, `and`, `or`, `not`.' },
    select: { type: ['array', 'null'], description: 'Field keys; nested records as objects.' },
    order: { type: ['array', 'null'], items: { type: 'string' } },
    first: { type: ['integer', 'null'], minimum: 1, maximum: 200 },
    last: { type: ['integer', 'null'], minimum: 1, maximum: 200 },
    after: { type: ['string', 'null'] },
    before: { type: ['string', 'null'] },
    offset: { type: ['integer', 'null'], minimum: 0, maximum: 10_000 },
    count: { enum: ['none', 'exact', 'capped', null] },
    search: { type: ['string', 'null'], maxLength: 200 },
    view: { type: ['string', 'null'] },
    group: { type: ['array', 'null'], items: { type: 'string' } },
    aggregate: { type: ['array', 'null'], items: { type: 'string' } },
    having: { type: ['object', 'null'], description: 'Conditions on groups, by the names of aggregates.' },
    distinct: { type: ['array', 'null'], items: { type: 'string' } },
    deleted: { enum: ['only', null] },
  },
};

/** A filter such as `amount[gte]=10.00`: one deep object per field, its members the operators. */
function filterParameter(scope: Scope, entity: Entity, field: Field): Part {
  const operators = offeredOperators(
    field,
    entity,
    (name) => scope.model.entities.get(name),
    (other, each) => scope.rights.of(other.name).readableFields.has(each.key),
  );
  const value = field.type.outputSchema(field);
  const example = exampleOf(scope, field);
  const single = Array.isArray(example) ? { type: 'string' } : value;
  const member = (operator: string): Part => {
    if (operator === 'null') return { type: 'boolean' };
    if (
      operator === 'in' ||
      operator === 'nin' ||
      operator === 'between' ||
      operator === 'hasAny' ||
      operator === 'hasAll'
    ) {
      return { type: 'string', description: 'Values with commas between them.' };
    }
    return operator === 'eq' ? single : { type: 'string' };
  };
  return {
    name: field.key,
    in: 'query',
    required: false,
    style: 'deepObject',
    explode: true,
    description: `Filter by “${field.label}”. Without an operator: equal.`,
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(operators.map((operator) => [operator, member(operator)])),
    },
  };
}

function collection(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const names = schemaNames(entity);
  const url = resourceUrl(entity);
  const item: Record<string, Part> = {};
  if (rights.read.length > 0) {
    const filterable = readableFields(scope, entity).filter((field) => field.type.operators.length > 0);
    const found: Part = {
      description: 'A page of records, or of groups.',
      headers: headerRef('Link'),
      content: json(schemaRef(names.list)),
    };
    item['get'] = operation(entity, 'list', `List ${entity.pluralLabel}`, {
      parameters: [
        ...LIST_CONTROLS.map(parameter),
        ...filterable.map((field) => filterParameter(scope, entity, field)),
      ],
      responses: { '200': found, ...problems(...ALWAYS, 504) },
    });
    paths[`${url}/$query`] = {
      post: operation(entity, 'query', `Query ${entity.pluralLabel}`, {
        description:
          'The same as the list, with the query as JSON: also `and`, `or`, `not`. The method QUERY (RFC 10008) on the list does the same. The address has no parameters: the body says it all.',
        requestBody: {
          required: true,
          content: json(QUERY_BODY, {
            where: { created_at: { gte: '2026-01-01T00:00:00Z' } },
            select: ['id', '_title'],
            order: ['-created_at'],
            first: 50,
          }),
        },
        responses: { '200': found, ...problems(...ALWAYS, 413, 415, 422, 504) },
      }),
    };
  }
  if (rights.create.length > 0) {
    const one = schemaRef(names.create);
    item['post'] = operation(entity, 'create', `Create ${entity.label}`, {
      parameters: ['select', 'upsert', 'idempotencyKey', 'prefer'].map(parameter),
      requestBody: {
        required: true,
        content: json(
          { oneOf: [one, { type: 'array', minItems: 1, maxItems: 1000, items: one }] },
          createExample(scope, entity),
        ),
      },
      responses: {
        '200': { description: 'With `$upsert`: what became of each.', content: json(UPSERTED) },
        '201': written(scope, entity, { ...headerRef('Location'), ...headerRef('ETag') }),
        ...problems(...WITH_BODY),
      },
    });
  }
  if (Object.keys(item).length > 0) paths[url] = item;
}

/** The answer to a write: the record, as far as it may be read. */
function written(scope: Scope, entity: Entity, headers: Part): Part {
  const readable = scope.rights.of(entity.name).read.length > 0;
  return {
    description: 'Done. The body has the record, unless `Prefer: return=minimal` was sent.',
    headers: { ...headers, ...headerRef('Idempotency-Replayed'), ...headerRef('Preference-Applied') },
    ...(readable && { content: json(writtenData(schemaRef(schemaNames(entity).record))) }),
  };
}

function record(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const names = schemaNames(entity);
  const url = `${resourceUrl(entity)}/{id}`;
  const item: Record<string, unknown> = {};
  if (rights.read.length > 0) {
    item['get'] = operation(entity, 'read', `Read ${entity.label}`, {
      parameters: ['select', 'ifNoneMatch'].map(parameter),
      responses: {
        '200': { description: 'The record.', headers: headerRef('ETag'), content: json(data(schemaRef(names.record))) },
        '304': { description: 'It is as the ETag says.' },
        '308': { description: 'It has been merged into the record at `Location`.', headers: headerRef('Location') },
        ...problems(...ALWAYS),
      },
    });
  }
  if (rights.update.length > 0) {
    item['patch'] = operation(entity, 'update', `Change ${entity.label}`, {
      description:
        'A merge patch: what is left out stays, null clears. A field of type JSON is replaced by what `application/json` sends, and merged with what `application/merge-patch+json` sends, level by level (RFC 7396).',
      parameters: ['select', 'ifMatch', 'idempotencyKey', 'prefer'].map(parameter),
      requestBody: {
        required: true,
        content: {
          ...json(schemaRef(names.update), updateExample(scope, entity)),
          'application/merge-patch+json': { schema: schemaRef(names.update) },
        },
      },
      responses: {
        '200': written(scope, entity, headerRef('ETag')),
        '204': { description: 'Done, without a body.' },
        ...problems(...WITH_BODY, 428),
      },
    });
  }
  // What is neither kept in a bin nor a part of something is kept for good.
  if (rights.delete.length > 0 && (entity.softDelete || entity.parent)) {
    item['delete'] = operation(entity, 'delete', `Delete ${entity.label}`, {
      parameters: ['ifMatch', 'idempotencyKey', 'prefer'].map(parameter),
      responses: { '204': { description: 'Deleted.' }, ...problems(...ALWAYS, 403, 409, 412, 428) },
    });
  }
  if (Object.keys(item).length > 0) paths[url] = { parameters: [parameter('id')], ...item };
  for (const template of scope.model.templates.values()) {
    if (template.entity !== entity.name || rights.read.length === 0 || template.flag !== null) continue;
    paths[`${url}/templates/${template.name}`] = {
      parameters: [parameter('id')],
      post: operation(entity, `template_${template.name.replace('.', '_')}`, `${template.label}, filled in`, {
        requestBody: {
          required: false,
          content: json(
            { type: 'object', properties: { locale: { type: 'string' } }, additionalProperties: false },
            {
              locale: 'en',
            },
          ),
        },
        responses: {
          '200': {
            description: 'Subject and text. What may not be read is empty.',
            content: json(
              data({
                type: 'object',
                required: ['template', 'locale', 'format', 'subject', 'body'],
                properties: {
                  template: { type: 'string' },
                  locale: { type: ['string', 'null'] },
                  format: { enum: ['text', 'html'] },
                  subject: { type: ['string', 'null'] },
                  body: { type: 'string' },
                },
              }),
            ),
          },
          ...problems(...WITH_BODY),
        },
      }),
    };
  }
  if (rights.read.length > 0 && entity.history) {
    paths[`${url}/history`] = {
      parameters: [parameter('id')],
      get: operation(entity, 'history', `History of ${entity.label}`, {
        responses: {
          '200': {
            description: 'Changes, newest first.',
            content: json(data({ type: 'array', items: schemaRef('HistoryEntry') })),
          },
          ...problems(...ALWAYS),
        },
      }),
    };
  }
}

function actions(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const url = `${resourceUrl(entity)}/{id}/actions`;
  const post = (key: string, summary: string, body: Part | null, example: Part = {}): void => {
    paths[`${url}/${key}`] = {
      parameters: [parameter('id')],
      post: operation(entity, key, summary, {
        parameters: ['select', 'ifMatch', 'idempotencyKey', 'prefer'].map(parameter),
        ...(body && { requestBody: { required: false, content: json(body, example) } }),
        responses: {
          ...(key !== 'purge' && { '200': written(scope, entity, headerRef('ETag')) }),
          '204': { description: 'Done, without a body.' },
          ...problems(...WITH_BODY, 428),
        },
      }),
    };
  };
  for (const field of entity.fields.values()) {
    const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
    for (const transition of lifecycle?.transitions.values() ?? []) {
      if (rights.transitions.has(transition.key))
        post(transition.key, `${entity.label}: ${transition.label}`, schemaRef(schemaNames(entity).update));
    }
  }
  if (entity.name === 'core.user' && scope.rights.administrator) {
    paths[`${url}/set_password`] = {
      parameters: [parameter('id')],
      post: operation(entity, 'set_password', 'Set a password', {
        requestBody: {
          required: true,
          content: json(
            {
              type: 'object',
              required: ['password'],
              properties: {
                password: { type: 'string', writeOnly: true },
                old_password: { type: 'string', writeOnly: true, description: 'Of one’s own.' },
              },
            },
            { password: 'a-long-password-of-one-s-own' },
          ),
        },
        responses: { '204': { description: 'Set. The person’s sessions have ended.' }, ...problems(...WITH_BODY) },
      }),
    };
  }
  if (rights.assign.length > 0) post('assign', `Assign ${entity.label}`, idOf('owner'), { owner: EXAMPLE_ID });
  if (rights.purge.length > 0) post('purge', `Delete ${entity.label} for good`, null);
  if (entity.softDelete && rights.delete.length > 0) post('restore', `Restore ${entity.label}`, null);
}

/** Every path of the entity that the principal may use. */
export function entityPaths(scope: Scope, entity: Entity): Paths {
  const paths: Paths = {};
  collection(scope, entity, paths);
  record(scope, entity, paths);
  actions(scope, entity, paths);
  importPaths(scope, entity, paths);
  commandPaths(scope, entity, paths);
  filePaths(scope, entity, paths);
  writePaths(scope, entity, paths);
  return paths;
}
