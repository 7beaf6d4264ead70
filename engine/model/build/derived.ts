/**
 * Fields whose values come from other records: lookups and rollups. What they are like follows from what they lead to, so
 * all entities, references and lists are there before, and one that leads to another comes after it.
 */
import { fieldsOf } from './derived-field.ts';
import type { Draft, DraftField } from './draft.ts';
import { tieLookup } from './lookups.ts';
import { tieRollup } from './rollups.ts';

export function buildDerived(draft: Draft): void {
  const under = new Set<DraftField>();
  const done = new Set<DraftField>();
  const contexts = new Map([...fieldsOf(draft, 'lookup'), ...fieldsOf(draft, 'rollup')].map((one) => [one.field, one]));
  // A lookup of a lookup, or a rollup of one, needs that one first.
  const tie = (field: DraftField): boolean => {
    const context = contexts.get(field);
    if (!context || done.has(field)) return true;
    if (under.has(field)) {
      draft.faults.add(context.at('field'), 'cycle', `“${field.key}” leads back to itself.`);
      return false;
    }
    under.add(field);
    if (field.type.key === 'lookup') tieLookup(context, tie);
    else tieRollup(context, tie);
    done.add(field);
    return true;
  };
  for (const field of contexts.keys()) tie(field);
}
