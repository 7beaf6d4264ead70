/**
 * JSON fields under `application/merge-patch+json` (RFC 7396): an object is merged into what the field holds, level by
 * level, and null takes a member away. Under `application/json` a field is one value, and what is sent takes its place.
 *
 * The merging is done by the statement that writes: what it merges into is what the version it checks has.
 */
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';
import { column } from './sql.ts';
import type { Faults } from './validate.ts';
import { at, isObject } from './validate.ts';

/** Anything but an object takes the place of the value, by the RFC as well. */
function isPatch(field: Field, value: Value | undefined): boolean {
  return field.type.structured === true && typeof value === 'string' && value.startsWith('{');
}

/** SQL of the new value, of a row called `x`. @param bound the value that was sent, as SQL */
export function mergedValue(field: Field, value: Value, bound: string): string {
  return isPatch(field, value) ? `armature.merge_patch(x.${column(field)}, ${bound})` : bound;
}

/** Merging means reading, which not everybody may who may write. */
export function refuseBlindPatches(
  scope: Scope,
  entity: Entity,
  values: ReadonlyMap<string, Value>,
  faults: Faults,
): void {
  const { readableFields } = scope.rights.of(entity.name);
  for (const [key, value] of values) {
    const field = entity.fields.get(key);
    if (!field || readableFields.has(key) || !isPatch(field, value)) continue;
    const message = `${field.label} can be replaced and not merged into: send the whole value as application/json.`;
    faults.add({ code: 'read_only', message, pointer: at('', key) });
  }
}

/** What a patch makes of a record that is not there yet: members that are null are not there either. */
export function patchedFromNothing(entity: Entity, body: unknown): unknown {
  if (!isObject(body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      entity.fields.get(key)?.type.structured === true ? withoutNulls(value) : value,
    ]),
  );
}

function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === null ? [] : [[key, withoutNulls(member)]])),
  );
}
