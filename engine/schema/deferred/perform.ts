/** What each kind of step does to the database. Every one may have been broken off anywhere before, and begins anew. */
import type { PoolClient } from 'pg';
import { isDatabaseError } from '../../db/database-error.ts';
import { fit, qualified, quote } from '../../db/identifiers.ts';
import { checkSql, columnName, createIndex, tableName, validateConstraint } from '../ddl.ts';
import { notNull } from '../diff-columns.ts';
import { notNullName } from '../names.ts';
import { fillRollup, waitForParts } from '../rollups.ts';
import { loadState } from '../release-store.ts';
import type { DesiredState, TableState } from '../state.ts';
import { purge } from './purge.ts';
import { BATCH, LOCK_TIMEOUT, type Performance, requireOurs, StepMoved, StepRefused, within } from './performance.ts';
import { progress, type StepRow } from './store.ts';
import type { StepWork } from './work.ts';

type Of<K extends StepWork['kind']> = Extract<StepWork, { readonly kind: K }>;

export async function perform(performance: Performance): Promise<void> {
  const { work } = performance.step;
  switch (work.kind) {
    case 'index':
      return buildIndex(performance, work);
    case 'validate':
      return validate(performance, work);
    case 'fill':
      return fill(performance, work);
    case 'require':
      return require(performance, work);
    case 'rollup':
      return rollUp(performance, work);
    case 'purge':
      return purge(performance, work);
    case 'convert':
      // Those who publish do it themselves.
      return;
  }
}

function tableOf(state: DesiredState, work: { readonly table: string }): TableState {
  const table = state.tables[work.table];
  if (!table) throw new StepMoved();
  return table;
}

