/**
 * Whether a write may leave alone what is there already. That it was left alone tells what is there: so only of values
 * that whoever writes is shown on every record they see.
 */
import { behindOne, waysOf } from '#engine/model/any-ways.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';

export function mayCompare(scope: Scope, entity: Entity, keys: Iterable<string>): boolean {
  const { readableFields } = scope.rights.of(entity.name);
  return [...keys].every((key) => {
    const field = entity.fields.get(key);
    return readableFields.get(key) === 'always' && (field === undefined || showsItsRecord(scope, field));
  });
}

/** A reference to one of several entities is shown as none where the record may not be seen; other fields always are. */
function showsItsRecord({ rights }: Scope, field: Field): boolean {
  const behind = behindOne(field);
  return behind === null || rights.of(behind).read.some(({ condition }) => condition === null);
}

/**
 * Whether it shows where there is nothing yet. Of a reference to one of several entities all must, since each of them may
 * have what the others have not.
 */
export function showsNothing(scope: Scope, entity: Entity, field: Field): boolean {
  const whole = waysOf(field).length === 0 ? undefined : entity.fields.get(field.companionOf ?? '');
  return (whole?.companions ?? []).every((key) => {
    const part = entity.fields.get(key);
    return part === undefined || showsItsRecord(scope, part);
  });
}
