/** Names that come to mean another column. */
import type { TablePair } from './state.ts';

/**
 * Names that are another column's from now on (fields that exchange their keys, or one that is made anew as the other
 * is set aside): what was written with such a name, policies and formulas, still means the column that had it.
 */
export function reusedNames({ before, after }: Pick<TablePair, 'before' | 'after'>): ReadonlySet<string> {
  const owners = new Map(Object.entries(after.columns).map(([id, { name }]) => [name, id]));
  const reused = Object.entries(before.columns).filter(([id, { name }]) => (owners.get(name) ?? id) !== id);
  return new Set(reused.map(([, { name }]) => name));
}
