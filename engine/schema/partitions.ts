/** Monthly partitions of divided tables: made ahead of their time, taken away after it. Their records go with them. */
import type { PoolClient } from 'pg';
import { literal, qualified, quote } from '../db/identifiers.ts';
import { columnName, guarded, tableName } from './ddl.ts';
import { partitionName } from './names.ts';
import { SHARES } from './shares.ts';
import type { DesiredState, TableState } from './state.ts';

/** Months made ahead: a server that is away for so long finds a place for what it writes. */
const AHEAD = 3;

/** A month as a number: 12 × year + month from 0. */
type Month = number;

const monthOf = (milliseconds: number): Month => {
  const date = new Date(milliseconds);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};
const parts = (month: Month): readonly [string, string] => [
  String(Math.floor(month / 12)).padStart(4, '0'),
  String((month % 12) + 1).padStart(2, '0'),
];
const keyOf = (month: Month): string => parts(month).join('');
const startOf = (month: Month): string => literal(`${parts(month).join('-')}-01T00:00:00Z`);

/** Tables of the state that are divided, those set aside left out. */
export const dividedTables = (state: DesiredState): readonly TableState[] =>
  Object.values(state.tables).filter(({ partition, aside }) => partition !== undefined && !aside);

async function monthsThere(client: PoolClient, state: DesiredState, table: TableState): Promise<readonly Month[]> {
  const { rows } = await client.query<{ name: string }>(
    'select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass',
    [tableName(state, table)],
  );
  return rows.flatMap(({ name }) => {
    const [, year, month] = /_(\d{4})(\d{2})$/.exec(name) ?? [];
    return year !== undefined && month !== undefined ? [Number(year) * 12 + Number(month) - 1] : [];
  });
}

/**
 * Inside a transaction with a short lock timeout, one table at a time.
 * @param now milliseconds since the epoch
 * @returns names of the partitions that were made
 */
export async function makePartitions(
  client: PoolClient,
  state: DesiredState,
  table: TableState,
  now: number,
): Promise<readonly string[]> {
  const there = new Set(await monthsThere(client, state, table));
  const wanted = Array.from({ length: AHEAD + 1 }, (_, ahead) => monthOf(now) + ahead);
  const made: string[] = [];
  for (const month of wanted) {
    if (there.has(month)) continue;
    await makePartition(client, state, table, month);
    made.push(partitionName(table.id, keyOf(month)));
  }
  return made;
}

/** Attached when it is complete: only the partition of the rest is locked, and the table for a moment. */
async function makePartition(client: PoolClient, state: DesiredState, table: TableState, month: Month): Promise<void> {
  if (!table.partition) return;
  const whole = tableName(state, table);
  const part = qualified(state.schema, partitionName(table.id, keyOf(month)));
  const rest = qualified(state.schema, partitionName(table.id, 'rest'));
  const by = columnName(table, table.partition.column);
  const [from, to] = [startOf(month), startOf(month + 1)];
  // Values that are computed are computed again.
  const columns = Object.values(table.columns)
    .filter(({ generated }) => generated === null)
    .map(({ name }) => quote(name))
    .join(', ');
  await client.query(
    [
      `create table ${part} (like ${whole} including all)`,
      ...guarded(part),
      // What was written when there was no partition for it yet.
      `with moved as (delete from ${rest} where ${by} >= ${from} and ${by} < ${to} returning ${columns})
       insert into ${part} (${columns}) select ${columns} from moved`,
      `alter table ${whole} attach partition ${part} for values from (${from}) to (${to})`,
    ].join(';\n'),
  );
}

/**
 * Drops the months that are older than is kept, with their records: one at a time, in a transaction of its own. No
 * trigger runs for them, so what else says what they said goes here: history, shares, and their files' hold.
 * @returns name of the partition that was dropped; `null` when there is none
 */
export async function dropOldest(
  client: PoolClient,
  tenantId: string,
  state: DesiredState,
  table: TableState,
  now: number,
): Promise<string | null> {
  const keep = table.partition?.keep ?? null;
  if (keep === null) return null;
  const old = (await monthsThere(client, state, table)).filter((month) => month < monthOf(now) - keep);
  if (old.length === 0) return null;
  const name = partitionName(table.id, keyOf(Math.min(...old)));
  const part = qualified(state.schema, name);
  const gone = `select p."id" from ${part} p`;
  const history = state.tables[`h_${table.id}`];
  await client.query(
    [
      ...(history ? [`delete from ${tableName(state, history)} h where h."record_id" in (${gone})`] : []),
      ...(state.tables[SHARES]
        ? [
            `delete from ${qualified(state.schema, SHARES)} s where s."entity" = ${literal(table.id)} and s."record" in (${gone})`,
          ]
        : []),
      `update armature.file f set entity_id = null, field_id = null, record_id = null, created_at = armature.now()
       where f.tenant_id = ${literal(tenantId)}::uuid and f.entity_id = ${literal(table.id)} and f.record_id in (${gone})`,
      // The one that locks people out comes last.
      `alter table ${tableName(state, table)} detach partition ${part}`,
      `drop table ${part}`,
    ].join(';\n'),
  );
  return name;
}
