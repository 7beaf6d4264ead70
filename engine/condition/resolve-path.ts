/** From the path of a condition to the field it names, or to a fault that tells nothing the author may not know. */
import type { Entity, Field } from '../model/model.ts';
import type { Derived } from '../model/relations.ts';
import { nearest } from '../nearest.ts';
import type { FieldOperand, Step } from './condition.ts';
import { type Faults, hint, nameOf } from './faults.ts';
import type { Settings } from './resolve-setting.ts';

/** Each step is a subselect per record. */
const MAX_STEPS = 3;

export interface Surroundings {
  readonly entity: Entity;
  readonly lookup: (name: string) => Entity | undefined;
  /** Fields it refuses are treated, and reported, exactly as if they did not exist. */
  readonly visible: (entity: Entity, field: Field) => boolean;
  readonly faults: Faults;
  /** Whether values that are computed when they are read may be asked for. */
  readonly derived?: boolean;
  /** Country of the organisation, for telephone numbers without a country code; none without it. */
  readonly country?: string;
  /** A declared setting that may be named. None without it. */
  readonly settings?: Settings;
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
  const composed = pairOf(path, where);
  if (composed !== undefined) return resolvePath(composed, at, where);
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
  const looked = field.derived?.kind === 'lookup' ? lookUp(field.derived, steps, where) : undefined;
  if (looked !== undefined) return looked;
  const type = field.type.valueType;
  const derived = field.derived?.kind === 'rollup' && where.derived === true;
  if (field.derived?.kind === 'rollup' && !derived) {
    faults.add(at, 'invalid', `"${key}" is computed when it is read, so a rule that is kept cannot depend on it.`, {
      expected: 'a field that is stored',
      found: field.type.key,
    });
    return undefined;
  }
  if (type === null || (field.column === null && !derived)) {
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

/** A lookup stands for the field at the end of its way. */
function lookUp(
  lookup: Extract<Derived, { kind: 'lookup' }>,
  before: readonly Step[],
  where: Surroundings,
): ResolvedField | undefined {
  const entity = where.lookup(lookup.entity);
  const field = entity?.fields.get(lookup.field);
  const type = field?.type.valueType;
  if (entity === undefined || field === undefined || type === null || type === undefined) return undefined;
  const steps = Object.freeze([...before, ...lookup.steps]);
  return { operand: Object.freeze({ kind: 'field', type, steps, field: field.key, fieldId: field.id }), field, entity };
}

/** `regarding.entity` and `regarding.id`, of a reference to one of several entities, are fields that come with it. */
function pairOf(path: readonly string[], where: Surroundings): readonly string[] | undefined {
  const [key = '', part = ''] = path.slice(-2);
  if (path.length < 2 || (part !== 'entity' && part !== 'id')) return undefined;
  let entity: Entity | undefined = where.entity;
  for (const step of path.slice(0, -2)) {
    const target: string | undefined = entity?.fields.get(step)?.reference?.entity;
    entity = target === undefined ? undefined : where.lookup(target);
  }
  return entity?.fields.get(key)?.derived?.kind === 'any' ? [...path.slice(0, -2), `${key}_${part}`] : undefined;
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
  where.faults.add(
    at,
    'unknown_field',
    `${quoted(key)} is not a field of ${nameOf(entity, known)}.${hint(suggestion)}`,
    {
      expected: 'a field',
      found: key,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    },
  );
  return undefined;
}

/** A key as a sentence shows it. */
function quoted(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}
