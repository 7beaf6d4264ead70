/** Deadlines: what they start from and where their minutes stand must be there and of the right type. Their clocks stop by a condition. */
import type { Condition } from '../../condition/condition.ts';
import { asksTheClock, looksFurther, operandsOf } from '../../condition/operands.ts';
import { deadlineOf } from '../deadline.ts';
import type { Place } from '../faults.ts';
import { conditionAt } from './conditions.ts';
import { type Draft, type DraftEntity, fieldNamed } from './draft.ts';

export function checkDeadlines(draft: Draft, entity: DraftEntity): void {
  const notes = draft.notes.get(entity.name);
  for (const field of entity.fields.values()) {
    const deadline = deadlineOf(field);
    if (!deadline || !notes) continue;
    const at = (...path: string[]) =>
      notes.effective.place('fields', notes.written.get(field.key)?.index ?? 0, ...path);
    field.pause = pauseOf(draft, entity, field.options['pause'], at('pause'));
    const own = (key: string, what: string, fits: (type: string) => boolean, ...path: string[]) => {
      const found = fieldNamed(draft, entity, key, at(...path));
      if (found && !fits(found.type.key))
        draft.faults.add(at(...path), 'invalid', `“${key}” is not ${what}.`, { found: key });
      return found;
    };
    own(deadline.from, 'a date and time', (type) => type === 'datetime', 'from');
    const by = own(deadline.by, 'a choice', (type) => type === 'choice', 'minutes', 'by');
    const via = own(deadline.via, 'a reference', (type) => type === 'reference', 'minutes', 'via');
    const target = via?.reference ? draft.entities.get(via.reference.entity) : undefined;
    for (const [choice, key] of deadline.fields) {
      const place = at('minutes', 'fields', choice);
      if (by?.choices && !by.choices.some((one) => one.key === choice))
        draft.faults.unknown(
          place,
          `choice of ${by.key}`,
          choice,
          by.choices.map((one) => one.key),
        );
      const minutes = target && fieldNamed(draft, target, key, place);
      if (minutes && minutes.type.key !== 'integer')
        draft.faults.add(place, 'invalid', `“${key}” is not an integer.`, { found: key });
    }
  }
}

/** When its clock stands: decided by the record alone, because nothing else is looked at when something else changes. */
function pauseOf(draft: Draft, entity: DraftEntity, written: unknown, place: Place): Condition | null {
  const condition = conditionAt(draft, written, entity, place);
  if (condition === null) return null;
  const alone = operandsOf(condition).every(
    (operand) => operand.kind !== 'user' && (operand.kind !== 'field' || operand.steps.length === 0),
  );
  if (!alone || asksTheClock(condition) || looksFurther(condition))
    draft.faults.add(place, 'invalid', 'Whether a clock stands is decided by the fields of the record alone.');
  return condition;
}
