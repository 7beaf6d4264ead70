/** A field's value, taken from a record of another entity that matches, when none was given. */
import type { Condition } from '../condition/condition.ts';
import type { Entity, Field } from './model.ts';

export interface Fill {
  /** Qualified name of the entity whose record holds the value. */
  readonly entity: string;
  /** Key of the field over there. */
  readonly field: string;
  readonly match: readonly FillMatch[];
  /** About the record over there; `null` = every one. */
  readonly when: Condition | null;
  /** Which of several counts; after these the one made last. */
  readonly order: readonly { readonly field: string; readonly descending: boolean }[];
}

export interface FillMatch {
  /** Key of the reference over there, or `id`. */
  readonly field: string;
  /** Key of a reference of this record. */
  readonly by: string;
  /** Key of a reference of the record that `by` leads to, where that one counts. */
  readonly of: string | null;
}

/** Keys of the record's own fields that decide which value is found. */
export function inputsOfFill({ match }: Fill): readonly string[] {
  return [...new Set(match.map(({ by }) => by))];
}

/** Whether a new record may get its value from elsewhere: the currency of a filled amount does as well. */
export function isFilled(entity: Pick<Entity, 'fields'>, { fill, companionOf }: Field): boolean {
  return fill !== null || (companionOf !== null && entity.fields.get(companionOf)?.fill != null);
}

/** Fields of an entity that are filled; found once for each. */
export function filledFields(entity: Entity): readonly Field[] {
  let fields = known.get(entity);
  if (!fields) known.set(entity, (fields = [...entity.fields.values()].filter(({ fill }) => fill !== null)));
  return fields;
}

const known = new WeakMap<Entity, readonly Field[]>();
