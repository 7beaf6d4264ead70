/** Exports, the change feed and events as OpenAPI paths. */
import type { Entity } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { ALWAYS, problems } from './openapi-common.ts';

import type { Part } from './openapi-parts.ts';
import { body, parameter as shared, query, text } from './openapi-parts.ts';
import { resourceUrl } from '../model/resource-url.ts';

const CHANGES: Part = {
  type: 'object',
  required: ['data', 'next', 'hasMore'],
  properties: {
    data: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind', 'entity', 'id', 'version', 'at'],
        properties: {
          kind: { enum: ['upsert', 'removed'] },
          reason: { enum: ['deleted', 'changed'], description: 'Of what was removed.' },
          entity: text,
          id: { type: 'string', format: 'uuid' },
          version: { type: 'integer' },
          at: { type: 'string', format: 'date-time' },
        },
      },
    },
    next: { type: 'string', description: 'The token to ask with next time.' },
    hasMore: { type: 'boolean' },
  },
};

const SINCE = query('since', 'A token of this feed. Without one, only a token comes back.', text);
const FIRST = query('$first', 'Items at most.', { type: 'integer', minimum: 1, maximum: 1000, default: 100 });
const ENTITIES = query(
  'entities',
  'Names with commas between them, e.g. `core.team`; all readable ones without it.',
  text,
);

const changes = (): Part => ({
  '200': { description: 'What has changed since.', content: { 'application/json': { schema: CHANGES } } },
  ...problems(410, 429),
});

export function streamPaths(scope: Scope, entity: Entity): Record<string, Part> {
  const rights = scope.rights.of(entity.name);
  const paths: Record<string, Part> = {};
  const url = resourceUrl(entity);
  const name = entity.name.replace('.', '_');
  if (rights.read.length === 0) return paths;
  paths[`${url}/$changes`] = {
    get: {
      operationId: `changes_${name}`,
      tags: [entity.name],
      summary: `Changes of ${entity.pluralLabel}`,
      parameters: [SINCE, FIRST],
      responses: { ...changes(), ...problems(...ALWAYS) },
    },
  };
  if (!rights.export) return paths;
  const file = { schema: { type: 'string' } };
  const own = [
    query('$format', 'Instead of `Accept`.', { enum: ['ndjson', 'csv', 'xlsx'] }),
    query('$header', 'What stands in the first line and for choices: keys, or labels in the reader’s language.', {
      enum: ['keys', 'labels'],
    }),
    query('$bom', 'A byte order mark before CSV.', { type: 'boolean' }),
  ];
  const responses = {
    '200': {
      description: 'The file.',
      content: {
        'text/csv': file,
        'application/x-ndjson': file,
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': {
          schema: { type: 'string', contentEncoding: 'binary' },
        },
      },
    },
    ...problems(...ALWAYS, 403, 429, 504),
  };
  paths[`${url}/$export`] = {
    get: {
      operationId: `export_${name}`,
      tags: [entity.name],
      summary: `Export ${entity.pluralLabel}`,
      description: 'The whole list as a file; filters as for the list.',
      parameters: [...['select', 'order', 'search', 'view', 'deleted'].map(shared), ...own],
      responses,
    },
    post: {
      operationId: `export_query_${name}`,
      tags: [entity.name],
      summary: `Export ${entity.pluralLabel} by a query in JSON`,
      description: 'The body is that of `$query` without what makes a page. The method QUERY does the same.',
      parameters: own,
      requestBody: body({ type: 'object' }, { where: { id: { null: false } }, select: ['id'] }),
      responses: { ...responses, ...problems(413, 415, 422) },
    },
  };
  return paths;
}

export const COMMON_STREAM_PATHS: Record<string, Part> = {
  '/api/$changes': {
    get: {
      operationId: 'changes',
      tags: ['Together'],
      summary: 'Changes of several entities',
      parameters: [ENTITIES, SINCE, FIRST],
      responses: { ...changes(), ...problems(...ALWAYS) },
    },
  },
  '/api/$events': {
    get: {
      operationId: 'events',
      tags: ['Together'],
      summary: 'Changes as they happen (server-sent events)',
      parameters: [ENTITIES, SINCE, { name: 'Last-Event-ID', in: 'header', description: 'As `since`.', schema: text }],
      responses: {
        '200': { description: 'The stream.', content: { 'text/event-stream': { schema: text } } },
        ...problems(...ALWAYS),
      },
    },
  },
};
