/** From the name of a violated constraint back to the fields it is about: names are made of immutable ids. */
import type { Entity, Model } from '../model/model.ts';
import { storedFields } from './context.ts';
import { checkName, lifecycleName, notNullName, primaryKeyName, referenceName, uniqueKeyName } from './names.ts';

export interface ConstraintTarget {
  readonly entity: Entity;
  /** Field keys. */
  readonly fields: readonly string[];
  /**
   * `reference`: the record refers to one that does not exist, or, when a record of another entity was being deleted,
   * records of this entity still refer to it.
   */
  readonly kind: 'primary' | 'unique' | 'check' | 'reference' | 'required' | 'lifecycle';
}

/** Looked up once for each model. */
const targets = new WeakMap<Model, ReadonlyMap<string, ConstraintTarget>>();

/** @returns `null` for a name that is none of the model's */
export function constraintTarget(model: Model, constraint: string): ConstraintTarget | null {
  let known = targets.get(model);
  if (!known) {
    known = new Map([...model.entities.values()].flatMap(constraintsOf));
    targets.set(model, known);
  }
  return known.get(constraint) ?? null;
}

function constraintsOf(entity: Entity): readonly (readonly [string, ConstraintTarget])[] {
  const target = (kind: ConstraintTarget['kind'], ...fields: readonly string[]): ConstraintTarget => ({
    entity,
    fields,
    kind,
  });
  return [
    [primaryKeyName(entity.id), target('primary', 'id')] as const,
    ...entity.unique.map((key) => [uniqueKeyName(key), target('unique', ...key.fields)] as const),
    ...storedFields(entity).flatMap((field) => [
      [notNullName(field.id), target('required', field.key)] as const,
      [referenceName(field.id), target('reference', field.key)] as const,
      [lifecycleName(field.id), target('lifecycle', field.key)] as const,
      ...field.type
        .columns(field)
        .flatMap((spec, index) =>
          (spec.checks ?? []).map(
            ({ suffix }) =>
              [checkName(index === 0 ? field.id : `${field.id}_${index}`, suffix), target('check', field.key)] as const,
          ),
        ),
    ]),
  ];
}
