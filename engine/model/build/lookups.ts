/** Lookups: the way over references, and the field at its end, which they behave as. */
import type { Step } from '../../condition/condition.ts';
import { lookupOf } from '../fields/types/lookup.ts';
import { addCompanion, type DerivedContext, derivedId, refuseFlags } from './derived-field.ts';
import { type DraftField, fieldNamed } from './draft.ts';
import { bareField } from './fields.ts';

export function tieLookup(context: DerivedContext, tie: (field: DraftField) => boolean): void {
  const { draft, entity, field, at } = context;
  const { via, field: key } = field.options;
  // Whatever is wrong, no column is asked for what has none.
  field.column = null;
  if (typeof via !== 'string' || typeof key !== 'string') return;
  refuseFlags(context, 'it has no column of its own');
  const steps: Step[] = [];
  let place = entity;
  for (const name of via.split('.')) {
    const step = fieldNamed(draft, place, name, at('via'));
    const target = step?.reference ? draft.entities.get(step.reference.entity) : undefined;
    if (step && (!target || step.column === null))
      draft.faults.add(at('via'), 'invalid', `“${name}” is no reference to one record.`, { found: step.type.key });
    if (!step || !target) return;
    steps.push({ field: step.key, fieldId: step.id, entity: target.name, table: target.table });
    place = target;
  }
  const target = fieldNamed(draft, place, key, at('field'));
  if (!target || !tie(target)) return;
  const further = target.derived?.kind === 'lookup' ? target.derived : null;
  const end = further ? draft.entities.get(further.entity)?.fields.get(further.field) : target;
  const way = [...steps, ...(further?.steps ?? [])];
  if (way.length > 3) {
    draft.faults.add(at('via'), 'invalid', 'A path may follow at most 3 references.', { max: 3, found: via });
    return;
  }
  if (!end || end.column === null || end.reference !== null || end.type.internal === true) {
    draft.faults.add(
      at('field'),
      'invalid',
      `“${key}” (${target.type.key}) holds no value that could be looked up. Look up a field of the record it leads to.`,
      { found: key },
    );
    return;
  }
  field.type = lookupOf(end.type);
  field.options = { ...end.options, ...field.options };
  field.choices = end.choices;
  field.derived = {
    kind: 'lookup',
    steps: way,
    entity: further?.entity ?? place.name,
    field: end.key,
  };
  if (end.currencyField === null) return;
  // An amount comes with its currency, wherever it is shown.
  const currency = draft.entities.get(field.derived.entity)?.fields.get(end.currencyField);
  if (!currency) return;
  const companion: DraftField = {
    ...bareField(lookupOf(currency.type), `${field.key}_currency`, `${field.label} currency`),
    id: derivedId(`currency ${field.id}`),
    column: null,
    derived: { ...field.derived, field: currency.key },
    companionOf: field.key,
  };
  addCompanion(context, companion);
  field.currencyField = companion.key;
}
