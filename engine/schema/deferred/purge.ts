/** Drops what was set aside, for good. Until then a release that has its id again brings it back with its values. */
import { qualified, quote } from '../../db/identifiers.ts';
import { tableName } from '../ddl.ts';
import { tryPublishLock } from '../publish-lock.ts';
import { updateState } from '../release-store.ts';
import type { DesiredState, TableState } from '../state.ts';
import type { Performance } from './performance.ts';
import { StepMoved, within } from './performance.ts';
import type { StepWork } from './work.ts';

export async function purge(
  performance: Performance,
  work: Extract<StepWork, { readonly kind: 'purge' }>,
): Promise<void> {
  const { client, tenantId, tenantKey } = performance;
  await within(performance, async (state) => {
    // It changes what the next publish compares with: never beside one.
    if (!(await tryPublishLock(client, tenantKey))) throw new StepMoved();
    const { after, sql } = purged(state, work);
    for (const statement of sql) await client.query(statement);
    await updateState(client, tenantId, after);
  });
}

/** The state without it, and the statements. A column goes with what depends on it, a table with its sequences. */
export function purged(
  state: DesiredState,
  work: { readonly table: string; readonly column: string | null },
): { readonly after: DesiredState; readonly sql: readonly string[] } {
  const table = state.tables[work.table];
  if (!table) return { after: state, sql: [] };
  if (work.column === null) {
    if (!table.aside) return { after: state, sql: [] };
    const { [work.table]: _gone, ...tables } = state.tables;
    return withoutSequences(state, tables, Object.keys(table.columns), [`drop table ${tableName(state, table)}`]);
  }
  const column = table.columns[work.column];
  if (!column?.aside) return { after: state, sql: [] };
  const { [work.column]: _gone, ...columns } = table.columns;
  const checks = Object.fromEntries(Object.entries(table.checks).filter(([, check]) => check.column !== work.column));
  const indexes = Object.fromEntries(
    Object.entries(table.indexes).filter(([, index]) => !index.columns.includes(work.column ?? '')),
  );
  const less: TableState = { ...table, columns, checks, indexes };
  const sql = [`alter table ${tableName(state, table)} drop column ${quote(column.name)}`];
  return withoutSequences(state, { ...state.tables, [table.id]: less }, [work.column], sql);
}

function withoutSequences(
  state: DesiredState,
  tables: DesiredState['tables'],
  columns: readonly string[],
  sql: readonly string[],
): { readonly after: DesiredState; readonly sql: readonly string[] } {
  const gone = Object.entries(state.sequences).filter(([id]) => columns.includes(id));
  const sequences = Object.fromEntries(Object.entries(state.sequences).filter(([id]) => !columns.includes(id)));
  return {
    after: { ...state, tables, sequences },
    sql: [...sql, ...gone.map(([, { name }]) => `drop sequence ${qualified(state.schema, name)}`)],
  };
}
