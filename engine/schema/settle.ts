/**
 * Nothing is dropped at publish (rule 9): what the next release no longer has is carried over under another name, out
 * of everybody's reach, and comes back with its values when a later release has its id again.
 */
import { asideName, isSpent } from './names.ts';
import type { ColumnState, DesiredState, SequenceState, TableState } from './state.ts';
import { freeze } from './state.ts';

/** @returns `next` with everything of `previous` that it lacks, set aside */
export function settle(previous: DesiredState, next: DesiredState): DesiredState {
  const tables: Record<string, TableState> = {};
  for (const [id, table] of Object.entries(next.tables)) {
    const before = previous.tables[id];
    tables[id] = before ? { ...table, columns: settleColumns(before, table) } : table;
  }
  for (const [id, table] of Object.entries(previous.tables)) tables[id] ??= tableAside(id, table);
  const sequences: Record<string, SequenceState> = { ...next.sequences };
  for (const [id, sequence] of Object.entries(previous.sequences)) sequences[id] ??= { ...sequence, users: [] };
  return freeze({ ...next, tables, sequences });
}

function settleColumns(before: TableState, table: TableState): Record<string, ColumnState> {
  const columns: Record<string, ColumnState> = { ...table.columns };
  for (const [id, column] of Object.entries(before.columns)) {
    // A computed column holds nothing that could be lost.
    if (column.generated === null && !isSpent(id)) columns[id] ??= columnAside(id, column);
  }
  return columns;
}

function columnAside(id: string, column: ColumnState): ColumnState {
  return { ...column, name: asideName(id), notNull: false, default: null, aside: true };
}

/** Its rows stay as they are; nobody but the owner reaches them, and they no longer hold on to other records. */
function tableAside(id: string, table: TableState): TableState {
  const { owner } = table.policies;
  return {
    ...table,
    name: asideName(id),
    aside: true,
    references: {},
    triggers: {},
    policies: owner ? { owner } : {},
    grants: {},
  };
}
