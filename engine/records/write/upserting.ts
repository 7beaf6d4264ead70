/** What upserts of one record and of many share. */
import type { IdSource } from '#engine/clock.ts';
import { isDatabaseError } from '#engine/db/database-error.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { uniqueKeyName } from '#engine/schema/names.ts';
import type { Key } from '../read/keys.ts';
import type { Scope } from '../scope.ts';
import { countsAtCreation } from './left-alone.ts';
import { isObject } from './validate.ts';

/** Everything an upsert works with. */
export interface Upserting {
  readonly sender: Sender;
  readonly ids: IdSource;
  readonly scope: Scope;
  readonly entity: Entity;
  readonly key: Key;
}

/** What is sent for a record that exists: without its key, and without what counts at creation only. */
export function forChange(scope: Scope, entity: Entity, key: Key, body: unknown): unknown {
  if (!isObject(body)) return body;
  const left = Object.entries(body).filter(([name]) => {
    const field = entity.fields.get(name);
    if (!field || key.fields.includes(field)) return field === undefined;
    return !countsAtCreation(scope, entity, field);
  });
  return Object.fromEntries(left);
}

/** Whether the creation failed because there is a record with this key. */
export function isTaken(error: unknown, { unique }: Key): boolean {
  const cause = error instanceof Problem ? error.cause : error;
  return isDatabaseError(cause) && cause.code === '23505' && cause.constraint === uniqueKeyName(unique);
}
