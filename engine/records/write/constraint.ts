/** From a constraint's name to the fields it is about. */
import { checkName, lifecycleName, notNullName, referenceName, uniqueKeyName } from '#engine/schema/names.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';

export interface ConstraintTarget {
  readonly entity: Entity;
  /** Field keys. */
  readonly fields: readonly string[];
}

/** Names are made of ids by `schema/names.ts`; they are looked up once per model. */
const targets = new WeakMap<Model, ReadonlyMap<string, ConstraintTarget>>();

export function constraintTarget(model: Model, constraint: string): ConstraintTarget | null {
  let known = targets.get(model);
  if (!known) targets.set(model, (known = new Map([...model.entities.values()].flatMap(constraintsOf))));
  return known.get(constraint) ?? null;
}

function constraintsOf(entity: Entity): [string, ConstraintTarget][] {
  const target = (...fields: readonly string[]): ConstraintTarget => ({ entity, fields });
  return [
    ...entity.unique.map((key): [string, ConstraintTarget] => [uniqueKeyName(key), target(...key.fields)]),
    ...[...entity.fields.values()].flatMap((field) =>
      fieldConstraints(field).map((name): [string, ConstraintTarget] => [name, target(field.key)]),
    ),
  ];
}

function fieldConstraints(field: Field): readonly string[] {
  if (field.column === null) return [];
  const { id } = field;
  const checks = field.type
    .columns(field)
    .flatMap(({ checks = [] }) => checks.map(({ suffix }) => checkName(id, suffix)));
  return [referenceName(id), notNullName(id), lifecycleName(id), ...checks];
}
