/**
 * The statement of an export: the list's plan without a page. One column, the record as JSON, without line breaks.
 *
 * ```sql
 * select row_to_json(_o)::text from (select x."id" as "id", (…) as "account" from "t_acme"."crm_opportunities" x
 *                                    where x."deleted_at" is null and … order by x."name" asc, x."id" asc) _o
 * ```
 */
import { isTrue } from '#engine/condition/simplify.ts';
import type { Query } from '../query/query.ts';
import { valuesAt } from '../read/binds.ts';
import type { ListPlan } from '../read/plan.ts';
import { narrowing, planWhere, RANK } from '../read/plan.ts';
import { accessOf } from '../read/shapes.ts';
import { searchSql } from '../read/sql-search.ts';
import { orderBy, selectItems } from '../read/sql-select.ts';
import { Joins, SqlWriter } from '../read/sql-source.ts';
import { RECORD, whereOf } from '../read/template.ts';
import type { Scope } from '../scope.ts';
import { LiteralBinds } from './literal-binds.ts';

/**
 * @param now milliseconds since the Unix epoch, from which periods are told
 * @throws Problem `unknown_field`, `unknown_operator`, `invalid_parameter` for the query's own filter
 */
export function exportSql(scope: Scope, query: Query, plan: ListPlan, now: number): string {
  const { entity } = plan;
  const access = accessOf(scope);
  const binds = new LiteralBinds({ ...valuesAt(scope, now), ...(query.search && { search: query.search }) });
  const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
  const joins = new Joins(writer);
  const { from, where } = writer.source(entity, RECORD, query.deleted);
  const items = selectItems(plan.select, RECORD, writer);
  // A file is read whole: the best hits need not come first.
  const order = plan.order.filter(({ field }) => field.key !== RANK);
  const sorted = orderBy(order, RECORD, joins);
  const conditions = [
    ...where,
    ...writer.narrowing(narrowing(plan), entity, RECORD, joins),
    ...searchSql(plan.search, entity, RECORD, writer, joins),
  ];
  const own = planWhere(query, entity, access);
  if (!isTrue(own)) conditions.push(writer.filter(own, entity, RECORD, joins));
  const records = `select ${items} from ${from}${joins.sql}${whereOf(conditions)} order by ${sorted}`;
  // Postgres breaks the line between the members of `json_agg`; inside a text a line break is written as \n.
  const json = records.includes('json_agg(') ? `translate(row_to_json(_o)::text, E'\\n', '')` : 'row_to_json(_o)::text';
  return `select ${json} from (${records}) _o`;
}
