/** The routes that write by key, by filter and in batches as OpenAPI paths, as far as the principal may use them. */
import type { Entity } from '../model/model.ts';
import { PROBLEMS } from '../problem.ts';
import { findKey } from '../records/read/keys.ts';
import type { Scope } from '../records/scope.ts';
import { LIMITS, MANY_LIMITS } from '../records/write/limits.ts';
import { MAX_PARTS } from './batch-body.ts';
import { idOf } from './openapi-commands.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';
import type { Part, Paths } from './openapi-parts.ts';
import { data, headerRef as header, json, operation, parameter, uuid as id, writtenData } from './openapi-parts.ts';
import { exampleOf, schemaNames, schemaRef, updateExample, createExample, EXAMPLE_ID } from './openapi-schemas.ts';
import { resourceUrl } from '../model/resource-url.ts';

const AFFECTED: Part = {
  description: 'What was changed; records that had the values already are not among it.',
  headers: { ...header('Preference-Applied'), ...header('Idempotency-Replayed') },
  content: json(
    data({
      type: 'object',
      required: ['affected', 'ids'],
      properties: { affected: { type: 'integer' }, ids: { type: 'array', items: id } },
    }),
  ),
};

const WHERE: Part = {
  type: 'object',
  minProperties: 1,
  description: 'Conditions by field, `and`, `or`, `not`; never empty.',
};

/** The rest of a record whose key stands in the address. */
function keyExample(scope: Scope, entity: Entity, key: string): Part {
  const rights = scope.rights.of(entity.name);
  const { [key]: _, ...rest } = rights.create.length > 0 ? createExample(scope, entity) : updateExample(scope, entity);
  return rest;
}

/** A filter in the address with the values as the body, or both in the body. */
function byFilter(entity: Entity, verb: string, summary: string, set: Part | null, example = {}): Part {
  const both = {
    type: 'object',
    required: set ? ['where', 'set'] : ['where'],
    additionalProperties: false,
    properties: { where: WHERE, ...(set && { set }) },
  };
  return operation(entity, verb, summary, {
    description: `All that match or none. A filter stands in the address as for a list (then the body has the values alone) or in \`where\`; it must not be empty. At most ${MANY_LIMITS.standard} records, up to ${MANY_LIMITS.most} with \`Prefer: max-affected\`.`,
    parameters: ['idempotencyKey', 'prefer'].map(parameter),
    requestBody: {
      required: false,
      content: json(set ? { anyOf: [both, set] } : both, {
        where: { id: { in: [EXAMPLE_ID] } },
        ...(set && { set: example }),
      }),
    },
    responses: { '200': AFFECTED, ...problems(...WITH_BODY, 428) },
  });
}

function byKeys(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const names = schemaNames(entity);
  for (const unique of entity.unique) {
    const [key = ''] = unique.fields;
    const field = entity.fields.get(key);
    if (unique.fields.length !== 1 || !field || !findKey(scope, entity, [key])) continue;
    const writable = rights.create.length > 0 || rights.update.length > 0;
    const body = schemaRef(rights.create.length > 0 ? names.upsert : names.update);
    const record = rights.read.length > 0 ? { content: json(writtenData(schemaRef(names.record))) } : {};
    const done = (description: string): Part => ({
      description,
      headers: { ...header('ETag'), ...header('Location'), ...header('Idempotency-Replayed') },
      ...record,
    });
    paths[`${resourceUrl(entity)}/by/${key}/{value}`] = {
      parameters: [
        {
          name: 'value',
          in: 'path',
          required: true,
          description: `Value of “${field.label}”.`,
          schema: { type: 'string' },
          example: String(exampleOf(scope, field)),
        },
      ],
      get: operation(entity, `read_by_${key}`, `Read ${entity.label} by ${field.label}`, {
        parameters: ['select', 'ifNoneMatch'].map(parameter),
        responses: {
          '200': done('The record.'),
          '304': { description: 'It is as the ETag says.' },
          ...problems(...ALWAYS),
        },
      }),
      ...(writable && {
        put: operation(
          entity,
          `upsert_by_${key}`,
          `Create ${entity.label}, or change the one with this ${field.label}`,
          {
            description:
              'A record that exists is changed as by PATCH; what counts at creation only (owner, state) is then left as it is. `If-Match` asks for one that exists, `If-None-Match: *` for none.',
            parameters: ['select', 'ifMatch', 'ifNoneMatch', 'idempotencyKey', 'prefer'].map(parameter),
            requestBody: { required: true, content: json(body, keyExample(scope, entity, key)) },
            responses: {
              '200': done('Changed.'),
              '201': done('Created.'),
              '204': { description: 'Changed, and answered without a body.' },
              ...problems(...WITH_BODY, 428),
            },
          },
        ),
      }),
    };
  }
}

