/** From the path of a condition to the field it names, or to a fault that tells nothing the author may not know. */
import type { Entity, Field } from '../model/model.ts';
import { nearest } from '../nearest.ts';
import type { FieldOperand, Step } from './condition.ts';
import { type Faults, hint } from './faults.ts';

/** Each step is a subselect per record. */
const MAX_STEPS = 3;

export interface Surroundings {
  readonly entity: Entity;
  readonly lookup: (name: string) => Entity | undefined;
  /** Fields it refuses are treated, and reported, exactly as if they did not exist. */
  readonly visible: (entity: Entity, field: Field) => boolean;
  readonly faults: Faults;
  /** Words that stand where field keys stand and are none: suggested where one was probably meant. */
  readonly controls?: readonly string[];
}

export interface ResolvedField {
  readonly operand: FieldOperand;
  readonly field: Field;
  /** Whose field it is. */
  readonly entity: Entity;
}

/** @returns `undefined` after a fault was added */
export function resolvePath(path: readonly string[], at: string, where: Surroundings): ResolvedField | undefined {
  const { faults } = where;
  const key = path.at(-1);
  if (key === undefined || path.length > MAX_STEPS + 1) {
    faults.add(at, 'invalid', `A path may follow at most ${MAX_STEPS} references.`, {
      max: MAX_STEPS,
      found: path.join('.'),
    });
    return undefined;
  }
  let entity = where.entity;
  const steps: Step[] = [];
  for (const stepKey of path.slice(0, -1)) {
    const field = findField(entity, stepKey, at, where);
    if (field === undefined) return undefined;
    const target = field.reference === null ? undefined : where.lookup(field.reference.entity);
    if (target === undefined || field.column === null) {
      faults.add(
        at,
        'invalid',
        `"${stepKey}" is not a reference to one record, so nothing can be reached through it.`,
        {
          expected: 'a reference',
          found: field.type.key,
        },
      );
      return undefined;
    }
    steps.push(Object.freeze({ field: field.key, fieldId: field.id, entity: target.name, table: target.table }));
    entity = target;
  }
  const field = findField(entity, key, at, where, steps.length === 0 ? where.controls : undefined);
  if (field === undefined) return undefined;
  const type = field.type.valueType;
  if (type === null || field.column === null) {
    faults.add(at, 'invalid', `"${key}" holds no single value, so it cannot be compared.`, {
      expected: 'a field with a value',
      found: field.type.key,
    });
    return undefined;
  }
  const operand: FieldOperand = {
    kind: 'field',
    type,
    steps: Object.freeze(steps),
    field: field.key,
    fieldId: field.id,
  };
  return { operand: Object.freeze(operand), field, entity };
}

function findField(
  entity: Entity,
  key: string,
  at: string,
  where: Surroundings,
  controls: readonly string[] = [],
): Field | undefined {
  const field = entity.fields.get(key);
  if (field !== undefined && where.visible(entity, field)) return field;
  const known = [...entity.fields.values()].filter((each) => where.visible(entity, each)).map((each) => each.key);
  // `first` and `select` are what people try first.
  const suggestion = controls.find((control) => control === `$${key}`) ?? nearest(key, [...known, ...controls]);
  where.faults.add(at, 'unknown_field', `${quoted(key)} is not a field of ${entity.name}.${hint(suggestion)}`, {
    expected: 'a field',
    found: key,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
  return undefined;
}

/** A key as a sentence shows it. */
function quoted(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}
