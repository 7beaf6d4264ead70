/** What of a draft can be compared: values as they would be stored, for the rules of which all fields have one. */
import type { DuplicateRule } from '#engine/model/duplicates.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';
import { isObject, valueContext } from '../write/validate.ts';

export interface Comparison {
  readonly rule: DuplicateRule;
  /** In the order of the rule's `match`, in Postgres's text form. */
  readonly values: readonly string[];
}

/** Rules whose fields the principal may all read, on some records at least. */
export function rulesOf(scope: Scope, entity: Entity): readonly DuplicateRule[] {
  const { readableFields } = scope.rights.of(entity.name);
  return entity.duplicates.filter(({ match }) => match.every(({ field }) => readableFields.has(field)));
}

/** @param body of a creation, or a part of one: values that are not valid are not compared */
export function comparisonsOf(scope: Scope, entity: Entity, body: unknown): readonly Comparison[] {
  const given = isObject(body) ? body : {};
  return rulesOf(scope, entity).flatMap((rule) => {
    const values = rule.match.map(({ field }) => stored(scope, entity, field, given[field]));
    return values.every((value) => value !== null) ? [{ rule, values }] : [];
  });
}

function stored(scope: Scope, entity: Entity, key: string, value: unknown): string | null {
  const field = entity.fields.get(key);
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  if (!field || scalar === null) return null;
  const parsed = field.type.normalise(scalar, field, valueContext(scope));
  if ('error' in parsed) return null;
  const normal: Value = parsed.value;
  return normal === null || typeof normal === 'object' || normal === '' ? null : String(normal);
}
