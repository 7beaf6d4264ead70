/**
 * What of a record goes into the answer. Every item is an expression over an alias; records inside records are scalar
 * subselects, which keep the order of what they stand in. JSON is built by `row_to_json` alone: `jsonb` costs three
 * times as much, and `json_build_object` ends at fifty fields.
 */
import { literal, quote } from '../../db/identifiers.ts';
import { waysOf } from '../../model/any-ways.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Derived } from '../../model/relations.ts';
import type { PlannedItem, PlannedOrder, SelectPlan } from './plan.ts';
import { tokenSql } from '../sealed.ts';
import type { SqlWriter } from './sql-source.ts';
import { Joins } from './sql-source.ts';
import { anyPartItem, columnsBehind, lookupSql, rollupSql } from './sql-derived.ts';
import { manySource } from './sql-many.ts';
import { actionsSql, maySql } from './sql-actions.ts';

/** Whoever needs the columns of an alias beforehand hears of them here. */
export type Used = (column: string) => void;

/** @returns `x."id" as "id", x."amount"::text as "amount", …` */
export function selectItems(plan: SelectPlan, alias: string, writer: SqlWriter, used?: Used): string {
  // A record of nothing is still a record.
  if (plan.items.length === 0) return 'null as "_"';
  return plan.items.map((item) => selectItem(item, plan.entity, alias, writer, used)).join(', ');
}

function selectItem(item: PlannedItem, entity: Entity, alias: string, writer: SqlWriter, used?: Used): string {
  switch (item.kind) {
    case 'field':
      if (item.field.derived !== null) return derivedItem(item, item.field.derived, alias, writer, used);
      if (waysOf(item.field).length > 0) {
        for (const way of waysOf(item.field)) used?.(way.field);
        return `${item.field.type.select(anyPartItem(item.field, alias, writer), item.field)} as ${quote(item.field.key)}`;
      }
      used?.(item.field.key);
      if (item.field.type.sealed) {
        used?.('id');
        return `${tokenSql(alias, `${alias}.${quote(item.field.key)}`, item.field)} as ${quote(item.field.key)}`;
      }
      return `${item.field.type.select(`${alias}.${quote(item.field.key)}`, item.field)} as ${quote(item.field.key)}`;
    case 'title':
      return `${titleSql(entity, alias, writer, used)} as "_title"`;
    case 'actions':
      return `${actionsSql(entity, alias, writer, used)} as "_actions"`;
    case 'may':
      return `${maySql(entity, alias, writer, used)} as "_may"`;
    case 'reference': {
      used?.(item.field.key);
      return `${embedded(item.target, `${alias}.${quote(item.field.key)}`, writer)} as ${quote(item.field.key)}`;
    }
    case 'many':
      used?.('id');
      return `${list(item, alias, writer)} as ${quote(item.field.key)}`;
  }
}

function derivedItem(
  { field, parts }: Extract<PlannedItem, { kind: 'field' }>,
  derived: Derived,
  alias: string,
  writer: SqlWriter,
  used?: Used,
): string {
  for (const column of columnsBehind(derived)) used?.(column);
  const value =
    derived.kind === 'any'
      ? anySql(derived, alias, writer, parts)
      : field.type.select(
          derived.kind === 'lookup'
            ? lookupSql(derived, alias, writer)
            : rollupSql(field, derived.rollup, alias, writer, new Joins(writer)),
          field,
        );
  return `${value} as ${quote(field.key)}`;
}

/** The record that `id` points at, or NULL when there is none that may be seen. */
function embedded(target: SelectPlan, id: string, writer: SqlWriter): string {
  const alias = writer.alias('_e');
  const { from, where } = writer.source(target.entity, alias, 'exclude');
  const items = selectItems(target, alias, writer);
  return `(select row_to_json(_o) from (select ${items} from ${from} where ${[`${alias}."id" = ${id}`, ...where].join(' and ')}) _o)`;
}

function list(item: Extract<PlannedItem, { kind: 'many' }>, near: string, writer: SqlWriter): string {
  const alias = writer.alias('_c');
  const { from, where } = manySource(item.many, item.of.entity, near, alias, writer);
  const joins = new Joins(writer);
  const items = selectItems(item.of, alias, writer);
  const order = orderBy(item.order, alias, joins);
  const conditions = [...where, ...writer.narrowing(item.where, item.of.entity, alias, joins)];
  return `coalesce((select json_agg(_o) from (select ${items} from ${from}${joins.sql} where ${conditions.join(' and ')} order by ${order} limit ${item.first}) _o), '[]'::json)`;
}

/** NULL is the greatest of all, both ways: what Postgres does by default, and what its indexes are built for. */
export function orderBy(order: readonly PlannedOrder[], alias: string, joins: Joins, reversed = false): string {
  return order.map((term) => `${orderKey(term, alias, joins)} ${direction(term.descending === reversed)}`).join(', ');
}

export const direction = (up: boolean): string => (up ? 'asc' : 'desc');

export function orderKey(term: PlannedOrder, alias: string, joins: Joins): string {
  return joins.value(term.steps, term.field, alias);
}

/** How far titles of titles go: an order line shows its product's title. */
const TITLE_DEPTH = 2;

/** `{first_name} {last_name}`, of the fields that may be read, or NULL when nothing is left. */
export function titleSql(entity: Entity, alias: string, writer: SqlWriter, used?: Used, depth = 1): string {
  const parts = entity.title.template.split(/\{([a-z][a-z0-9_]*)\}/);
  const { visible } = writer.access.of(entity);
  const pieces = parts.flatMap((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [literal(part).trim()];
    const field = entity.fields.get(part);
    if (field === undefined || field.column === null || !visible(field)) return [];
    used?.(field.key);
    return [titlePart(field, `${alias}.${quote(field.key)}`, writer, depth)];
  });
  const [only] = pieces;
  const text = pieces.length === 1 && only !== undefined ? only : `concat(${pieces.join(', ')})`;
  return pieces.length === 0 ? 'null::text' : `nullif(btrim(${text}), '')`;
}

function titlePart(field: Field, column: string, writer: SqlWriter, depth: number): string {
  const target = field.reference === null ? undefined : writer.access.lookup(field.reference.entity);
  if (target === undefined) return `(${field.type.select(column, field)})::text`;
  if (depth >= TITLE_DEPTH || !writer.access.of(target).readable) return `null::text`;
  const inner = writer.alias('_n');
  const { from, where } = writer.source(target, inner, 'exclude');
  const title = titleSql(target, inner, writer, undefined, depth + 1);
  return `(select ${title} from ${from} where ${[`${inner}."id" = ${column}`, ...where].join(' and ')})`;
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
