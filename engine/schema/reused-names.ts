/** Names that come to mean another column. */
import { quote } from '../db/identifiers.ts';
import { typeOf } from './ddl.ts';
import { fieldOf, isSpent } from './names.ts';
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

/**
 * Tells of an expression over a table's columns whether it reads one that is another one from now on, or has another
 * type: what Postgres has stored of it does not mean what its text says any more. A name inside a literal counts as well,
 * which costs no more than an expression made anew.
 */
export function readsChanged(pair: Pick<TablePair, 'before' | 'after' | 'converted'>): (expression: string) => boolean {
  const { before, after, converted } = pair;
  const names = new Set(reusedNames(pair));
  for (const [id, old] of Object.entries(before.columns)) {
    const column = after.columns[id];
    const retyped =
      column !== undefined && column.generated === null && old.generated === null && typeOf(column) !== typeOf(old);
    if (retyped || isSpent(id) || converted.has(fieldOf(id))) names.add(old.name);
  }
  for (const id of converted.keys()) {
    const column = after.columns[id];
    if (column) names.add(column.name);
  }
  const quoted = [...names].map(quote);
  return (expression) => quoted.some((name) => expression.includes(name));
}
