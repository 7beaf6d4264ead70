/** Changes of checks, references and indexes. They are compared by ids, so that a rename makes none of them anew. */
import { isDeepStrictEqual } from 'node:util';
import { qualified, quote } from '../db/identifiers.ts';
import { change, type Change, type Check } from './change.ts';
import { addReference, checkSql, columnName, columnNames, createIndex, tableName, validateConstraint } from './ddl.ts';
import type { Later } from './deferred/work.ts';
import { readsChanged } from './reused-names.ts';
import { fieldTitle } from './titles.ts';
import type { ColumnState, DesiredState, IndexState, ReferenceState, TablePair, TableState } from './state.ts';

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

function diffChecks({ previous, next, before, after, converted }: TablePair): Change[] {
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
    ...come.map(([name, check]) => {
      const sql = `alter table ${tableName(next, after)} add constraint ${quote(name)} check (${checkSql(after, check)})`;
      return change({
        ...base,
        phase: 'add_checks',
        title: title(after, check.column),
        sql: [sql],
        work: 'scan',
        checks: held({ before, converted }, check.column)
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
        later: validateLater({ next, after }, sql, { constraint: name, column: check.column, what: 'check' }),
      });
    }),
  ];
}

/** The constraint holds for what is written from now on; the rows that are there are gone through afterwards. */
export function validateLater(
  { next, after }: Pick<TablePair, 'next' | 'after'>,
  sql: string,
  work: {
    readonly constraint: string;
    readonly column: string;
    readonly what: 'check' | 'reference' | 'not_null';
  },
): Later {
  return {
    now: [`${sql} not valid`],
    steps: [
      {
        work: { kind: 'validate', table: after.id, ...work },
        title: `Go through ${labelOf(after, work.column)} once`,
        why: 'New values are held to the rule from the start; those that are there are checked without keeping anybody waiting.',
        change: CHANGE_OF[work.what],
        sql: [validateConstraint(next, after, work.constraint)],
      },
    ],
  };
}

const CHANGE_OF = { check: 'change_checks', reference: 'change_reference', not_null: 'change_required' } as const;

/** Whether the column holds values already that it keeps: only those can be in the way. */
const held = ({ before, converted }: Pick<TablePair, 'before' | 'converted'>, column: string): boolean =>
  before.columns[column]?.generated === null && !converted.has(column);

function diffReferences({ previous, next, before, after, converted }: TablePair): Change[] {
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
        checks:
          before.aside && after.links ? [] : danglingCheck({ previous, next, before, after, converted }, reference),
        later:
          before.aside && after.links
            ? null
            : validateLater({ next, after }, addReference(next, after, name, reference), {
                constraint: name,
                column: reference.column,
                what: 'reference',
              }),
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

function danglingCheck({ previous, before, after, converted }: TablePair, reference: ReferenceState): Check[] {
  if (!held({ before, converted }, reference.column)) return [];
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

function diffIndexes({ previous, next, before, after, converted }: TablePair): Change[] {
  const { gone, come } = compareIndexes({ before, after, converted });
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
        checks: index.unique ? duplicateCheck({ previous, next, before, after, converted }, index) : [],
        later: {
          now: [],
          steps: [
            {
              work: { kind: 'index', table: after.id, index: name },
              title: inWords(after, index),
              why: index.unique
                ? 'No two records may share these values. Until the index is built, nothing keeps people from it.'
                : 'Lists, references and row policies look records up by it. It is built while everybody works.',
              change: 'change_indexes',
              sql: [createIndex(next, after, name, index, true)],
            },
          ],
        },
      }),
    ),
  ];
}

/** One that computes names columns, which may be other ones from now on. */
function compareIndexes({ before, after, converted }: Pick<TablePair, 'before' | 'after' | 'converted'>) {
  const found = compare(before.indexes, after.indexes);
  const changed = readsChanged({ before, after, converted });
  const known = new Set(found.come.map(([name]) => name));
  const again = Object.entries(after.indexes).filter(
    ([name, { computed }]) =>
      Object.values(computed ?? {}).some(changed) && before.indexes[name] !== undefined && !known.has(name),
  );
  return { gone: [...found.gone, ...again], come: [...found.come, ...again] };
}

function duplicateCheck({ previous, before, after, converted }: TablePair, index: IndexState): Check[] {
  const old = index.columns.filter((column) => held({ before, converted }, column));
  // A column that is new holds no values yet, unless every record gets its default.
  const others = index.columns.filter((column) => !old.includes(column));
  if (!others.every((column) => isConstant(after.columns[column]) && !converted.has(column))) return [];
  const names = old.length === 0 ? '()' : columnNames(before, old);
  const filled = ['true', ...old.map((column) => `${columnName(before, column)} is not null`)];
  const live =
    index.whereNull !== null && held({ before, converted }, index.whereNull)
      ? [`${columnName(before, index.whereNull)} is null`]
      : [];
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

/** Every record that exists gets this default. */
const isConstant = (column: ColumnState | undefined): boolean =>
  column?.notNull === true && column.default !== null && !column.default.includes('nextval(');

function inWords(table: TableState, index: IndexState): string {
  const labels = index.columns.map((column) => table.columns[column]?.label ?? column).join(', ');
  if (index.folded) return `Index ${labels} on ${table.label} for searching`;
  return index.unique ? `Keep ${labels} unique on ${table.label}` : `Index ${labels} on ${table.label}`;
}
