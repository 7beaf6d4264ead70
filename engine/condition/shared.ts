/** The condition that a record is shared with the acting user. */
import type { Entity } from '../model/model.ts';
import type { Condition, FieldOperand, Shared, ShareLevel, Step } from './condition.ts';
import { any } from './simplify.ts';

/** @param level `read` is fulfilled by both levels, `write` by its own */
export function sharedWithUser(entity: Entity, level: ShareLevel): Shared {
  const id = entity.fields.get('id');
  if (!id) throw new TypeError(`${entity.name} has no id`);
  const record: FieldOperand = { kind: 'field', type: 'uuid', steps: [], field: id.key, fieldId: id.id };
  return Object.freeze({ kind: 'shared', level, entity: entity.id, record: Object.freeze(record) });
}

/** The same of the whole, told from a part: what refers to the whole has its id already. */
export function sharedBelow(shared: Shared, step: Step): Shared {
  const [first, ...rest] = shared.record.steps;
  const record: FieldOperand =
    first === undefined
      ? { ...shared.record, field: step.field, fieldId: step.fieldId }
      : { ...shared.record, steps: [step, first, ...rest] };
  return { ...shared, record };
}

/**
 * What holds for a record by itself, and what holds because it is shared: each alone can follow an index, both at once
 * cannot.
 * @returns `null` when the condition is not such a choice of the two
 */
export function apartFromShared(condition: Condition): { readonly own: Condition; readonly shared: Condition } | null {
  if (condition.kind !== 'any') return null;
  const own = condition.of.filter(({ kind }) => kind !== 'shared');
  const shared = condition.of.filter(({ kind }) => kind === 'shared');
  return own.length === 0 || shared.length === 0 ? null : { own: any(own), shared: any(shared) };
}
