/**
 * From the state that is there to the state that is wanted: the changes that lead from one to the other, matched by
 * immutable ids. Pure. What the next state lacks is set aside by {@link settle} and not dropped.
 */
import { quote } from '../db/identifiers.ts';
import { Problem } from '../problem.ts';
import { change, type Change, inOrder } from './change.ts';
import { createTable, tableName } from './ddl.ts';
import { diffGrants, diffPolicies, diffRoles, diffSequences, diffTriggers } from './diff-access.ts';
import { diffColumns, type Refusal, remadeColumns } from './diff-columns.ts';
import { diffConstraints } from './diff-constraints.ts';
import { diffCallers, diffFunctions } from './diff-functions.ts';
import { fieldOf, isSpent } from './names.ts';
import { reusedNames } from './reused-names.ts';
import { settle } from './settle.ts';
import { type Conversions, type DesiredState, emptyState, type TablePair, type TableState } from './state.ts';

/** What the state is after the changes, and the changes in the order in which they must run. */
export interface Difference {
  readonly settled: DesiredState;
  readonly changes: readonly Change[];
}

/**
 * @param previous what the last publish left behind; `null` for a new tenant
 * @param converted columns whose values are made from those of another type, which `previous` has under its shape's id
 * @throws Problem `invalid_document` for changes that would lose values (with {@link Refusal}s)
 */
export function difference(
  previous: DesiredState | null,
  next: DesiredState,
  converted: Conversions = new Map(),
): Difference {
  const before = previous ?? emptyState(next.schema);
  const settled = settle(before, next);
  const refusals: Refusal[] = [];
  const divided = Object.values(settled.tables).filter((after) => isDivided(before.tables[after.id], after));
  const pairs = Object.values(settled.tables).flatMap((after): TablePair[] => {
    const old = before.tables[after.id];
    return old && !divided.includes(after)
      ? [{ previous: before, next: settled, before: old, after, converted: convertedOf(after, converted) }]
      : [];
  });
  const touched = [
    ...pairs.flatMap(touchedColumns),
    ...divided.flatMap((table) =>
      before.tables[table.id] ? [tableName(before, before.tables[table.id] ?? table)] : [],
    ),
  ];
  const changes = [
    ...diffRoles(before, settled),
    ...diffSequences(before, settled),
    ...Object.values(settled.tables)
      .filter((table) => !before.tables[table.id])
      .flatMap((table) => created(settled, table)),
    ...divided.flatMap((table) => [dropEmpty(before, table), ...created(settled, table)]),
    ...renameTables(pairs),
    ...pairs.flatMap((pair) => [
      ...diffRetention(pair),
      ...diffColumns(pair, refusals),
      ...diffConstraints(pair),
      ...diffTriggers(pair),
      ...diffPolicies(pair, touched),
      ...diffGrants(pair),
    ]),
    ...diffFunctions(before, settled),
    ...diffCallers(before, settled),
  ];
  const [first] = refusals;
  if (first) throw new Problem('invalid_document', first.message, refusals);
  return { settled, changes: inOrder(changes) };
}

/** Whether a table in one piece becomes one by months, or the other way round: that takes a new table. */
function isDivided(before: TableState | undefined, after: TableState): boolean {
  return before !== undefined && !after.aside && (before.partition === undefined) !== (after.partition === undefined);
}

function dropEmpty(previous: DesiredState, after: TableState): Change {
  const before = previous.tables[after.id] ?? after;
  const name = tableName(previous, before);
  return change({
    kind: 'divide_table',
    phase: 'drop_indexes',
    table: after.id,
    title: after.partition ? `Divide ${after.label} by month` : `Keep ${after.label} in one piece`,
    why: 'It takes another table, which only a table without records can become.',
    // Written between the question and the lock: nothing is lost.
    sql: [
      `lock table ${name} in access exclusive mode`,
      `do $$ begin if exists (select from ${name}) then raise check_violation; end if; end $$`,
      `drop table ${name}`,
    ],
    work: 'scan',
    checks: [
      {
        sql: `select count(*)::int as count from (select from ${name} limit 1000) x`,
        code: 'records_there',
        message: `${after.label} has {count} records or more. Only an entity without records can be divided by month, or no longer be.`,
        entity: after.entity,
        field: null,
        property: null,
      },
    ],
  });
}

