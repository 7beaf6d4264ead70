/** Changes of the columns of a table that stays. */
import { qualified, quote } from '../db/identifiers.ts';
import type { ProblemDetail } from '../problem.ts';
import { change, type Change, type Check } from './change.ts';
import { columnDefinition, columnName, tableName, typeOf, validateConstraint } from './ddl.ts';
import type { Later, StepDraft } from './deferred/work.ts';
import { validateLater } from './diff-constraints.ts';
import { comingName, comingNamesName, comingVersionName, fieldOf, notNullName } from './names.ts';
import type { ColumnState, DesiredState, TablePair, TableState } from './state.ts';
import { fillKept, isRetyped, KEPT, retyped } from './diff-rollups.ts';
import { renameColumns } from './rename-columns.ts';
import { readsChanged } from './reused-names.ts';
import { addField, convertField, removeField, returnField } from './titles.ts';
import { typeChange } from './widen.ts';

/** A refusal without the place in the document, which the publisher knows. */
export interface Refusal extends ProblemDetail {
  readonly entity: string;
  readonly field: string | null;
}

/** Ids of the computed columns that are dropped and made again: grants and policies on them go with the old ones. */
export function remadeColumns(pair: TablePair): ReadonlySet<string> {
  const { before, after } = pair;
  const changed = readsChanged(pair);
  const remade = Object.entries(before.columns).filter(([id, old]) => {
    const column = after.columns[id];
    if (old.generated === null || column === undefined) return false;
    return !isSame(old, column) || changed(old.generated);
  });
  return new Set(remade.map(([id]) => id));
}

const isSame = (old: ColumnState, column: ColumnState): boolean =>
  column.generated === old.generated && typeOf(column) === typeOf(old) && column.name === old.name;

export function diffColumns(pair: TablePair, refusals: Refusal[]): Change[] {
  const { before, after } = pair;
  const changes: Change[] = [];
  const remade = remadeColumns(pair);
  for (const [id, column] of Object.entries(before.columns)) {
    if (column.generated !== null && (remade.has(id) || !after.columns[id]))
      changes.push(dropGenerated(pair, id, column));
  }
  changes.push(...renameColumns(pair), ...retyped(pair));
  for (const [id, column] of Object.entries(after.columns)) {
    const old = before.columns[id];
    if (pair.converted.has(id)) changes.push(...converted(pair, id, old ?? null, column));
    else if (isRetyped(pair, id)) continue;
    else if (old === undefined) changes.push(...added(pair, id, column));
    else if (column.generated !== null && old.generated === null) refusals.push(becameComputed(after, column));
    else if (column.generated === null && old.generated !== null) changes.push(...added(pair, id, column));
    else if (column.generated !== null) {
      if (remade.has(id)) changes.push(addGenerated(pair, id, column));
    } else changes.push(...altered(pair, id, old, column, refusals));
  }
  return changes;
}

function dropGenerated(pair: TablePair, id: string, column: ColumnState): Change {
  const { previous, before, after } = pair;
  const gone = !after.columns[id];
  return change({
    kind: 'change_formula',
    phase: 'drop_generated',
    table: before.id,
    title: gone ? removeField(column, before) : `Compute ${column.label} on ${before.label} anew`,
    why: gone ? 'The release no longer has it. It held no values of its own.' : whyAnew(pair, id),
    sql: [`alter table ${tableName(previous, before)} drop column ${quote(column.name)}`],
  });
}

function whyAnew({ before, after }: TablePair, id: string): string {
  const [old, column] = [before.columns[id], after.columns[id]];
  return old && column && isSame(old, column)
    ? 'A field it is computed from changes.'
    : 'Its formula changed, or a field it is computed from.';
}

function addGenerated(pair: TablePair, id: string, column: ColumnState): Change {
  const { next, after } = pair;
  return change({
    kind: 'change_formula',
    phase: 'add_generated',
    table: after.id,
    title: `Compute ${column.label} on ${after.label} anew`,
    why: whyAnew(pair, id),
    sql: [`alter table ${tableName(next, after)} add column ${columnDefinition(next, id, column, true)}`],
  });
}

