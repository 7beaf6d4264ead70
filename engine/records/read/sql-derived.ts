/**
 * Values that stand in no column: what a reference leads to, and what a list of records comes to. They are made of what
 * this reader may see and of nothing else: rows by their predicates, fields by their masks.
 */
import { literal, quote } from '../../db/identifiers.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Derived, Rollup } from '../../model/relations.ts';
import { aggregateSql } from '../../schema/rollup-sql.ts';
import { manySource } from './sql-many.ts';
import { titleSql } from './sql-select.ts';
import type { SqlWriter } from './sql-source.ts';
import { Joins } from './sql-source.ts';

/** Columns of the record that a derived value is found by. */
export function columnsBehind(derived: Derived): readonly string[] {
  if (derived.kind === 'rollup') return ['id'];
  if (derived.kind === 'any') return derived.targets.map(({ field }) => field);
  return derived.steps.slice(0, 1).map(({ field }) => field);
}

/**
 * @param alias of the record
 * @param parts of a reference to one of several entities: what of it is answered
 * @returns an expression of the JSON value
 */
export function derivedSql(
  field: Field,
  derived: Derived,
  alias: string,
  writer: SqlWriter,
  parts?: ReadonlySet<string>,
): string {
  if (derived.kind === 'any') return anySql(derived, alias, writer, parts);
  return field.type.select(
    derived.kind === 'lookup' ? lookupSql(derived, alias, writer) : rollupSql(field, derived.rollup, alias, writer),
    field,
  );
}

/** One subselect inside the other: a record that may not be seen gives NULL. */
function lookupSql({ steps, field }: Extract<Derived, { kind: 'lookup' }>, alias: string, writer: SqlWriter): string {
  let reached = `${alias}.${quote(steps[0]?.field ?? field)}`;
  for (const [index, step] of steps.entries()) {
    const inner = writer.alias('_v');
    const { from, where } = writer.source(writer.target(step), inner, 'exclude');
    const column = `${inner}.${quote(steps[index + 1]?.field ?? field)}`;
    reached = `(select ${column} from ${from} where ${[`${inner}."id" = ${reached}`, ...where].join(' and ')})`;
  }
  return reached;
}

/** The value as one row of one column, in brackets. */
export function rollupSql(field: Field, rollup: Rollup, near: string, writer: SqlWriter): string {
  const other = otherOf(rollup, writer);
  const alias = writer.alias('_q');
  const { from, where } = manySource(rollup.many, other, near, alias, writer);
  const joins = new Joins(writer);
  const filter = rollup.where === null ? [] : [writer.filter(rollup.where, other, alias, joins)];
  const value = aggregateSql(field, rollup, (key) => `${alias}.${quote(key)}`, null);
  return `(select ${value} as v from ${from}${joins.sql} where ${[...where, ...filter].join(' and ')})`;
}

function otherOf({ many }: Rollup, writer: SqlWriter): Entity {
  const other = writer.access.lookup(many.entity);
  if (other === undefined) throw new TypeError(`no entity ${many.entity}`);
  return other;
}

const PARTS = ['entity', 'id', '_title'] as const;

/** `{"entity","id","_title"}` of the record it points at; null for none, and for one that may not be seen. */
function anySql(
  { targets }: Extract<Derived, { kind: 'any' }>,
  near: string,
  writer: SqlWriter,
  parts: ReadonlySet<string> = new Set(PARTS),
): string {
  const found = targets.flatMap(({ entity: name, field }) => {
    const entity = writer.access.lookup(name);
    if (entity === undefined || !writer.access.of(entity).readable) return [];
    const alias = writer.alias('_a');
    const { from, where } = writer.source(entity, alias, 'exclude');
    const values = {
      entity: () => literal(name).trim(),
      id: () => `${alias}."id"`,
      _title: () => titleSql(entity, alias, writer),
    };
    const items = PARTS.filter((part) => parts.has(part)).map((part) => `${values[part]()} as ${quote(part)}`);
    const conditions = [`${alias}."id" = ${near}.${quote(field)}`, ...where];
    return [
      `(select row_to_json(_o) from (select ${items.join(', ')} from ${from} where ${conditions.join(' and ')}) _o)`,
    ];
  });
  return found.length === 0 ? 'null::json' : `coalesce(${found.join(', ')})`;
}
