/** Changes of checks, references and indexes. They are compared by ids, so that a rename makes none of them anew. */
import { isDeepStrictEqual } from 'node:util';
import { qualified, quote } from '../db/identifiers.ts';
import { change, type Change, type Check } from './change.ts';
import { addReference, checkSql, columnName, columnNames, createIndex, tableName } from './ddl.ts';
import { fieldTitle } from './titles.ts';
import type { DesiredState, IndexState, ReferenceState, TablePair, TableState } from './state.ts';

export function diffConstraints(pair: TablePair): Change[] {
  return [...diffChecks(pair), ...diffReferences(pair), ...diffIndexes(pair)];
}

type Entry<T> = readonly [name: string, state: T];

/** What goes and what comes; a changed one does both. */
export function compare<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): { gone: Entry<T>[]; come: Entry<T>[] } {
  return {
    gone: Object.entries(before).filter(([name, state]) => !isDeepStrictEqual(state, after[name])),
    come: Object.entries(after).filter(([name, state]) => !isDeepStrictEqual(state, before[name])),
  };
}

const labelOf = (table: TableState, column: string): string =>
  `${table.columns[column]?.label ?? column} of ${table.label}`;

function diffChecks({ previous, next, before, after }: TablePair): Change[] {
  const { gone, come } = compare(before.checks, after.checks);
  const base = { kind: 'change_checks', table: after.id, why: 'What counts as a valid value changed.' } as const;
  const title = (table: TableState, column: string) =>
    fieldTitle(before, after, [column], `Change the rules for the values of ${labelOf(table, column)}`);
  return [
    ...gone.map(([name, check]) =>
      change({
        ...base,
        phase: 'drop_checks',
        title: title(before, check.column),
        sql: [`alter table ${tableName(previous, before)} drop constraint ${quote(name)}`],
      }),
    ),
    ...come.map(([name, check]) =>
      change({
        ...base,
        phase: 'add_checks',
        title: title(after, check.column),
        sql: [`alter table ${tableName(next, after)} add constraint ${quote(name)} check (${checkSql(after, check)})`],
        work: 'scan',
        checks: held(before, check.column)
          ? [
              {
                sql: `select count(*)::int as count from ${tableName(previous, before)} where (${check.sql.replaceAll('{}', columnName(before, check.column))}) is false`,
                code: 'values_not_allowed',
                message: `{count} values of ${labelOf(after, check.column)} would no longer be allowed. Change them first.`,
                entity: after.entity,
                field: after.columns[check.column]?.field ?? null,
                property: null,
              },
            ]
          : [],
      }),
    ),
  ];
}

/** Whether the column holds values already: only those can be in the way. */
const held = (before: TableState, column: string): boolean =>
  before.columns[column] !== undefined && before.columns[column].generated === null;

function diffReferences({ previous, next, before, after }: TablePair): Change[] {
  const { gone, come } = compare(before.references, after.references);
  return [
    ...gone.map(([name, reference]) =>
      change({
        kind: 'change_reference',
        phase: 'drop_references',
        table: after.id,
        title: after.aside
          ? `Remove ${before.label}`
          : fieldTitle(before, after, [reference.column], `Change what ${labelOf(before, reference.column)} refers to`),
        why: 'The release no longer ties these records together in this way.',
        sql: [`alter table ${tableName(previous, before)} drop constraint ${quote(name)}`],
      }),
    ),
    ...come.map(([name, reference]) =>
      change({
        kind: 'change_reference',
        phase: 'add_references',
        table: after.id,
        title: before.aside
          ? `Bring back ${after.label}`
          : fieldTitle(
              before,
              after,
              [reference.column],
              `Hold ${labelOf(after, reference.column)} to records that exist`,
            ),
        why: 'A reference always leads somewhere.',
        sql: [...dropDangling(next, before, after, reference), addReference(next, after, name, reference)],
        lock: 'share',
        work: 'scan',
        checks: before.aside && after.links ? [] : danglingCheck({ previous, next, before, after }, reference),
      }),
    ),
  ];
}

