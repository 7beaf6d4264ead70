/** Changes of the columns of a table that stays. */
import { quote } from '../db/identifiers.ts';
import type { ProblemDetail } from '../problem.ts';
import { change, type Change, type Check } from './change.ts';
import { columnDefinition, columnName, tableName, typeOf } from './ddl.ts';
import { notNullName } from './names.ts';
import type { ColumnState, TablePair, TableState } from './state.ts';
import { renameColumns } from './rename-columns.ts';
import { addField, removeField, returnField } from './titles.ts';
import { typeChange } from './widen.ts';

/** A refusal without the place in the document, which the publisher knows. */
export interface Refusal extends ProblemDetail {
  readonly entity: string;
  readonly field: string | null;
}

/** Ids of the computed columns that are dropped and made again: grants and policies on them go with the old ones. */
export function remadeColumns({ before, after }: Pick<TablePair, 'before' | 'after'>): ReadonlySet<string> {
  const retyped = Object.entries(before.columns).some(([id, old]) => {
    const column = after.columns[id];
    return (
      column !== undefined && column.generated === null && old.generated === null && typeOf(column) !== typeOf(old)
    );
  });
  const remade = Object.entries(before.columns).filter(([id, old]) => {
    const column = after.columns[id];
    if (old.generated === null || column === undefined) return false;
    return retyped || column.generated !== old.generated || typeOf(column) !== typeOf(old) || column.name !== old.name;
  });
  return new Set(remade.map(([id]) => id));
}

export function diffColumns(pair: TablePair, refusals: Refusal[]): Change[] {
  const { before, after } = pair;
  const changes: Change[] = [];
  const remade = remadeColumns(pair);
  for (const [id, column] of Object.entries(before.columns)) {
    if (column.generated !== null && (remade.has(id) || !after.columns[id]))
      changes.push(dropGenerated(pair, id, column));
  }
  changes.push(...renameColumns(pair));
  for (const [id, column] of Object.entries(after.columns)) {
    const old = before.columns[id];
    if (old === undefined) changes.push(...added(pair, id, column));
    else if (column.generated !== null && old.generated === null) refusals.push(becameComputed(after, column));
    else if (column.generated === null && old.generated !== null) changes.push(...added(pair, id, column));
    else if (column.generated !== null) {
      if (remade.has(id)) changes.push(addGenerated(pair, id, column));
    } else changes.push(...altered(pair, id, old, column, refusals));
  }
  return changes;
}

function dropGenerated({ previous, before, after }: TablePair, id: string, column: ColumnState): Change {
  const gone = !after.columns[id];
  return change({
    kind: 'change_formula',
    phase: 'drop_generated',
    table: before.id,
    title: gone ? removeField(column, before) : `Compute ${column.label} on ${before.label} anew`,
    why: gone
      ? 'The release no longer has it. It held no values of its own.'
      : 'Its formula changed, or a field it is computed from.',
    sql: [`alter table ${tableName(previous, before)} drop column ${quote(column.name)}`],
  });
}

function addGenerated({ next, after }: TablePair, id: string, column: ColumnState): Change {
  return change({
    kind: 'change_formula',
    phase: 'add_generated',
    table: after.id,
    title: `Compute ${column.label} on ${after.label} anew`,
    why: 'Its formula changed, or a field it is computed from.',
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
    }),
    ...fillKept(pair, undefined, column),
  ];
}

const KEPT = 'It is kept with the record, so every record gets its value.';

/** What is kept over parts has a value from the start, and another one when it becomes something else. */
function fillKept({ after }: TablePair, old: ColumnState | undefined, column: ColumnState): Change[] {
  const { rollup } = column;
  if (!rollup || column.aside || (old && !old.aside && old.rollup?.definition === rollup.definition)) return [];
  return [
    change({
      kind: 'add_column',
      phase: 'fill',
      table: after.id,
      title: addField(column, after),
      why: KEPT,
      sql: [rollup.fill],
      lock: 'share',
      work: 'write',
    }),
  ];
}

function altered(pair: TablePair, id: string, old: ColumnState, column: ColumnState, refusals: Refusal[]): Change[] {
  const { previous, next, before, after } = pair;
  const changes: Change[] = [];
  const table = tableName(next, after);
  const name = quote(column.name);
  const alter = `alter table ${table} alter column ${name}`;
  const field = `${column.label} of ${after.label}`;

  changes.push(...fillKept(pair, old, column));
  if (typeOf(old) !== typeOf(column) && old.rollup && column.rollup) {
    changes.push(
      change({
        kind: 'change_type',
        phase: 'alter_columns',
        table: after.id,
        title: `Change field ${field} from ${old.type} to ${column.type}`,
        why: 'It is computed anew.',
        sql: [
          `${alter} drop default`,
          `${alter} type ${typeOf(column)} using null`,
          ...(column.default === null ? [] : [`${alter} set default ${column.default}`]),
        ],
        work: 'write',
      }),
    );
  } else if (typeOf(old) !== typeOf(column)) {
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
          ? removeField(old, after)
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

function required(
  { previous, next, before, after }: TablePair,
  id: string,
  old: ColumnState,
  column: ColumnState,
): Change[] {
  const table = tableName(next, after);
  const name = quote(column.name);
  const label = `${column.label} of ${after.label}`;
  const constraint = quote(notNullName(id));
  if (!column.notNull) {
    return [
      change({
        kind: 'change_required',
        phase: 'set_aside',
        table: after.id,
        title: column.aside ? removeField(old, after) : `No longer require ${label}`,
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
            sql: [`update ${table} set ${name} = default where ${name} is null`],
            lock: 'share',
            work: 'write',
            risk: 'low',
            reversible: false,
          }),
        ]),
    change({
      ...base,
      phase: 'not_null',
      sql: [`alter table ${table} add constraint ${constraint} not null ${name}`],
      work: 'scan',
      checks,
    }),
  ];
}

function becameComputed(after: TableState, column: ColumnState): Refusal {
  return {
    code: 'type_change',
    message: `Field ${column.label} of ${after.label} holds values and cannot become computed. Add another field and remove this one.`,
    entity: after.entity,
    field: column.field,
  };
}