function added(pair: TablePair, id: string, column: ColumnState): Change[] {
  const { previous, next, before, after } = pair;
  if (column.aside) return [];
  const table = tableName(next, after);
  const computed = column.generated !== null;
  const numbered = column.default !== null && /\b(nextval|draw_number)\(/.test(column.default);
  // Records that exist get the default only where they must have a value.
  const filled = column.notNull || numbered;
  const checks: Check[] =
    column.notNull && column.default === null
      ? [
          {
            sql: `select count(*)::int as count from ${tableName(previous, before)}`,
            code: 'values_missing',
            message: `${after.label} has {count} records that would have no ${column.label}. Give the field a default, or make it optional.`,
            entity: after.entity,
            field: column.field,
            property: 'required',
          },
        ]
      : [];
  return [
    change({
      kind: 'add_column',
      phase: computed ? 'add_generated' : 'add_columns',
      table: after.id,
      title: addField(column, after),
      why: column.rollup
        ? KEPT
        : filled && column.default !== null
          ? 'The release has it; records that exist get its default.'
          : 'The release has it; records that exist have no value yet.',
      sql: [
        `alter table ${table} add column ${columnDefinition(next, id, column, filled)}`,
        ...(column.default !== null && !filled
          ? [`alter table ${table} alter column ${quote(column.name)} set default ${column.default}`]
          : []),
      ],
      // A number for each record is written into each record.
      work: numbered ? 'write' : 'none',
      checks,
      later: numbered ? numberLater(pair, id, column) : null,
    }),
    ...fillKept(pair, id, undefined, column),
  ];
}

/** The column comes empty and is filled afterwards; who creates a record meanwhile draws the next number. */
function numberLater({ next, after }: TablePair, id: string, column: ColumnState): Later {
  const table = tableName(next, after);
  const optional = { ...column, notNull: false };
  return {
    now: [
      `alter table ${table} add column ${columnDefinition(next, id, optional, false)}`,
      `alter table ${table} alter column ${quote(column.name)} set default ${column.default}`,
    ],
    steps: [fillStep(next, after, id), ...(column.notNull ? [requireStep(next, after, id)] : [])],
  };
}

function fillStep(next: DesiredState, after: TableState, id: string): StepDraft {
  const column = after.columns[id];
  return {
    work: { kind: 'fill', table: after.id, column: id },
    title: `Fill ${column?.label ?? id} of ${after.label}`,
    why: 'Records without a value get the default, some at a time.',
    change: 'change_required',
    sql: [fillSql(next, after, id)],
  };
}

function requireStep(next: DesiredState, after: TableState, id: string): StepDraft {
  const column = after.columns[id];
  return {
    work: { kind: 'require', table: after.id, column: id },
    title: `Require ${column?.label ?? id} of ${after.label}`,
    why: 'Every record has a value by then.',
    change: 'change_required',
    sql: [`${notNull(next, after, id)} not valid`, validateConstraint(next, after, notNullName(id))],
  };
}

const fillSql = (state: DesiredState, table: TableState, id: string): string =>
  `update ${tableName(state, table)} set ${columnName(table, id)} = default where ${columnName(table, id)} is null`;

/** Completed by ` not valid` where the rows are gone through afterwards. */
export const notNull = (state: DesiredState, table: TableState, id: string): string =>
  `alter table ${tableName(state, table)} add constraint ${quote(notNullName(id))} not null ${columnName(table, id)}`;

/** A column of another type: made new or brought back, given its values, then held to its rules. */
function converted(pair: TablePair, id: string, old: ColumnState | null, column: ColumnState): Change[] {
  const { next, after } = pair;
  const table = tableName(next, after);
  const base = {
    kind: 'change_type',
    table: after.id,
    title: convertField(column.label, after),
    why: 'Its type changed. The values it had are kept and come back with a rollback.',
  } as const;
  const bare = { ...column, notNull: false };
  const { ahead = false, spent = null } = pair.converted.get(id) ?? {};
  const coming = ahead
    ? `alter table ${table} rename column ${quote(comingName(id))} to ${quote(column.name)}`
    : `alter table ${table} add column ${columnDefinition(next, id, bare, false)}`;
  // With it goes the index of the rows that are still to be done.
  const over = [comingVersionName(id), ...(spent === null ? [] : [spent])];
  const done = ahead
    ? [
        `alter table ${table} ${over.map((name) => `drop column ${quote(name)}`).join(', ')}`,
        `drop table if exists ${qualified(next.schema, comingNamesName(id))}`,
      ]
    : [];
  return [
    ...(old === null ? [change({ ...base, phase: 'add_columns', sql: [coming] })] : []),
    ...(column.default === null
      ? []
      : [
          change({
            ...base,
            phase: 'alter_columns',
            sql: [`alter table ${table} alter column ${quote(column.name)} set default ${column.default}`],
          }),
        ]),
    change({ ...base, phase: 'convert', sql: done, work: ahead ? 'none' : 'write', risk: 'medium', convert: id }),
    ...(column.notNull ? held(pair, id, column, base.title) : []),
  ];
}

/** Required from now on; what is missing gets the default. That nothing else is missing was seen to before. */
function held({ next, after }: TablePair, id: string, column: ColumnState, title: string): Change[] {
  const base = { kind: 'change_required', table: after.id, title, why: 'Every record must have a value.' } as const;
  const fill = change({
    ...base,
    phase: 'fill',
    sql: [fillSql(next, after, id)],
    work: 'write',
    later: { now: [], steps: [fillStep(next, after, id)] },
  });
  const sql = notNull(next, after, id);
  const work = { constraint: notNullName(id), column: id, what: 'not_null' } as const;
  const later =
    column.default === null
      ? validateLater({ next, after }, sql, work)
      : { now: [], steps: [requireStep(next, after, id)] };
  return [
    ...(column.default === null ? [] : [fill]),
    change({ ...base, phase: 'not_null', sql: [sql], work: 'scan', later }),
  ];
}

function altered(pair: TablePair, id: string, old: ColumnState, column: ColumnState, refusals: Refusal[]): Change[] {
  const { previous, next, before, after } = pair;
  const changes: Change[] = [];
  const table = tableName(next, after);
  const name = quote(column.name);
  const alter = `alter table ${table} alter column ${name}`;
  const field = `${column.label} of ${after.label}`;

  changes.push(...fillKept(pair, id, old, column));
  if (typeOf(old) !== typeOf(column)) {
    const kind = typeChange(old.type, column.type);
    if (kind.kind === 'refused') {
      refusals.push({
        code: 'type_change',
        message: `Field ${field} is stored as ${old.type} and cannot become ${column.type}. Add another field and remove this one.`,
        params: { from: old.type, to: column.type },
        entity: after.entity,
        field: column.field,
      });
      return [];
    }
    const lost: Check[] =
      kind.kind === 'widening'
        ? []
        : [
            {
              sql: `select count(*)::int as count from ${tableName(previous, before)} where ${kind.lost.replaceAll('{}', columnName(before, id))}`,
              code: 'values_lost',
              message: `{count} values of ${field} do not fit into ${column.type}.`,
              entity: after.entity,
              field: column.field,
              property: null,
            },
          ];
    changes.push(
      change({
        kind: 'change_type',
        phase: 'alter_columns',
        table: after.id,
        title: `Change field ${field} from ${old.type} to ${column.type}`,
        why: 'Its size changed.',
        sql: [
          ...(old.default === null ? [] : [`${alter} drop default`]),
          `${alter} type ${typeOf(column)}`,
          ...(column.default === null ? [] : [`${alter} set default ${column.default}`]),
        ],
        work: 'write',
        risk: 'medium',
        checks: lost,
      }),
    );
  } else if (old.default !== column.default) {
    changes.push(
      change({
        kind: 'change_default',
        // A column goes aside without its default, so that the default's sequence is free.
        phase: column.aside ? 'set_aside' : 'alter_columns',
        table: after.id,
        title: column.aside
          ? asideTitle(pair, id, old)
          : old.aside
            ? returnField(column, after)
            : `Change the default of ${field}`,
        why: column.default === null ? 'It has none any more.' : 'Records that exist keep their values.',
        sql: [
          column.aside
            ? `alter table ${tableName(next, after)} alter column ${quote(old.name)} drop default`
            : column.default === null
              ? `${alter} drop default`
              : `${alter} set default ${column.default}`,
        ],
      }),
    );
  }

  if (old.notNull !== column.notNull) changes.push(...required(pair, id, old, column));
  return changes;
}

const asideTitle = ({ after, converted }: TablePair, id: string, old: ColumnState): string =>
  converted.has(fieldOf(id)) ? convertField(old.label, after) : removeField(old, after);

function required(pair: TablePair, id: string, old: ColumnState, column: ColumnState): Change[] {
  const { previous, next, before, after } = pair;
  const table = tableName(next, after);
  const label = `${column.label} of ${after.label}`;
  const constraint = quote(notNullName(id));
  if (!column.notNull) {
    return [
      change({
        kind: 'change_required',
        phase: 'set_aside',
        table: after.id,
        title: column.aside ? asideTitle(pair, id, old) : `No longer require ${label}`,
        why: 'Records may be without it.',
        sql: [`alter table ${table} drop constraint ${constraint}`],
      }),
    ];
  }
  const base = {
    kind: 'change_required',
    table: after.id,
    title: old.aside ? returnField(column, after) : `Require ${label}`,
    why:
      column.default === null
        ? 'Every record must have a value; all of them have one.'
        : 'Every record must have a value; those without one get the default.',
  } as const;
  const missing = `select count(*)::int as count from ${tableName(previous, before)} where ${columnName(before, id)} is null`;
  const checks: Check[] =
    column.default === null
      ? [
          {
            sql: missing,
            code: 'values_missing',
            message: `{count} records have no ${label}. Fill them, or give the field a default.`,
            entity: after.entity,
            field: column.field,
            property: 'required',
          },
        ]
      : [];
  return [
    ...(column.default === null
      ? []
      : [
          change({
            ...base,
            phase: 'fill',
            sql: [fillSql(next, after, id)],
            lock: 'share',
            work: 'write',
            risk: 'low',
            reversible: false,
            later: { now: [], steps: [fillStep(next, after, id)] },
          }),
        ]),
    change({
      ...base,
      phase: 'not_null',
      sql: [notNull(next, after, id)],
      work: 'scan',
      checks,
      later:
        column.default === null
          ? validateLater({ next, after }, notNull(next, after, id), {
              constraint: notNullName(id),
              column: id,
              what: 'not_null',
            })
          : { now: [], steps: [requireStep(next, after, id)] },
    }),
  ];
}

export function becameComputed(after: TableState, column: ColumnState): Refusal {
  return {
    code: 'type_change',
    message: `Field ${column.label} of ${after.label} holds values and cannot become computed. Add another field and remove this one.`,
    entity: after.entity,
    field: column.field,
  };
}
