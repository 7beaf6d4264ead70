/** A table whose columns go by other ids: what refers to them follows. */
import type { TableState } from './state.ts';

export function withColumnIds(table: TableState, renamed: (id: string) => string): TableState {
  const columnsOf = (of: readonly string[]): readonly string[] => of.map(renamed);
  return {
    ...table,
    columns: mapped(table.columns, (id, state) => [renamed(id), state]),
    checks: mapped(table.checks, (name, check) => [name, { ...check, column: renamed(check.column) }]),
    references: mapped(table.references, (name, to) => [name, { ...to, column: renamed(to.column) }]),
    indexes: mapped(table.indexes, (name, index) => [name, { ...index, columns: columnsOf(index.columns) }]),
    grants: mapped(table.grants, (role, grant) => [
      role,
      {
        ...grant,
        select: grant.select === 'all' ? grant.select : columnsOf(grant.select),
        insert: columnsOf(grant.insert),
        update: columnsOf(grant.update),
      },
    ]),
  };
}

function mapped<T>(
  record: Readonly<Record<string, T>>,
  change: (key: string, value: T) => readonly [string, T],
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => change(key, value)));
}