/** No SQL: months go by the hour. But what goes is gone, and whoever publishes has to read it before. */
function diffRetention({ before, after }: TablePair): Change[] {
  const [was, is] = [before.partition?.keep ?? null, after.partition?.keep ?? null];
  if (was === is || after.aside) return [];
  const shorter = is !== null && (was === null || is < was);
  const months = (count: number): string => (count === 1 ? '1 month' : `${count} months`);
  return [
    change({
      kind: 'change_retention',
      phase: 'alter_columns',
      table: after.id,
      title:
        is === null ? `Keep records of ${after.label} for ever` : `Keep records of ${after.label} for ${months(is)}`,
      why: shorter
        ? `Within the hour those of older months are deleted for good, with their history; until now they were kept ${was === null ? 'for ever' : `for ${months(was)}`}. A rollback does not bring them back.`
        : `Until now they were kept for ${months(was ?? 0)}. What is deleted already does not come back.`,
      sql: [],
      lock: 'none',
      risk: shorter ? 'high' : 'none',
      reversible: !shorter,
    }),
  ];
}

function convertedOf({ columns }: TableState, converted: Conversions): Conversions {
  return new Map([...converted].filter(([id]) => columns[id]));
}

/** The changes alone. */
export function diff(previous: DesiredState | null, next: DesiredState): readonly Change[] {
  return difference(previous, next).changes;
}

/** A new table is the difference to one that has its columns and nothing else. */
function created(next: DesiredState, table: TableState): Change[] {
  const bare: TableState = {
    ...table,
    checks: {},
    references: {},
    indexes: {},
    triggers: {},
    policies: {},
    grants: {},
  };
  const pair: TablePair = { previous: next, next, before: bare, after: table, converted: new Map() };
  const title = table.history ? `Keep the ${table.label.toLowerCase()}` : `Create ${table.label}`;
  const parts = [...diffConstraints(pair), ...diffTriggers(pair), ...diffPolicies(pair, []), ...diffGrants(pair)];
  return [
    change({
      kind: 'create_table',
      phase: 'create',
      table: table.id,
      title,
      why: 'The release has it.',
      sql: createTable(next, table),
      lock: 'none',
    }),
    // There is nothing in it that could be in the way, and nobody who would wait.
    ...parts.map(
      (part): Change => ({
        ...part,
        title,
        why: 'The release has it.',
        lock: 'none',
        work: 'none',
        checks: [],
        later: null,
      }),
    ),
  ];
}

function renameTables(pairs: readonly TablePair[]): Change[] {
  const moved = pairs.filter(({ before, after }) => before.name !== after.name);
  const taken = new Set(moved.filter(({ after }) => !after.aside).map(({ before }) => before.name));
  // Aside first: what comes may need the names.
  const ordered = moved.toSorted((a, b) => Number(b.after.aside) - Number(a.after.aside));
  const away: Change[] = [];
  const last: Change[] = [];
  const there = ordered.flatMap(({ next, before, after }): Change[] => {
    const rename = (from: string, to: string) =>
      `alter table ${tableName(next, { ...after, name: from })} rename to ${quote(to)}`;
    const base = { phase: 'rename_tables', table: after.id } as const;
    if (after.aside) {
      return [
        change({
          ...base,
          kind: 'set_table_aside',
          title: `Remove ${before.label}`,
          why: 'The release no longer has it. Its records are kept and come back with a rollback.',
          sql: [rename(before.name, after.name)],
          risk: 'high',
        }),
      ];
    }
    const swaps = taken.has(after.name);
    const detour = `zz_t_${after.id}`;
    const back = before.aside;
    const parts = {
      ...base,
      kind: back ? ('return_table' as const) : ('rename_table' as const),
      title: back
        ? `Bring back ${after.label}`
        : before.label === after.label
          ? `Rename ${before.name} to ${after.name}`
          : `Rename ${before.label} to ${after.label}`,
      why: back
        ? 'The release has it again, with the records it had.'
        : 'Its key or plural changed. Its records, rights and history stay with it.',
      risk: back ? ('none' as const) : ('low' as const),
    };
    if (!swaps) return [change({ ...parts, sql: [rename(before.name, after.name)] })];
    away.push(change({ ...parts, sql: [rename(before.name, detour)] }));
    last.push(change({ ...parts, sql: [rename(detour, after.name)] }));
    return [];
  });
  // Whatever leaves its name does so before another one takes it.
  return [
    ...there.filter((one) => one.kind === 'set_table_aside'),
    ...away,
    ...there.filter((one) => one.kind !== 'set_table_aside'),
    ...last,
  ];
}

/** Quoted names of columns that are dropped, or whose type changes. */
function touchedColumns(pair: TablePair): readonly string[] {
  const { before, after } = pair;
  const remade = remadeColumns(pair);
  const reused = reusedNames(pair);
  return Object.entries(before.columns)
    .filter(([id, old]) => {
      const column = after.columns[id];
      if (reused.has(old.name)) return true;
      if (!column) return old.generated !== null || isSpent(id);
      // What looks at it by its name looks at the one that takes its place from now on.
      if (fieldOf(id) !== id && pair.converted.has(fieldOf(id)) && !old.aside) return true;
      return remade.has(id) || column.type !== old.type || (column.generated === null) !== (old.generated === null);
    })
    .map(([, old]) => quote(old.name));
}
