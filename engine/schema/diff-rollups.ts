/** What the difference of two releases means for columns that are kept over the parts of a record. */
import { change, type Change } from './change.ts';
import { fillRollup, waitForParts } from './rollups.ts';
import type { ColumnState, TablePair } from './state.ts';
import { addField } from './titles.ts';

export const KEPT = 'It is kept with the record, so every record gets its value.';

/** What is kept over parts has a value for every record, and another one when it becomes something else. */
export function fillKept(
  { next, after }: TablePair,
  id: string,
  old: ColumnState | undefined,
  column: ColumnState,
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
      title: addField(column, after),
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
