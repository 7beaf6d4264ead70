/** Imports of an entity, and the files in its records, as OpenAPI paths. */
import type { Entity } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';
import type { Part, Paths } from './openapi-parts.ts';
import { answer as answered, data, exactly, json, operation, parameter, text, uuid } from './openapi-parts.ts';
import { schemaRef } from './openapi-schemas.ts';
import { resourceUrl } from '../model/resource-url.ts';

export function importPaths(scope: Scope, entity: Entity, paths: Paths): void {
  // A part comes in with its whole.
  if (!scope.rights.of(entity.name).import || entity.parent) return;
  const url = `${resourceUrl(entity)}/imports`;
  const answer = (status: string, description: string, schema = 'Import'): Part => ({
    [status]: { description, content: json(data(schemaRef(schema))) },
  });
  paths[url] = {
    post: operation(entity, 'import', `Upload a file of ${entity.pluralLabel}`, {
      parameters: [
        {
          name: 'encoding',
          in: 'query',
          description: 'Of a CSV file; UTF-8, or what its byte order mark says, without it.',
          schema: { enum: ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] },
        },
        {
          name: 'sheet',
          in: 'query',
          description: 'A sheet of a workbook; the first one without it.',
          schema: { type: 'string' },
        },
      ],
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': {
            schema: {
              type: 'object',
              required: ['file'],
              properties: { file: { type: 'string', description: 'CSV, or an Excel workbook (.xlsx).' } },
            },
          },
        },
      },
      responses: {
        ...answer('201', 'What was found in the file, with a suggested mapping.', 'Upload'),
        ...problems(...ALWAYS, 403, 413, 415, 422),
      },
    }),
  };
  paths[`${url}/{import}`] = {
    parameters: [parameter('import')],
    get: operation(entity, 'import_status', 'Progress of an import', {
      responses: { ...answer('200', 'How far it is.'), ...problems(...ALWAYS) },
    }),
    patch: operation(entity, 'import_settings', 'Settings of an import', {
      requestBody: {
        required: true,
        content: json(schemaRef('ImportSettings'), { dryRun: true }),
      },
      responses: { ...answer('200', 'Stored.'), ...problems(...WITH_BODY) },
    }),
  };
  paths[`${url}/{import}/start`] = {
    parameters: [parameter('import')],
    post: operation(entity, 'import_start', 'Start an import', {
      requestBody: { required: false, content: json(schemaRef('ImportSettings'), { dryRun: true }) },
      responses: { ...answer('202', 'It runs.'), ...problems(...ALWAYS, 403, 409, 413, 415, 422) },
    }),
  };
  paths[`${url}/{import}/errors.csv`] = {
    parameters: [parameter('import')],
    get: operation(entity, 'import_errors', 'Rows that were not imported', {
      responses: {
        '200': {
          description: 'The rows as they were, each with its reason.',
          content: { 'text/csv': { schema: { type: 'string' } } },
        },
        ...problems(...ALWAYS),
      },
    }),
  };
}

/** Files: sent before the record that names them, fetched with it. */
export function filePaths(scope: Scope, entity: Entity, paths: Paths): void {
  const rights = scope.rights.of(entity.name);
  const held = [...entity.fields.values()].filter(({ key, type }) => type.attached && rights.readableFields.has(key));
  if (held.length === 0) return;
  const url = resourceUrl(entity);
  if (rights.create.length + rights.update.length > 0) {
    paths[`${url}/$files`] = {
      post: operation(entity, 'upload', `Send a file for ${entity.label}`, {
        parameters: [
          { name: 'name', in: 'query', schema: { type: 'string' }, description: 'What the file is called.' },
        ],
        requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } },
        responses: {
          '201': answered(
            'Kept for a day, until a record names its id.',
            exactly({ id: uuid, name: text, type: text, size: { type: 'integer', description: 'Bytes.' } }),
          ),
          ...problems(...ALWAYS, 403, 413, 422, 429),
        },
      }),
    };
  }
  for (const { key, label } of held) {
    paths[`${url}/{id}/files/${key}`] = {
      parameters: [parameter('id')],
      get: operation(entity, `file_${key}`, `${label} of ${entity.label}`, {
        parameters: [
          {
            name: 'inline',
            in: 'query',
            schema: { type: 'string' },
            description: 'Show a picture instead of saving it.',
          },
        ],
        responses: {
          '200': { description: 'The file.', content: { 'application/octet-stream': { schema: {} } } },
          '206': { description: 'The range of it that was asked for.' },
          '304': { description: 'You have it already.' },
          '416': { description: 'The file is shorter.' },
          ...problems(...ALWAYS),
        },
      }),
    };
  }
}
