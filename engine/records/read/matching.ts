/** Which records a filter or a key names, for writes: as the reader sees them, masks and all, so that nobody finds out by writing what they may not read. */
import { isTrue, simplify } from '../../condition/simplify.ts';
import { quote } from '../../db/identifiers.ts';
import type { Statement } from '../../db/execute.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Value } from '../../model/value-type.ts';
import { SQL_TYPE } from '../../model/value-type.ts';
import { notFound } from '../../problem.ts';
import { refuse } from '../query/fault.ts';
import type { Query } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import { Binds, bindValue, valuesAt } from './binds.ts';
import { planWhere } from './plan.ts';
import { accessOf } from './shapes.ts';
import { Joins, SqlWriter } from './sql-source.ts';
import { RECORD } from './template.ts';

/**
 * Rows `[id, version]` of the records that match, in the order of their ids.
 * @param query of which only the filter counts
 * @param now milliseconds since the Unix epoch, from which periods are told
 * @throws Problem `not_found` when the entity may not be read, `invalid_parameter` for a filter that every record matches
 */
export function matchingStatement(scope: Scope, entity: Entity, query: Query, limit: number, now: number): Statement {
  const access = accessOf(scope);
  if (!access.of(entity).readable) throw notFound();
  const condition = planWhere(query, entity, access);
  if (isTrue(simplify(condition))) {
    const message = 'Say which records: a filter that all of them match is not one.';
    refuse(query.fromText ? 'filter' : '/where', 'invalid_parameter', message);
  }
  const binds = new Binds();
  const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
  const joins = new Joins(writer);
  const { from, where } = writer.source(entity, RECORD, 'exclude');
  const conditions = [...where, writer.filter(condition, entity, RECORD, joins)].join(' and ');
  return {
    text: `select ${RECORD}."id", ${RECORD}."version" from ${from}${joins.sql} where ${conditions} order by 1 limit ${limit}`,
    values: binds.sources.map((source) => bindValue(source, valuesAt(scope, now))),
  };
}

/**
 * Rows `[n, id]` of the records that have the key of row `n`, counted from 0.
 * @param fields of the key; all of them readable, at least on some records
 * @param keys their values, none of them null
 */
export function keyedStatement(
  scope: Scope,
  entity: Entity,
  fields: readonly Field[],
  keys: readonly (readonly Value[])[],
): Statement {
  const access = accessOf(scope);
  const binds = new Binds();
  const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
  // No field's key begins like this.
  const rows = keys.map((values, n) => ({
    _n: n,
    ...Object.fromEntries(fields.map(({ key }, i) => [key, values[i]])),
  }));
  const list = binds.add({ kind: 'value', value: JSON.stringify(rows), sqlType: 'json' }, 'json');
  const columns = fields.map(({ key, type }) => `${quote(key)} ${SQL_TYPE[type.valueType ?? 'text']}`).join(', ');
  const { from, where } = writer.source(entity, RECORD, 'exclude');
  const same = fields.map(({ key }) => `${RECORD}.${quote(key)} = k.${quote(key)}`);
  return {
    text: `select k."_n", ${RECORD}."id" from json_to_recordset(${list}) as k("_n" integer, ${columns}) join ${from} on ${[...same, ...where].join(' and ')}`,
    values: binds.sources.map((source) => bindValue(source, { principal: scope.principal })),
  };
}