/** Adds to the paths of an entity. */
export function writePaths(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const url = resourceUrl(entity);
  const names = schemaNames(entity);
  byKeys(scope, entity, paths);
  // Those are changed one at a time, each with If-Match.
  if (rights.read.length === 0 || entity.concurrency === 'required') return;
  const item: Record<string, unknown> = { ...paths[url] };
  if (rights.update.length > 0) {
    const change = byFilter(
      entity,
      'update_many',
      `Change all ${entity.pluralLabel} that match`,
      schemaRef(names.update),
      updateExample(scope, entity),
    );
    item['patch'] = change;
    for (const key of rights.transitions) {
      paths[`${url}/$actions/${key}`] = {
        post: byFilter(entity, `${key}_many`, `${key}: all ${entity.pluralLabel} that match`, schemaRef(names.update)),
      };
    }
  }
  if (rights.assign.length > 0)
    paths[`${url}/$actions/assign`] = {
      post: byFilter(entity, 'assign_many', `Assign all ${entity.pluralLabel} that match`, idOf('owner'), {
        owner: EXAMPLE_ID,
      }),
    };
  if (rights.delete.length > 0 && (entity.softDelete || entity.parent))
    item['delete'] = byFilter(entity, 'delete_many', `Delete all ${entity.pluralLabel} that match`, null);
  if (Object.keys(item).length > 0) paths[url] = item;
}

/** Answer of `POST …?$upsert=` with a list. */
export const UPSERTED: Part = writtenData({
  type: 'array',
  maxItems: LIMITS.records,
  items: {
    type: 'object',
    required: ['id', 'version', 'outcome'],
    properties: {
      id,
      version: { type: 'integer' },
      outcome: { enum: ['created', 'updated', 'unchanged'] },
    },
  },
});

/** `POST /api/$batch`, for whoever may do anything at all. */
/** Tag of the routes that are about several entities. */
export const COMMON_TAGS: readonly Part[] = [{ name: 'Together', description: 'Several entities at once' }];

export const BATCH_PATHS: Paths = {
  '/api/$batch': {
    post: {
      operationId: 'batch',
      tags: ['Together'],
      summary: 'Several requests as one',
      description:
        '`atomic`: one transaction, in which later requests see what earlier ones did; the first that fails undoes all, and is what is answered. Else each is answered by itself. `@{a.id}`, `@{a.status}`, `@{a.headers.etag}` and `@{a.body.data.field}` stand in paths, headers and bodies for what an earlier request was answered; `@@{` for `@{`.',
      parameters: ['idempotencyKey', 'prefer'].map(parameter),
      requestBody: {
        required: true,
        content: json(
          {
            type: 'object',
            required: ['requests'],
            additionalProperties: false,
            properties: {
              atomic: { type: 'boolean', default: true },
              requests: {
                type: 'array',
                minItems: 1,
                maxItems: MAX_PARTS,
                items: {
                  type: 'object',
                  required: ['id', 'method', 'path'],
                  additionalProperties: false,
                  properties: {
                    id: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
                    method: { enum: ['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE'] },
                    path: { type: 'string', description: 'Address of records: `/api/{pack}/v1/…`.' },
                    headers: { type: 'object', additionalProperties: { type: 'string' } },
                    body: { description: 'JSON.' },
                  },
                },
              },
            },
          },
          {
            atomic: false,
            requests: [{ id: 'a', method: 'GET', path: '/api/core/v1/users?$select=id,_title&$first=1' }],
          },
        ),
      },
      responses: {
        '200': {
          description: 'The answers, in the order of the requests.',
          headers: { ...header('Preference-Applied'), ...header('Idempotency-Replayed') },
          content: json(
            data({
              type: 'array',
              items: {
                type: 'object',
                required: ['id', 'status', 'headers', 'body'],
                properties: {
                  id: { type: 'string' },
                  status: { type: 'integer' },
                  headers: { type: 'object', additionalProperties: { type: 'string' } },
                  body: { description: 'JSON; null where there is none.' },
                },
              },
            }),
          ),
        },
        ...problems(...new Set([...WITH_BODY, 405, 428, PROBLEMS.failed_dependency[0], 504])),
      },
    },
  },
};
