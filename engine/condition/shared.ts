/** The condition that a record is shared with the acting user. */
import type { Entity } from '../model/model.ts';
import type { FieldOperand, Shared, ShareLevel, Step } from './condition.ts';

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
