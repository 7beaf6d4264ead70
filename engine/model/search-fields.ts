/** Where `$search` looks: the texts that are marked for it, and those of the title. */
import type { Entity, Field } from './model.ts';

export function searchedFields(entity: Entity): readonly Field[] {
  return [...entity.fields.values()].filter(
    (field) =>
      field.column !== null &&
      field.type.valueType === 'text' &&
      (field.search !== null || (entity.title.fields.includes(field.key) && field.type.searchable)),
  );
}

/** Fields the index holds: not those of formulas, which may be costly to compute and change with every release. */
export function indexedForSearch(entity: Entity): readonly Field[] {
  return searchedFields(entity).filter((field) => field.formula === null);
}

const WEIGHTS = { A: 8, B: 4, C: 2, D: 1 } as const;

/** What a hit in this field counts; a part of the title counts like the heaviest. */
export function searchWeight(field: Field): number {
  return WEIGHTS[field.search ?? 'A'];
}
