/** What the steps of an entity's lifecycles write: the state, and the fields they set. */
import type { Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { storedFields } from './context.ts';
import type { OwnGrant } from './own-rights.ts';

export interface StepColumn {
  /** Column (which is the field's key) that is written. */
  readonly column: string;
  /** Column of the state that moves with it; of a state, itself. */
  readonly state: string;
  /** The moves that write it: from a state to a state. */
  readonly moves: readonly (readonly [from: string, to: string])[];
}

/** @returns what the steps that the permission allows write; a column once for each lifecycle that sets it */
export function stepColumns(context: Context, entity: Entity, grant: OwnGrant): readonly StepColumn[] {
  return storedFields(entity).flatMap((field) => {
    const lifecycle = field.lifecycle === null ? undefined : context.model.lifecycles.get(field.lifecycle);
    const allowed = [...(lifecycle?.transitions.values() ?? [])].filter(
      ({ key }) => grant.transitions === null || grant.transitions.has(key),
    );
    const state = field.key;
    const written = [state, ...new Set(allowed.flatMap(({ sets }) => Object.keys(sets)))];
    return written.flatMap((column): readonly StepColumn[] => {
      const moves = allowed
        .filter(({ sets }) => column === state || column in sets)
        .flatMap(({ from, to }) => from.map((one) => [one, to] as const));
      return moves.length === 0 ? [] : [{ column, state, moves }];
    });
  });
}