/** Links that come back leave behind those whose record went in the meantime: they would have gone with it. */
function dropDangling(next: DesiredState, before: TableState, after: TableState, reference: ReferenceState): string[] {
  const target = next.tables[reference.table];
  if (!before.aside || !after.links || !target) return [];
  return [
    `delete from ${tableName(next, after)} x where not exists (select from ${tableName(next, target)} t where t.${columnName(target, target.primaryKey.column)} = x.${columnName(after, reference.column)})`,
  ];
}

function danglingCheck({ previous, before, after }: TablePair, reference: ReferenceState): Check[] {
  if (!held(before, reference.column)) return [];
  const column = columnName(before, reference.column);
  const target = previous.tables[reference.table];
  const missing = target
    ? `not exists (select from ${tableName(previous, target)} t where t.${columnName(target, target.primaryKey.column)} = x.${column})`
    : 'true';
  return [
    {
      sql: `select count(*)::int as count from ${tableName(previous, before)} x where x.${column} is not null and ${missing}`,
      code: 'values_dangling',
      message: `{count} values of ${labelOf(after, reference.column)} refer to records that do not exist.`,
      entity: after.entity,
      field: after.columns[reference.column]?.field ?? null,
      property: 'to',
    },
  ];
}

function diffIndexes({ previous, next, before, after }: TablePair): Change[] {
  const { gone, come } = compare(before.indexes, after.indexes);
  return [
    ...gone.map(([name, index]) =>
      change({
        kind: 'change_indexes',
        phase: 'drop_indexes',
        table: after.id,
        title: fieldTitle(
          before,
          after,
          index.columns,
          after.indexes[name] ? inWords(after, index) : `No longer: ${inWords(before, index)}`,
        ),
        why: 'The release does not ask for it any more, or asks for another one.',
        sql: [`drop index ${qualified(previous.schema, name)}`],
      }),
    ),
    ...come.map(([name, index]) =>
      change({
        kind: 'change_indexes',
        phase: 'add_indexes',
        table: after.id,
        title: fieldTitle(before, after, index.columns, inWords(after, index)),
        why: index.unique
          ? 'No two records may share these values.'
          : 'Lists, references and row policies look records up by it.',
        sql: [createIndex(next, after, name, index)],
        lock: 'share',
        work: 'scan',
        checks: index.unique ? duplicateCheck({ previous, next, before, after }, index) : [],
      }),
    ),
  ];
}

function duplicateCheck({ previous, before, after }: TablePair, index: IndexState): Check[] {
  // A column that is new holds no values yet; a default that every record shares is found by the index itself.
  if (!index.columns.every((column) => held(before, column))) return [];
  const names = columnNames(before, index.columns);
  const filled = index.columns.map((column) => `${columnName(before, column)} is not null`);
  const live =
    index.whereNull !== null && held(before, index.whereNull) ? [`${columnName(before, index.whereNull)} is null`] : [];
  const labels = index.columns.map((column) => after.columns[column]?.label ?? column).join(', ');
  return [
    {
      sql: `select count(*)::int as count from (select from ${tableName(previous, before)} where ${[...filled, ...live].join(' and ')} group by ${names} having count(*) > 1) d`,
      code: 'values_not_unique',
      message: `{count} values of ${labels} are used by several records of ${after.label}. Change them first.`,
      entity: after.entity,
      field: after.columns[index.columns[0] ?? '']?.field ?? null,
      property: 'unique',
    },
  ];
}

function inWords(table: TableState, index: IndexState): string {
  const labels = index.columns.map((column) => table.columns[column]?.label ?? column).join(', ');
  if (index.folded) return `Index ${labels} on ${table.label} for searching`;
  return index.unique ? `Keep ${labels} unique on ${table.label}` : `Index ${labels} on ${table.label}`;
}
