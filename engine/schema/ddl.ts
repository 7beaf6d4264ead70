/** The DDL of single objects. Everything here is text; what to do with it is decided in `diff*.ts`. */
import { qualified, quote } from '../db/identifiers.ts';
import { notNullName, partitionName } from './names.ts';
import type {
  ColumnState,
  DesiredState,
  IndexState,
  PolicyState,
  ReferenceState,
  SequenceState,
  TableState,
} from './state.ts';

export const tableName = (state: DesiredState, table: TableState): string => qualified(state.schema, table.name);

/** Quoted name of a column given by id. */
export function columnName(table: TableState, id: string): string {
  const column = table.columns[id];
  if (!column) throw new TypeError(`table ${table.id} has no column ${id}`);
  return quote(column.name);
}

export const columnNames = (table: TableState, ids: readonly string[]): string =>
  ids.map((id) => columnName(table, id)).join(', ');

export const typeOf = (column: ColumnState): string =>
  column.collation === null ? column.type : `${column.type} collate ${quote(column.collation)}`;

/** A column in `create table` or `add column`. */
export function columnDefinition(state: DesiredState, id: string, column: ColumnState, withDefault: boolean): string {
  return [
    quote(column.name),
    typeOf(column),
    column.generated === null ? '' : `generated always as (${column.generated}) virtual`,
    column.identity === null
      ? ''
      : `generated always as identity (sequence name ${qualified(state.schema, column.identity)})`,
    withDefault && column.default !== null ? `default ${column.default}` : '',
    column.notNull ? `constraint ${quote(notNullName(id))} not null` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

export function createTable(state: DesiredState, table: TableState): readonly string[] {
  const columns = Object.entries(table.columns).map(([id, column]) => columnDefinition(state, id, column, true));
  const by = table.partition ? [table.partition.column] : [];
  const key = `constraint ${quote(table.primaryKey.name)} primary key (${columnNames(table, [table.primaryKey.column, ...by])})`;
  const name = tableName(state, table);
  const divided = table.partition ? ` partition by range (${columnName(table, table.partition.column)})` : '';
  const rest = qualified(state.schema, partitionName(table.id, 'rest'));
  return [
    `create table ${name} (\n  ${[...columns, key].join(',\n  ')}\n)${divided}`,
    ...(table.partition ? [`create table ${rest} partition of ${name} default`, ...guarded(rest)] : []),
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
  ];
}

/** Nobody but the owner has rights on a partition, and row security would stand before them. */
export function guarded(partition: string): readonly string[] {
  return [
    `alter table ${partition} enable row level security`,
    `alter table ${partition} force row level security`,
    `create policy "owner" on ${partition} to "armature_owner" using (true) with check (true)`,
  ];
}

export function checkSql(table: TableState, check: { readonly column: string; readonly sql: string }): string {
  return check.sql.replaceAll('{}', columnName(table, check.column));
}

const ON_DELETE = { restrict: 'no action', clear: 'set null', cascade: 'cascade' } as const;

export function addReference(state: DesiredState, table: TableState, name: string, reference: ReferenceState): string {
  const target = state.tables[reference.table];
  if (!target) throw new TypeError(`no table ${reference.table}`);
  return (
    `alter table ${tableName(state, table)} add constraint ${quote(name)} foreign key (${columnName(table, reference.column)}) ` +
    `references ${tableName(state, target)} (${columnName(target, target.primaryKey.column)}) on delete ${ON_DELETE[reference.onDelete]}`
  );
}

function indexed(table: TableState, { columns, expression, folded, computed }: IndexState): string {
  if (folded) {
    const textOf = (id: string) => computed?.[id] ?? columnName(table, id);
    return columns.map((id) => `armature.fold((${textOf(id)})) public.gin_trgm_ops`).join(', ');
  }
  const names = columnNames(table, columns);
  return expression === undefined ? names : expression.replaceAll('{}', names);
}

/** @param how `true` beside the writes of others, not inside a transaction; `whole` of a divided table, without its partitions' */
export function createIndex(
  state: DesiredState,
  table: TableState,
  name: string,
  index: IndexState,
  how: boolean | 'whole' = false,
): string {
  const where = index.whereNull === null ? '' : ` where ${columnName(table, index.whereNull)} is null`;
  return `create ${index.unique ? 'unique ' : ''}index ${how === true ? 'concurrently ' : ''}${quote(name)} on ${how === 'whole' ? 'only ' : ''}${tableName(state, table)} using ${index.method} (${indexed(table, index)})${where}`;
}

/** Reads every row and keeps nobody from reading and writing meanwhile. */
export function validateConstraint(state: DesiredState, table: TableState, name: string): string {
  return `alter table ${tableName(state, table)} validate constraint ${quote(name)}`;
}

export function createPolicy(state: DesiredState, table: TableState, name: string, policy: PolicyState): string {
  const using = policy.using === null ? '' : ` using (${policy.using})`;
  const check = policy.check === null ? '' : ` with check (${policy.check})`;
  return `create policy ${quote(name)} on ${tableName(state, table)} for ${policy.command} to ${quote(policy.role)}${using}${check}`;
}

export function createSequence(state: DesiredState, sequence: SequenceState): string {
  return `create sequence ${qualified(state.schema, sequence.name)} as bigint minvalue 0 start with ${sequence.start}`;
}

/** Made by a CREATEROLE role, which so becomes its administrator. The login role may act as it and inherits nothing from it. */
export function createRole(name: string): readonly string[] {
  return [
    `create role ${quote(name)} nologin inherit`,
    `grant armature_tenant to ${quote(name)} with inherit true, set false`,
    `grant ${quote(name)} to armature_app with inherit false, set true`,
  ];
}
