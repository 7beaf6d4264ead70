/**
 * A page of records, in one row:
 *
 * | column | is                                                                     |
 * | ------ | ---------------------------------------------------------------------- |
 * | 1      | the JSON array                                                         |
 * | 2      | how many records were found, one more than the page holds if there are |
 * | 3      | sort keys of the page's outermost record nearest to the cursor, JSON   |
 * | 4      | sort keys of its farthest record, when the page is full                |
 *
 * ```sql
 * with p as materialized (select x."id", x."name", x."account" from "t_acme"."crm_opportunities" x
 *                         where x."deleted_at" is null and … order by x."name" asc, x."id" asc limit 51)
 * select coalesce((select json_agg(_o) from (select p."id" as "id", (…) as "account" from p limit 50) _o)::text, '[]'),
 *        (select count(*) from p)::text, …
 * ```
 *
 * Where records are also shared, the page is made of two such selects, each sorted and cut, put together and cut again.
 *
 * The page is cut out first: what records contain is then fetched for fifty of them and not for all.
 */
import { quote } from '../../db/identifiers.ts';
import type { Binds } from './binds.ts';
import type { ListPlan } from './plan.ts';
import { narrowing, RANK } from './plan.ts';
import { keyset } from './sql-keyset.ts';
import { direction, orderBy, orderKey, selectItems } from './sql-select.ts';
import { rankSql, searchSql } from './sql-search.ts';
import type { Deleted, SqlWriter } from './sql-source.ts';
import { Joins } from './sql-source.ts';
import type { Template } from './template.ts';
import { RECORD, whereOf } from './template.ts';

export interface PageOptions {
  readonly first: number;
  readonly offset: number;
  readonly deleted: Deleted;
  /** The records before a cursor, or the last ones. */
  readonly backwards: boolean;
  readonly cursor: { readonly before: boolean; readonly nulls: readonly boolean[] } | null;
}

export function listTemplate(plan: ListPlan, options: PageOptions, writer: SqlWriter, binds: Binds): Template {
  const { entity, order } = plan;
  const { first, offset, deleted, backwards, cursor } = options;
  const columns = new Set<string>();
  const items = selectItems(plan.select, 'p', writer, (column) => columns.add(column));

  const joins = new Joins(writer);
  const sources = plan.ranked ? [writer.source(entity, RECORD, deleted)] : writer.sources(entity, RECORD, deleted);
  const foreign: string[] = [];
  const keys = order.map((term, index) => {
    if (plan.ranked && term.field.key === RANK) {
      foreign.push(`${rankSql(plan.search ?? NOTHING, entity, RECORD, writer, joins)} as ${quote(RANK)}`);
      return `p.${quote(RANK)}`;
    }
    if (term.steps.length === 0 && term.field.derived === null) {
      columns.add(term.field.key);
      return `p.${quote(term.field.key)}`;
    }
    foreign.push(`${orderKey(term, RECORD, joins)} as "_k${index}"`);
    return `p."_k${index}"`;
  });
  const sorted = orderBy(order, plan.ranked ? 's' : RECORD, joins, backwards);
  const conditions = [
    ...writer.narrowing(narrowing(plan), entity, RECORD, joins),
    ...searchSql(plan.search, entity, RECORD, writer, joins, !plan.ranked),
  ];
  if (cursor !== null && !plan.ranked)
    conditions.push(keyset(order, cursor.nulls, cursor.before, RECORD, joins, binds));

  const page = [...[...columns].map((column) => `${RECORD}.${quote(column)}`), ...foreign].join(', ');
  const edge = `json_build_array(${keys.map((key) => `${key}::text`).join(', ')})::text`;
  // Only a page that was reached from somewhere leads back.
  const near = cursor === null && offset === 0 ? 'null::text' : `(select ${edge} from p limit 1)`;
  // The last records after a cursor are preceded by those up to it, also on a page that is not full.
  const far =
    backwards && cursor?.before === false ? `(select greatest(least(count(*), ${first}) - 1, 0) from p)` : first - 1;
  const data = backwards
    ? reversed(items, first)
    : `(select json_agg(_o) from (select ${items} from p limit ${first}) _o)`;
  // What is found is ranked before the page is cut out of it, and therefore not without end.
  const beyond =
    cursor === null || !plan.ranked ? '' : ` where ${keyset(order, cursor.nulls, cursor.before, 's', joins, binds)}`;
  const ranked = plan.ranked ? ` limit ${RANKED}), p as materialized (select s.* from s${beyond}` : '';
  const parts = sources.map(({ from, where }) => ({
    head: `select ${page} from ${from}${joins.sql}`,
    where: whereOf([...where, ...conditions]),
  }));
  const united = parts.length > 1;
  const cut = ` limit ${first + 1}${offset === 0 ? '' : ` offset ${offset}`}`;
  // Each part gives as many records as the page could take from it.
  const most = ` order by ${sorted} limit ${first + 1 + offset}`;
  const merged = keys.map((key, index) => `${key} ${direction(order[index]?.descending === backwards)}`).join(', ');
  const opening = `with ${plan.ranked ? 's' : 'p'} as materialized (${united ? 'select p.* from ((' : ''}`;
  return {
    branches: parts.map(({ head, where }, index) => ({
      head: `${index === 0 ? opening : `${most}) union all (`}${head}`,
      where,
    })),
    tail: `${united ? `${most})) p order by ${merged}` : `${ranked} order by ${sorted}`}${cut}) select coalesce(${data}::text, '[]'), (select count(*) from p)::text, ${near}, (select ${edge} from p offset ${far} limit 1)`,
    sources: binds.sources,
    joins,
  };
}

/** Hits that are ranked: of more, any so many. With an order of its own a list has them all. */
const RANKED = 2000;

const NOTHING = { fields: [], words: 0 };

/** A page before a cursor is found from its end to its beginning. */
function reversed(items: string, first: number): string {
  return `(select json_agg(_r.o order by _r.n desc) from (select row_to_json((select _o from (select ${items}) _o)) as o, row_number() over () as n from (select * from p limit ${first}) p) _r)`;
}

/** Counting stops here for `capped`, and with it the time it takes. */
export const COUNT_CAP = 10_000;

export function countTemplate(
  plan: ListPlan,
  deleted: Deleted,
  capped: boolean,
  writer: SqlWriter,
  binds: Binds,
): Template {
  const joins = new Joins(writer);
  const { from, where } = writer.source(plan.entity, RECORD, deleted);
  const conditions = [
    ...where,
    ...writer.narrowing(narrowing(plan), plan.entity, RECORD, joins),
    ...searchSql(plan.search, plan.entity, RECORD, writer, joins),
  ];
  return {
    branches: [
      {
        head: capped
          ? `select count(*)::text from (select from ${from}${joins.sql}`
          : `select count(*)::text from ${from}${joins.sql}`,
        where: whereOf(conditions),
      },
    ],
    tail: capped ? ` limit ${COUNT_CAP + 1}) c` : '',
    sources: binds.sources,
    joins,
  };
}
