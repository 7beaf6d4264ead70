/** The commands of one entity as OpenAPI paths: sharing, merging, duplicates and the bin. */
import type { Entity } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';
import { resourceUrl } from './ui-entity.ts';

type Part = Readonly<Record<string, unknown>>;

const ID: Part = { type: 'string', format: 'uuid' };
const IDS: Part = { type: 'array', minItems: 1, items: ID };
const parameter = (key: string): Part => ({ $ref: `#/components/parameters/${key}` });
const body = (schema: Part): Part => ({ required: true, content: { 'application/json': { schema } } });
const answer = (description: string, data: Part): Part => ({
  description,
  content: { 'application/json': { schema: { type: 'object', required: ['data'], properties: { data } } } },
});

/** `{"<key>": id}` */
export const idOf = (key: string): Part => ({ type: 'object', required: [key], properties: { [key]: ID } });

export function commandPaths(scope: Scope, entity: Entity, paths: Record<string, Part>): void {
  const rights = scope.rights.of(entity.name);
  const url = resourceUrl(entity);
  const operation = (verb: string, summary: string, rest: Part): Part => ({
    operationId: `${verb}_${entity.name.replace('.', '_')}`,
    tags: [entity.name],
    summary,
    ...rest,
  });
  if (rights.share.length > 0) {
    paths[`${url}/{id}/shares`] = {
      parameters: [parameter('id')],
      get: operation('access', `Who has access to ${entity.label}`, {
        responses: { '200': answer('Owner, roles and shares.', { type: 'object' }), ...problems(...ALWAYS, 403) },
      }),
      post: operation('share', `Share ${entity.label}`, {
        parameters: [parameter('idempotencyKey')],
        requestBody: body({
          type: 'object',
          required: ['level'],
          oneOf: [{ required: ['user'] }, { required: ['team'] }],
          properties: {
            user: ID,
            team: ID,
            level: { enum: ['read', 'write'] },
            reason: { type: ['string', 'null'], maxLength: 500 },
            until: { type: ['string', 'null'], format: 'date-time' },
          },
        }),
        responses: { '201': answer('The share.', { type: 'object' }), ...problems(...WITH_BODY) },
      }),
    };
    paths[`${url}/{id}/shares/{share}`] = {
      parameters: [parameter('id'), { name: 'share', in: 'path', required: true, schema: ID }],
      delete: operation('end_share', `End a share of ${entity.label}`, {
        responses: { '204': { description: 'Ended.' }, ...problems(...ALWAYS, 403) },
      }),
    };
  }
  if (rights.merge.length > 0) {
    paths[`${url}/{id}/merge`] = {
      parameters: [parameter('id')],
      post: operation('merge', `Merge ${entity.pluralLabel}`, {
        parameters: ['select', 'ifMatch', 'idempotencyKey', 'prefer'].map(parameter),
        requestBody: body({
          type: 'object',
          required: ['from'],
          properties: { from: { ...IDS, maxItems: 20 }, fields: { type: 'object', additionalProperties: ID } },
        }),
        responses: { '200': answer('The record that stays.', { type: 'object' }), ...problems(...WITH_BODY) },
      }),
    };
  }
  if (entity.duplicates.length > 0 && rights.read.length > 0) {
    const list = (description: string) => ({
      '200': answer(description, { type: 'array', items: { type: 'object' } }),
    });
    paths[`${url}/$duplicates`] = {
      get: operation('duplicate_groups', `Groups of ${entity.pluralLabel} that are alike`, {
        responses: { ...list('The largest first.'), ...problems(...ALWAYS, 504) },
      }),
      post: operation('duplicates', `${entity.pluralLabel} like a draft`, {
        requestBody: body({ type: 'object' }),
        responses: { ...list('The most alike first.'), ...problems(...ALWAYS, 413, 415) },
      }),
    };
  }
  if (entity.softDelete && entity.parent === null && rights.delete.length > 0) {
    paths[`${url}/bin`] = {
      post: operation('bin', `Restore or purge ${entity.pluralLabel}`, {
        parameters: [parameter('idempotencyKey')],
        requestBody: body({
          type: 'object',
          minProperties: 1,
          maxProperties: 1,
          properties: { restore: { ...IDS, maxItems: 100 }, purge: { ...IDS, maxItems: 100 } },
        }),
        responses: { '204': { description: 'Done.' }, ...problems(...WITH_BODY) },
      }),
    };
  }
}
