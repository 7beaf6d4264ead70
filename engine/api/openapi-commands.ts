/** The commands of one entity as OpenAPI paths: sharing, merging, duplicates and the bin. */
import type { Entity } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { ALWAYS, problems, WITH_BODY } from './openapi-common.ts';

import type { Part } from './openapi-parts.ts';
import {
  answer,
  body,
  exactly,
  inPath,
  listOf,
  moment,
  operation as about,
  orNull,
  parameter,
  text,
  texts,
  uuid,
} from './openapi-parts.ts';
import { createExample, EXAMPLE_ID, schemaNames, schemaRef } from './openapi-schemas.ts';
import { resourceUrl } from '../model/resource-url.ts';

const ID: Part = { type: 'string', format: 'uuid' };
const IDS: Part = { type: 'array', minItems: 1, items: ID };

const NAMED = orNull(exactly({ id: uuid, name: orNull(text) }));
const REACH = { enum: ['all', 'some'] };

/** Owner, roles and shares of a record. */
const ACCESS = exactly({
  owner: NAMED,
  roles: listOf(exactly({ role: text, label: text, read: REACH, write: orNull(REACH) })),
  shares: listOf(
    exactly({
      id: uuid,
      user: NAMED,
      team: NAMED,
      level: { enum: ['read', 'write'] },
      reason: orNull(text),
      until: orNull(moment),
      created_at: moment,
      created_by: NAMED,
      state: { enum: ['live', 'expired', 'ended'] },
      ended_at: orNull(moment),
      ended_by: NAMED,
    }),
  ),
});

const GROUP = exactly({
  rule: text,
  label: text,
  count: { type: 'integer' },
  records: { ...listOf(exactly({ id: uuid, _title: orNull(text) })), description: 'The first twenty.' },
});

const ALIKE = exactly({
  id: uuid,
  _title: orNull(text),
  score: { type: 'number', minimum: 0, maximum: 1 },
  reasons: listOf(exactly({ rule: text, label: text, fields: texts })),
});

/** `{"<key>": id}` */
export const idOf = (key: string): Part => ({ type: 'object', required: [key], properties: { [key]: ID } });

export function commandPaths(scope: Scope, entity: Entity, paths: Record<string, Part>): void {
  const rights = scope.rights.of(entity.name);
  const url = resourceUrl(entity);
  const operation = (verb: string, summary: string, rest: Part): Part => about(entity, verb, summary, rest);
  if (rights.share.length > 0) {
    paths[`${url}/{id}/shares`] = {
      parameters: [parameter('id')],
      get: operation('access', `Who has access to ${entity.label}`, {
        responses: { '200': answer('Owner, roles and shares.', ACCESS), ...problems(...ALWAYS, 403) },
      }),
      post: operation('share', `Share ${entity.label}`, {
        parameters: [parameter('idempotencyKey')],
        requestBody: body(
          {
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
          },
          { user: EXAMPLE_ID, level: 'read', reason: 'Covers for a week' },
        ),
        responses: { '201': answer('The share.', { type: 'object' }), ...problems(...WITH_BODY) },
      }),
    };
    paths[`${url}/{id}/shares/{share}`] = {
      parameters: [parameter('id'), inPath('share', 'Id of the share.', ID)],
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
        requestBody: body(
          {
            type: 'object',
            required: ['from'],
            properties: { from: { ...IDS, maxItems: 20 }, fields: { type: 'object', additionalProperties: ID } },
          },
          { from: [EXAMPLE_ID] },
        ),
        responses: {
          '200': answer('The record that stays.', rights.read.length > 0 ? schemaRef(schemaNames(entity).record) : {}),
          ...problems(...WITH_BODY),
        },
      }),
    };
  }
  if (entity.duplicates.length > 0 && rights.read.length > 0) {
    paths[`${url}/$duplicates`] = {
      get: operation('duplicate_groups', `Groups of ${entity.pluralLabel} that are alike`, {
        responses: { '200': answer('The largest first.', listOf(GROUP)), ...problems(...ALWAYS, 504) },
      }),
      post: operation('duplicates', `${entity.pluralLabel} like a draft`, {
        requestBody: body(
          { type: 'object', description: 'Values as for a new record; `id` leaves a record out.' },
          createExample(scope, entity),
        ),
        responses: { '200': answer('The most alike first.', listOf(ALIKE)), ...problems(...ALWAYS, 413, 415, 422) },
      }),
    };
  }
  if (entity.softDelete && entity.parent === null && rights.delete.length > 0) {
    paths[`${url}/bin`] = {
      post: operation('bin', `Restore or purge ${entity.pluralLabel}`, {
        parameters: [parameter('idempotencyKey')],
        requestBody: body(
          {
            type: 'object',
            minProperties: 1,
            maxProperties: 1,
            properties: { restore: { ...IDS, maxItems: 100 }, purge: { ...IDS, maxItems: 100 } },
          },
          { restore: [EXAMPLE_ID] },
        ),
        responses: { '204': { description: 'Done.' }, ...problems(...WITH_BODY) },
      }),
    };
  }
}
