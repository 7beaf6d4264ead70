/** The references behind a reference to one of several entities, as the fields that come with it know them. */
import type { Field } from './model.ts';

export interface Way {
  /** Qualified name of the entity it leads to. */
  readonly entity: string;
  /** Key of the reference. */
  readonly field: string;
}

/** The entity that a reference behind a reference to one of several leads to; `null` for every other field. */
export function behindOne(field: Parameters<typeof waysOf>[0]): string | null {
  const [way] = waysOf(field);
  return way?.field === field.key ? way.entity : null;
}

/** Empty for fields that came with no such reference. */
export function waysOf(field: Pick<Field, 'key' | 'options' | 'companionOf' | 'reference'>): readonly Way[] {
  // No other type brings references along.
  if (field.companionOf !== null && field.reference !== null)
    return [{ entity: field.reference.entity, field: field.key }];
  const ways = field.options['ways'];
  return Array.isArray(ways)
    ? ways.filter((way): way is Way => typeof way === 'object' && way !== null && 'entity' in way && 'field' in way)
    : [];
}
