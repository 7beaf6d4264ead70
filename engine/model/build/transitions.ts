/** What the steps of a lifecycle say of the entity that uses it: guards, required fields, values they set. */
import type { Condition } from '../../condition/condition.ts';
import { frozenMap } from '../frozen.ts';
import type { Transition } from '../model.ts';
import { USER_ENTITY } from '../system-fields.ts';
import { conditionAt } from './conditions.ts';
import type { Draft, DraftEntity, DraftField, DraftLifecycle } from './draft.ts';

export function buildTransitions(draft: Draft): void {
  for (const entity of draft.entities.values()) {
    const owners = new Map<string, string>();
    for (const field of entity.fields.values()) {
      const lifecycle = field.lifecycle === null ? undefined : draft.lifecycles.get(field.lifecycle);
      if (!lifecycle) continue;
      const guards = new Map<string, Condition>();
      for (const transition of lifecycle.transitions.values()) {
        const { key } = transition;
        const other = owners.get(key);
        if (other !== undefined)
          draft.faults.add(
            lifecycle.placeOf(transition, 'key'),
            'duplicate',
            `${entity.name} has two steps “${key}” (of “${other}” and “${field.key}”): their address would be the same.`,
          );
        owners.set(key, field.key);
        checkFields(draft, entity, lifecycle, transition);
        const guard = lifecycle.guards.get(key);
        const condition = guard && conditionAt(draft, guard.json, entity, guard.place);
        if (condition) guards.set(key, condition);
      }
      field.guards = frozenMap(guards);
    }
  }
}

function checkFields(draft: Draft, entity: DraftEntity, lifecycle: DraftLifecycle, transition: Transition): void {
  transition.requires.forEach((key, index) => {
    if (!entity.fields.has(key))
      draft.faults.unknown(
        lifecycle.placeOf(transition, 'requires', index),
        `field of ${entity.name}`,
        key,
        entity.fields.keys(),
      );
  });
  for (const [key, value] of Object.entries(transition.sets)) {
    const place = lifecycle.placeOf(transition, 'sets', key);
    const field = entity.fields.get(key);
    if (!field) draft.faults.unknown(place, `field of ${entity.name}`, key, entity.fields.keys());
    else {
      const error = setError(draft, field, value);
      if (error !== null) draft.faults.add(place, 'invalid', error, { found: value });
    }
  }
}

function setError(draft: Draft, field: DraftField, value: unknown): string | null {
  if (field.system || field.readOnly || field.column === null) return `A step cannot set “${field.key}”.`;
  if (value === null) return field.required ? `“${field.key}” is required and cannot be emptied.` : null;
  if (typeof value === 'object') {
    if ('now' in value)
      return field.type.valueType === 'datetime'
        ? null
        : `Only a date-time field can be set to the present moment; “${field.key}” is ${field.type.key}.`;
    if ('today' in value)
      return field.type.valueType === 'date'
        ? null
        : `Only a date field can be set to the present day; “${field.key}” is ${field.type.key}.`;
    return field.reference?.entity === USER_ENTITY
      ? null
      : `Only a user field can be set to the acting user; “${field.key}” is ${field.type.key}.`;
  }
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return 'This is no value.';
  const { country, currency, timeZone } = draft.settings;
  const parsed = field.type.normalise(value, field, { country, currency, timeZone });
  return 'error' in parsed ? parsed.error.message : null;
}
