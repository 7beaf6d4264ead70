/** What a second reading of the permissions has to know of fields: what they are computed from, and what they are a part of. */
import { type Field, inputsOf, type Model } from '#engine/model/model.ts';
import type { FieldKnowledge } from './expectation.ts';

export function fieldKnowledge(model: Model): FieldKnowledge {
  const fieldOf = (entity: string, key: string): Field | undefined => model.entities.get(entity)?.fields.get(key);
  const isPart = (entity: string) => (model.entities.get(entity)?.parent ?? null) !== null;
  const inputs = (entity: string, key: string): readonly { readonly entity: string; readonly field: string }[] => {
    const field = fieldOf(entity, key);
    if (field === undefined) return [];
    // The currency of a computed amount tells as much of what the amount is made of.
    const whole = field.companionOf === null ? undefined : fieldOf(entity, field.companionOf);
    const computed = whole !== undefined && isComputed(whole) ? [{ entity, field: whole.key }] : [];
    const own = inputsOf(field)
      .filter((input) => fieldOf(entity, input)?.companionOf !== key)
      .map((input) => ({ entity, field: input }));
    return [...computed, ...own, ...elsewhere(field)].filter(
      (input) => !isPart(input.entity) || input.entity === entity,
    );
  };
  return { inputs, whole: (entity, key) => fieldOf(entity, key)?.companionOf ?? key };
}

const isComputed = ({ formula, rollup, derived }: Field): boolean =>
  formula !== null || rollup !== null || (derived !== null && derived.kind !== 'any');

/** Fields of other entities. */
function elsewhere({ derived, rollup }: Field): readonly { readonly entity: string; readonly field: string }[] {
  if (derived?.kind === 'lookup')
    return derived.steps.map((step, index) => ({
      entity: step.entity,
      field: derived.steps[index + 1]?.field ?? derived.field,
    }));
  const over = rollup ?? (derived?.kind === 'rollup' ? derived.rollup : null);
  if (over === null) return [];
  const back = over.many.via === 'links' ? [] : [over.many.field];
  return [...back, over.field].flatMap((field) => (field === null ? [] : [{ entity: over.many.entity, field }]));
}
