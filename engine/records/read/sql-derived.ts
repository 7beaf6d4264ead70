/**
 * Values that stand in no column: what a reference leads to, and what a list of records comes to. They are made of what
 * this reader may see and of nothing else: rows by their predicates, fields by their masks.
 */
import { literal, quote } from '../../db/identifiers.ts';
import { type Way, waysOf } from '../../model/any-ways.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Derived, Rollup } from '../../model/relations.ts';
import { aggregateSql } from '../../schema/rollup-sql.ts';
import type { Access } from './access.ts';
import { manySource } from './sql-many.ts';
import type { Joins, SqlWriter } from './sql-source.ts';

/** Columns of the record that a derived value is found by. */
export function columnsBehind(derived: Derived): readonly string[] {
  if (derived.kind === 'rollup') return ['id'];
  if (derived.kind === 'any') return derived.targets.map(({ field }) => field);
  return derived.steps.slice(0, 1).map(({ field }) => field);
}

/**
 * Of a field that comes with a reference to one of several entities: as if it pointed nowhere, where the record it
 * points at may not be seen or is in the bin. So is the reference itself shown, which must not be found by its parts.
 *
 * @param found SQL of the id of the record that a way leads to, NULL where there is none to be seen
 */
export function anyPartSql(field: Field, access: Access, found: (way: Way, target: Entity) => string): string {
  const ways = waysOf(field).flatMap((way) => {
    const target = access.lookup(way.entity);
    return target === undefined || !access.of(target).readable ? [] : [{ way, id: found(way, target) }];
  });
  if (field.type.valueType === 'uuid')
    return ways.length === 0 ? 'null::uuid' : `coalesce(${ways.map(({ id }) => id).join(', ')})`;
  if (ways.length === 0) return 'null::text';
  return `case ${ways.map(({ way, id }) => `when ${id} is not null then ${literal(way.entity)}`).join(' ')} end`;
}

/** {@link anyPartSql} of a record at hand, without joins. */
export function anyPartItem(field: Field, near: string, writer: SqlWriter): string {
  return anyPartSql(field, writer.access, (way, target) => {
    const alias = writer.alias('_a');
    const { from, where } = writer.source(target, alias, 'exclude');
    const conditions = [`${alias}."id" = ${near}.${quote(way.field)}`, ...where];
    return `(select ${alias}."id" from ${from} where ${conditions.join(' and ')})`;
  });
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
