/**
 * The stored state says what will be there when every step is done. What a publish compares with is what is there now:
 * steps that the next release still wants go on, the others are taken back together with what they left half done.
 */
import { isDeepStrictEqual } from 'node:util';
import { qualified, quote } from '../../db/identifiers.ts';
import { change, type Change } from '../change.ts';
import { droppingColumns } from '../convert/ahead.ts';
import { tableName, typeOf } from '../ddl.ts';
import { notNullName } from '../names.ts';
import type { ColumnState, DesiredState, TableState } from '../state.ts';
import type { StepRow } from './store.ts';
import type { StepWork } from './work.ts';

export interface Reconciled {
  /** The state without what the superseded steps would have made. */
  readonly before: DesiredState;
  readonly superseded: readonly StepRow[];
  readonly kept: readonly StepRow[];
  /** Takes away what superseded steps left half done. */
  readonly changes: readonly Change[];
}

export interface Converting {
  /** Conversions ahead that this publish completes. */
  readonly ready: readonly StepWork[];
  /** Ids of columns that give their place to one of another type. */
  readonly converted: ReadonlySet<string>;
}

/**
 * @param before the stored state
 * @param after the state of the release to come
 * @param steps every step that is not done, in order
 */
export function reconcile(
  before: DesiredState,
  after: DesiredState,
  steps: readonly StepRow[],
  { ready, converted }: Converting,
): Reconciled {
  const kept: StepRow[] = [];
  const superseded: StepRow[] = [];
  const changes: Change[] = [];
  let actual = before;
  for (const step of steps) {
    const goesOn =
      step.work.kind === 'convert'
        ? ready.some((work) => isDeepStrictEqual(work, step.work)) && step.state === 'running'
        : survives(step, before, after, converted);
    if (goesOn) {
      kept.push(step);
      continue;
    }
    superseded.push(step);
    if (!ready.some((work) => touchesSame(work, step.work))) changes.push(...residue(before, step));
    actual = without(actual, step.work);
  }
  return { before: actual, superseded, kept, changes };
}

/** What one conversion left behind is what another one has made ready. */
const touchesSame = (work: StepWork, other: StepWork): boolean =>
  work.kind === 'convert' && other.kind === 'convert' && work.column === other.column;

/** What somebody cancelled is proposed anew, unless it stands there and is only to be gone through. */
function survives(
  { work, state }: StepRow,
  before: DesiredState,
  after: DesiredState,
  converted: ReadonlySet<string>,
): boolean {
  const same = (was: TableState, is: TableState, id: string) => !converted.has(id) && sameColumn(was, is, id);
  const [old, now] = [before.tables[work.table], after.tables[work.table]];
  if (work.kind === 'purge')
    return state !== 'cancelled' && (work.column === null ? now?.aside : now?.columns[work.column]?.aside) === true;
  if (!old || !now || work.kind === 'convert') return false;
  if (work.kind === 'index') {
    const [was, is] = [old.indexes[work.index], now.indexes[work.index]];
    return (
      state !== 'cancelled' &&
      was !== undefined &&
      isDeepStrictEqual(was, is) &&
      was.columns.every((column) => same(old, now, column))
    );
  }
  if (!same(old, now, work.column)) return false;
  if (work.kind === 'validate') {
    const of = ({ checks, references }: TableState) => checks[work.constraint] ?? references[work.constraint] ?? null;
    return (
      isDeepStrictEqual(of(old), of(now)) && (work.what !== 'not_null' || now.columns[work.column]?.notNull === true)
    );
  }
  if (work.kind === 'rollup') {
    const column = now.columns[work.column];
    // What is set aside is computed when it comes back.
    if (state === 'cancelled' || now.aside || !column || column.aside) return false;
    return old.columns[work.column]?.rollup?.definition === column.rollup?.definition;
  }
  return (
    state !== 'cancelled' &&
    old.columns[work.column]?.default === now.columns[work.column]?.default &&
    old.columns[work.column]?.notNull === now.columns[work.column]?.notNull
  );
}

function sameColumn(old: TableState, now: TableState, id: string): boolean {
  const [was, is] = [old.columns[id], now.columns[id]];
  return was !== undefined && is !== undefined && typeOf(was) === typeOf(is);
}

function residue(before: DesiredState, { work, title }: StepRow): Change[] {
  const table = before.tables[work.table];
  if (!table) return [];
  const base = {
    table: work.table,
    title: `Stop “${title}”`,
    why: 'It was still to be done, and the release wants it differently.',
  } as const;
  if (work.kind === 'index') {
    const sql = [`drop index if exists ${qualified(before.schema, work.index)}`];
    return [change({ ...base, kind: 'change_indexes', phase: 'drop_indexes', sql })];
  }
  if (work.kind === 'convert')
    return [change({ ...base, kind: 'change_type', phase: 'drop_checks', sql: droppingColumns(before, work) })];
  if (work.kind === 'require') {
    const sql = [
      `alter table ${tableName(before, table)} drop constraint if exists ${quote(notNullName(work.column))}`,
    ];
    return [change({ ...base, kind: 'change_required', phase: 'drop_checks', sql })];
  }
  return [];
}

function without(state: DesiredState, work: StepWork): DesiredState {
  const table = state.tables[work.table];
  if (!table) return state;
  if (work.kind === 'index') {
    const { [work.index]: _gone, ...indexes } = table.indexes;
    return { ...state, tables: { ...state.tables, [table.id]: { ...table, indexes } } };
  }
  if (work.kind !== 'require' && work.kind !== 'rollup') return state;
  const column = table.columns[work.column];
  if (!column) return state;
  const { rollup } = column;
  // It stays one that is kept over parts, whose values are those of no definition: set aside, it comes back as one.
  const less: ColumnState =
    work.kind === 'require'
      ? { ...column, notNull: false }
      : { ...column, ...(rollup && { rollup: { ...rollup, definition: '' } }) };
  const columns = { ...table.columns, [work.column]: less };
  return { ...state, tables: { ...state.tables, [table.id]: { ...table, columns } } };
}
