/**
 * Values that stand in no column: what a reference leads to, and what a list of records comes to. They are made of what
 * this reader may see and of nothing else: rows by their predicates, fields by their masks.
 */
import { quote } from '../../db/identifiers.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Derived, Rollup } from '../../model/relations.ts';
import { aggregateSql } from '../../schema/rollup-sql.ts';
import { manySource } from './sql-many.ts';
import type { Joins, SqlWriter } from './sql-source.ts';

/** Columns of the record that a derived value is found by. */
export function columnsBehind(derived: Derived): readonly string[] {
  if (derived.kind === 'rollup') return ['id'];
  if (derived.kind === 'any') return derived.targets.map(({ field }) => field);
  return derived.steps.slice(0, 1).map(({ field }) => field);
}

/** One subselect inside the other: a record that may not be seen gives NULL. */
export function lookupSql(
  { steps, field }: Extract<Derived, { kind: 'lookup' }>,
  alias: string,
  writer: SqlWriter,
): string {
  let reached = `${alias}.${quote(steps[0]?.field ?? field)}`;
  for (const [index, step] of steps.entries()) {
    const inner = writer.alias('_v');
    const { from, where } = writer.source(writer.target(step), inner, 'exclude');
    const column = `${inner}.${quote(steps[index + 1]?.field ?? field)}`;
    reached = `(select ${column} from ${from} where ${[`${inner}."id" = ${reached}`, ...where].join(' and ')})`;
  }
  return reached;
}

/**
 * The value as one row of one column, in brackets.
 *
 * @param joins of its own, without a join yet
 */
export function rollupSql(field: Field, rollup: Rollup, near: string, writer: SqlWriter, joins: Joins): string {
  const other = otherOf(rollup, writer);
  const alias = writer.alias('_q');
  const { from, where } = manySource(rollup.many, other, near, alias, writer);
  const filter = rollup.where === null ? [] : [writer.filter(rollup.where, other, alias, joins)];
  const value = aggregateSql(field, rollup, (key) => `${alias}.${quote(key)}`, null);
  return `(select ${value} as v from ${from}${joins.sql} where ${[...where, ...filter].join(' and ')})`;
}

function otherOf({ many }: Rollup, writer: SqlWriter): Entity {
  const other = writer.access.lookup(many.entity);
  if (other === undefined) throw new TypeError(`no entity ${many.entity}`);
  return other;
}
