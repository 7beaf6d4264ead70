/** Columns that change their names: set aside, brought back, renamed. */
import { quote } from '../db/identifiers.ts';
import { change, type Change } from './change.ts';
import { tableName } from './ddl.ts';
import type { ColumnState, TablePair } from './state.ts';
import { fieldOf } from './names.ts';
import { convertField, removeField, returnField } from './titles.ts';

interface Move {
  readonly id: string;
  readonly old: ColumnState;
  readonly column: ColumnState;
}

/** Set aside first, then what comes back or is renamed: the names it needs are free by then. */
export function renameColumns(pair: TablePair): Change[] {
  const moves = movesOf(pair);
  const taken = new Set(moves.filter(({ column }) => !column.aside).map(({ old }) => old.name));
  // What takes another's name waits under a name that nothing has until all others have theirs: they may have to leave it.
  const waits = ({ column }: Move) => !column.aside && taken.has(column.name);
  return [
    ...moves.filter((move) => !waits(move)).map((move) => moved(pair, move, move.old.name, move.column.name)),
    ...moves.filter(waits).flatMap((move): Change[] => {
      const detour = `zz_t_${move.id}`;
      return [
        { ...moved(pair, move, move.old.name, detour), phase: 'rename_aside' },
        moved(pair, move, detour, move.column.name),
      ];
    }),
  ];
}

function movesOf({ before, after }: TablePair): readonly Move[] {
  return Object.entries(after.columns).flatMap(([id, column]) => {
    const old = before.columns[id];
    if (!old || old.generated !== null || column.generated !== null || old.name === column.name) return [];
    return [{ id, old, column }];
  });
}

function moved(pair: TablePair, { id, old, column }: Move, from: string, to: string): Change {
  const { next, after, converted } = pair;
  const sql = [`alter table ${tableName(next, after)} rename column ${quote(from)} to ${quote(to)}`];
  if (converted.has(fieldOf(id)) && column.aside !== old.aside) {
    return change({
      kind: 'change_type',
      phase: column.aside ? 'rename_aside' : 'rename',
      table: after.id,
      title: convertField(column.label, after),
      why: 'Its type changed. The values it had are kept and come back with a rollback.',
      sql,
      risk: 'medium',
    });
  }
  if (column.aside) {
    return change({
      kind: 'set_column_aside',
      phase: 'rename_aside',
      table: after.id,
      title: removeField(old, after),
      why: 'The release no longer has it. Its values are kept and come back with a rollback.',
      sql,
      risk: 'medium',
    });
  }
  if (old.aside) {
    return change({
      kind: 'return_column',
      phase: 'rename',
      table: after.id,
      title: returnField(column, after),
      why: 'The release has it again, with the values it had.',
      sql,
    });
  }
  const [was, is] = old.label === column.label ? [old.name, column.name] : [old.label, column.label];
  return change({
    kind: 'rename_column',
    phase: 'rename',
    table: after.id,
    title: `Rename field ${was} to ${is} on ${after.label}`,
    why: 'Its key changed. Its values, rights and history stay with it.',
    sql,
    risk: 'low',
  });
}