async function buildIndex(performance: Performance, work: Of<'index'>): Promise<void> {
  const { client } = performance;
  const state = await performance.state();
  const table = tableOf(state, work);
  const index = table.indexes[work.index];
  if (!index) throw new StepMoved();
  const name = qualified(state.schema, work.index);
  if (await isBuilt(client, state, table, work.index)) return;
  if (table.partition) return buildByPartition(performance, state, table, work.index);
  await client.query(`drop index concurrently if exists ${name}`);
  try {
    // It waits for transactions that are older than itself and keeps nobody waiting but other changes of the schema.
    await client.query('set lock_timeout = 0');
    await requireOurs(performance);
    await client.query(createIndex(state, table, work.index, index, true));
  } catch (error) {
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT}`);
    if (!isDatabaseError(error) || error.code !== '23505') throw error;
    // Half built, it would refuse values and make every write slower.
    await client.query(`drop index concurrently if exists ${name}`);
    throw await duplicates(client, state, table, work.index);
  }
  await client.query(`set lock_timeout = ${LOCK_TIMEOUT}`);
  // Columns may have exchanged their names after the state was read.
  if (!(await isBuilt(client, await performance.state(), table, work.index))) throw new StepMoved();
}

/** Postgres builds none beside others' work on a divided table: each partition gets its own, and all of them make the whole. */
async function buildByPartition(
  performance: Performance,
  state: DesiredState,
  table: TableState,
  name: string,
): Promise<void> {
  const { client, checkpoint } = performance;
  const index = table.indexes[name];
  if (!index) throw new StepMoved();
  const whole = qualified(state.schema, name);
  const { rows: there } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    whole,
  ]);
  if (there[0]?.there !== true) await client.query(createIndex(state, table, name, index, 'whole'));
  const { rows: partitions } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass
       and not exists (select from pg_inherits j join pg_index x on x.indexrelid = j.inhrelid where j.inhparent = $2::regclass and x.indrelid = c.oid)
     order by 1`,
    [tableName(state, table), whole],
  );
  for (const partition of partitions) {
    checkpoint();
    const part = fit(`${name}_${partition.name}`);
    await client.query('set lock_timeout = 0');
    await client.query(`drop index concurrently if exists ${qualified(state.schema, part)}`);
    await requireOurs(performance);
    await client.query(createIndex(state, { ...table, name: partition.name }, part, index, true));
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT}`);
    await client.query(`alter index ${whole} attach partition ${qualified(state.schema, part)}`);
  }
}

async function isBuilt(client: PoolClient, state: DesiredState, table: TableState, name: string): Promise<boolean> {
  const now = state.tables[table.id];
  const index = now?.indexes[name];
  if (!now || !index) return false;
  const { rows } = await client.query<{ valid: boolean; columns: readonly string[] }>(
    `select i.indisvalid and i.indisunique = $3 as valid,
       array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k(attnum, at)
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by k.at) as columns
     from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace and c.relname = $2`,
    [quote(state.schema), name, index.unique],
  );
  const [built] = rows;
  const wanted = index.columns.map((column) => now.columns[column]?.name);
  // One on expressions names its columns inside them.
  const plain = index.expression === undefined && !index.folded;
  return built?.valid === true && (!plain || built.columns.join() === wanted.join());
}

/** After somebody took the step back: half an index slows every write and serves no read. */
export async function tidy(client: PoolClient, tenantId: string, { work }: StepRow): Promise<void> {
  if (work.kind !== 'index') return;
  const state = await loadState(client, { id: tenantId });
  if (!state) return;
  const { rowCount } = await client.query(
    `select from pg_index i join pg_class c on c.oid = i.indexrelid
     where c.relnamespace = $1::regnamespace and c.relname = $2 and not i.indisvalid`,
    [quote(state.schema), work.index],
  );
  if (rowCount) await client.query(`drop index concurrently if exists ${qualified(state.schema, work.index)}`);
}

async function duplicates(client: PoolClient, state: DesiredState, table: TableState, name: string): Promise<Error> {
  const index = table.indexes[name];
  const columns = index?.columns ?? [];
  const filled = columns.map((column) => `${columnName(table, column)} is not null`);
  const live = index?.whereNull ? [`${columnName(table, index.whereNull)} is null`] : [];
  const names = columns.map((column) => columnName(table, column)).join(', ');
  const count = await counted(
    client,
    `select count(*)::float8 as count from (select from ${tableName(state, table)} where ${[...filled, ...live].join(' and ')} group by ${names} having count(*) > 1) d`,
  );
  const labels = columns.map((column) => table.columns[column]?.label ?? column).join(', ');
  return new StepRefused(
    `${count} values of ${labels} are used by several records of ${table.label}. Change them, then try the step again.`,
  );
}

async function validate(performance: Performance, work: Of<'validate'>): Promise<void> {
  const { client } = performance;
  const state = await performance.state();
  const table = tableOf(state, work);
  try {
    await client.query(validateConstraint(state, table, work.constraint));
  } catch (error) {
    if (!isDatabaseError(error) || !error.code.startsWith('23')) throw error;
    const count = await counted(client, violations(state, table, work));
    const column = table.columns[work.column]?.label ?? work.column;
    throw new StepRefused(
      work.what === 'not_null'
        ? `${count} records of ${table.label} have no ${column}. Fill them, then try the step again.`
        : `${count} values of ${column} of ${table.label} are not allowed. Change them, then try the step again.`,
    );
  }
}

function violations(state: DesiredState, table: TableState, work: Of<'validate'>): string {
  const column = columnName(table, work.column);
  const from = `select count(*)::float8 as count from ${tableName(state, table)} x where`;
  const check = table.checks[work.constraint];
  if (work.what === 'check' && check) return `${from} (${checkSql(table, check)}) is false`;
  const target = state.tables[table.references[work.constraint]?.table ?? ''];
  if (work.what === 'reference' && target)
    return `${from} x.${column} is not null and not exists (select from ${tableName(state, target)} t where t.${columnName(target, target.primaryKey.column)} = x.${column})`;
  return `${from} x.${column} is null`;
}

async function counted(client: PoolClient, sql: string): Promise<string> {
  const { rows } = await client.query<{ count: number }>(sql);
  return (rows[0]?.count ?? 0).toLocaleString('en');
}

/** By the key, so that no batch goes through what those before it have done. Rows made meanwhile have their value. */
async function fill(performance: Performance, work: Of<'fill' | 'require'>): Promise<void> {
  const { client, tenantId, step } = performance;
  let { after } = step;
  let done = 0;
  for (;;) {
    performance.checkpoint();
    const last = await within(performance, async (state) => {
      const table = tableOf(state, work);
      const key = columnName(table, table.primaryKey.column);
      const column = columnName(table, work.column);
      const name = tableName(state, table);
      const { rows } = await client.query<{ seen: number; last: string | null }>(
        `with batch as materialized (select ${key} as key from ${name} where $1::uuid is null or ${key} > $1 order by ${key} limit ${BATCH}),
           filled as (update ${name} t set ${column} = default from batch where t.${key} = batch.key and t.${column} is null)
         select count(*)::int as seen, (select key::text from batch order by key desc limit 1) as last from batch`,
        [after],
      );
      const { seen = 0, last: reached = null } = rows[0] ?? {};
      done += seen;
      if (work.kind === 'fill') await progress(client, tenantId, step, done, reached);
      return seen < BATCH ? null : reached;
    });
    if (last === null) return;
    after = last;
  }
}

/**
 * As the trigger of the parts does it: the records are locked in the order of their ids, then computed in a statement of
 * its own, which sees what others committed while it waited.
 */
async function rollUp(performance: Performance, work: Of<'rollup'>): Promise<void> {
  const { client, tenantId, step } = performance;
  const kept = (state: DesiredState) => {
    const table = tableOf(state, work);
    const rollup = table.columns[work.column]?.rollup;
    const part = state.tables[rollup?.part ?? ''];
    if (!rollup || !part) throw new StepMoved();
    return { table, rollup, part };
  };
  await within(performance, (state) => client.query(waitForParts(state, kept(state).part)));
  let { after } = step;
  let done = 0;
  do {
    performance.checkpoint();
    after = await within(performance, async (state) => {
      const { table, rollup } = kept(state);
      const { rows } = await client.query<{ id: string }>(
        `select x.id::text as id from ${tableName(state, table)} x where $1::uuid is null or x.id > $1 order by x.id limit ${BATCH} for no key update`,
        [after],
      );
      const ids = rows.map(({ id }) => id);
      await client.query(fillRollup(rollup, 'w.id = any($1::uuid[])'), [ids]);
      done += ids.length;
      const last = ids.at(-1) ?? null;
      await progress(client, tenantId, step, done, last);
      return ids.length < BATCH ? null : last;
    });
  } while (after !== null);
}

async function require(performance: Performance, work: Of<'require'>): Promise<void> {
  const { client } = performance;
  const state = await performance.state();
  const table = tableOf(state, work);
  // What was written without a value after the step that filled the column.
  const column = columnName(table, work.column);
  const left = await client.query(`select from ${tableName(state, table)} where ${column} is null limit 1`);
  if (left.rowCount !== 0) await fill({ ...performance, step: { ...performance.step, after: null } }, work);
  await within(performance, async (now) => {
    const current = tableOf(now, work);
    const { rowCount } = await client.query(
      'select from pg_constraint where conrelid = $1::regclass and conname = $2',
      [tableName(now, current), notNullName(work.column)],
    );
    if (rowCount === 0) await client.query(`${notNull(now, current, work.column)} not valid`);
  });
  await validate(performance, {
    kind: 'validate',
    table: work.table,
    column: work.column,
    constraint: notNullName(work.column),
    what: 'not_null',
  });
}
