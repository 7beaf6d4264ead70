/** What the difference of two releases means for columns that are kept over the parts of a record. */
import { change, type Change } from './change.ts';
import { fillRollup, waitForParts } from './rollups.ts';
import { quote } from '../db/identifiers.ts';
import { columnDefinition, tableName, typeOf } from './ddl.ts';
import { spentId } from './names.ts';
import { withColumnIds } from './reshape.ts';
import type { ColumnState, DesiredState, TablePair, TableState } from './state.ts';
import { freeze } from './state.ts';
import { addField } from './titles.ts';

export const KEPT = 'It is kept with the record, so every record gets its value.';

/** What is kept over parts has a value for every record, and another one when it becomes something else. */
export function fillKept(
  { next, after }: TablePair,
  id: string,
  old: ColumnState | undefined,
  column: ColumnState,
  title = addField(column, after),
): Change[] {
  const { rollup } = column;
  const part = next.tables[rollup?.part ?? ''];
  if (!rollup || !part || column.aside || (old && !old.aside && old.rollup?.definition === rollup.definition))
    return [];
  const sql = [waitForParts(next, part), fillRollup(rollup, 'true')];
  return [
    change({
      kind: 'add_column',
      phase: 'fill',
      table: after.id,
      title,
      why: KEPT,
      sql,
      lock: 'share',
      work: 'write',
      later: {
        now: [],
        about: [part.id],
        steps: [
          {
            work: { kind: 'rollup', table: after.id, column: id },
            title: `Compute ${column.label} of ${after.label}`,
            why: 'It is kept with the record; records get their value some at a time.',
            change: 'add_column',
            sql,
          },
        ],
      },
    }),
  ];
}

/**
 * The state as the difference has to see it: where what is kept over parts gets another type, the column is another one,
 * which goes. Its values are computed anew in any case, and a new column need not be written under a lock.
 * @param stored the state that was stored, which knows of every column what it is
 */
export function withoutRetyped(before: DesiredState, stored: DesiredState, wanted: DesiredState): DesiredState {
  const tables: Record<string, TableState> = { ...before.tables };
  for (const now of Object.values(wanted.tables)) {
    const [table, known] = [before.tables[now.id], stored.tables[now.id]];
    if (!table || !known) continue;
    const spent = Object.entries(now.columns).flatMap(([id, column]) => {
      const was = known.columns[id];
      return was?.rollup && column.rollup && typeOf(was) !== typeOf(column) ? [id] : [];
    });
    if (spent.length > 0) tables[now.id] = withColumnIds(table, (id) => (spent.includes(id) ? spentId(id) : id));
  }
  return freeze({ ...before, tables });
}

/** The columns that {@link withoutRetyped} has found, and those that take their places. */
export function retyped(pair: TablePair): Change[] {
  const { next, before, after } = pair;
  const table = tableName(next, after);
  return Object.entries(after.columns).flatMap(([id, column]): Change[] => {
    const old = before.columns[spentId(id)];
    if (!old) return [];
    const title = `Change field ${column.label} of ${after.label} from ${old.type} to ${column.type}`;
    const base = { kind: 'change_type', table: after.id, title, why: 'It is computed anew.' } as const;
    const name = quote(column.name);
    return [
      change({
        ...base,
        phase: 'drop_generated',
        sql: [`alter table ${tableName(pair.previous, before)} drop column ${quote(old.name)}`],
      }),
      change({
        ...base,
        phase: 'add_columns',
        sql: [
          `alter table ${table} add column ${columnDefinition(next, id, column, false)}`,
          ...(column.default === null
            ? []
            : [`alter table ${table} alter column ${name} set default ${column.default}`]),
        ],
      }),
      ...fillKept(pair, id, undefined, column, title),
    ];
  });
}

export const isRetyped = ({ before }: TablePair, id: string): boolean => before.columns[spentId(id)] !== undefined;
