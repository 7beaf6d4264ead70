/** Groups and aggregates, in one row: the JSON array, and the number of groups (at most one more than the limit). */
import { quote } from '../../db/identifiers.ts';
import type { Field } from '../../model/model.ts';
import type { Bucket } from '../query/query.ts';
import type { Binds } from './binds.ts';
import { isTrue } from '../../condition/simplify.ts';
import { conditionToSql } from '../../condition/to-sql.ts';
import type { PlannedPath } from './plan-path.ts';
import type { SummaryPlan } from './plan-summary.ts';
import { narrowing } from './plan.ts';
import { titleSql } from './sql-select.ts';
import type { Deleted, SqlWriter } from './sql-source.ts';
import { Joins } from './sql-source.ts';
import { searchSql } from './sql-search.ts';
import type { Template } from './template.ts';
import { RECORD, whereOf } from './template.ts';

/** @param first groups at most */
export function summaryTemplate(
  plan: SummaryPlan,
  first: number,
  deleted: Deleted,
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
  const column = (path: PlannedPath): string => joins.value(path.steps, path.field, RECORD);
  const groups = plan.groups.map((group, index) => {
    // Written twice, a title would not be recognised as the same: its subselects have names of their own.
    if (group.title !== null) {
      const alias = joins.reach(group.steps, RECORD);
      return { key: `${index + 1}`, output: `${titleSql(group.title, alias, writer)} as ${quote(group.name)}` };
    }
    const key = group.bucket === null ? column(group) : bucketSql(column(group), group.bucket, group.field, binds);
    const output = group.bucket === null ? group.field.type.select(key, group.field) : key;
    return { key, output: `${output} as ${quote(group.name)}` };
  });
  const aggregates = plan.aggregates.map((aggregate) => {
    const of = aggregate.of === null ? null : column(aggregate.of);
    const { key, output } = aggregateSql(aggregate.fn, of, aggregate.of?.field ?? null);
    if (of === null || aggregate.currency === null) return { key, output: `${output} as ${quote(aggregate.name)}` };
    const { one, which } = oneCurrency(column(aggregate.currency), of);
    const only = (sql: string): string => `case when ${one} then ${sql} end`;
    const outputs = [`${only(output)} as ${quote(aggregate.name)}`];
    if (aggregate.currencyName !== null) outputs.push(`${only(which)} as ${quote(aggregate.currencyName)}`);
    return { key: only(key), output: outputs.join(', ') };
  });
  const all = [...groups, ...aggregates];
  // Without an order: by the groups, so that the same question gets the same answer.
  const terms = plan.order.length > 0 ? plan.order : [];
  const named = new Set(terms.map((term) => term.index));
  const order = [
    ...terms.map((term) => `${all[term.index]?.key ?? '1'} ${term.descending ? 'desc' : 'asc'} nulls last`),
    ...groups.flatMap((group, index) => (named.has(index) ? [] : [`${group.key} asc nulls last`])),
  ];
  const by = groups.length === 0 ? '' : ` group by ${groups.map((group) => group.key).join(', ')}`;
  const having = havingSql(plan, aggregates, writer);
  const sorted = groups.length === 0 ? '' : ` order by ${order.join(', ')}`;
  return {
    branches: [
      {
        head: `with p as materialized (select ${all.map((each) => each.output).join(', ')} from ${from}${joins.sql}`,
        where: whereOf(conditions),
      },
    ],
    tail: `${by}${having}${sorted} limit ${first + 1}) select coalesce((select json_agg(_o) from (select * from p limit ${first}) _o)::text, '[]'), (select count(*) from p)::text`,
    sources: binds.sources,
    joins,
  };
}

function havingSql(plan: SummaryPlan, aggregates: readonly { readonly key: string }[], writer: SqlWriter): string {
  if (isTrue(plan.having)) return '';
  const condition = conditionToSql(plan.having, {
    alias: `${RECORD}.`,
    schema: quote(writer.schema),
    mode: 'query',
    bind: writer.binds.bind,
    user: writer.binds.user,
    field: ({ field }) => aggregates[plan.aggregates.findIndex(({ name }) => name === field)]?.key ?? 'null',
  });
  return ` having ${condition}`;
}

/** The first day of the bucket; a moment belongs to a day of the reader's time zone. Weeks begin on Monday (ISO 8601). */
function bucketSql(column: string, bucket: Bucket, field: Field, binds: Binds): string {
  const local =
    field.type.valueType === 'datetime'
      ? `(${column} at time zone ${binds.once({ kind: 'time_zone' }, 'text')})`
      : `${column}::timestamp`;
  return `date_trunc('${bucket}', ${local})::date`;
}

/** Whether the amounts are all of one currency, and which: what has no amount does not count. */
function oneCurrency(currency: string, amount: string): { readonly one: string; readonly which: string } {
  const of = `filter (where ${amount} is not null)`;
  return {
    one: `min(${currency}) ${of} is not distinct from max(${currency}) ${of}`,
    which: `min(${currency}) ${of}`,
  };
}

/** Averages of decimals have this many digits more than what they average. */
const EXTRA_DIGITS = 2;

/** @returns what to sort by, and what to answer: decimals as text */
function aggregateSql(fn: string, column: string | null, field: Field | null): { key: string; output: string } {
  if (column === null || field === null) return same('count(*)');
  switch (fn) {
    case 'count':
      return same(`count(${column})`);
    case 'countDistinct':
      return same(`count(distinct ${column})`);
    case 'sum': {
      const sum = `sum(${column})`;
      // Of whole numbers as well: their sum may be more than a JSON number carries.
      return { key: sum, output: `${sum}::text` };
    }
    case 'avg': {
      const scale = field.type.valueType === 'decimal' ? numericScale(field) : 0;
      const average = `avg(${column})`;
      return { key: average, output: `round(${average}, ${scale + EXTRA_DIGITS})::text` };
    }
    default: {
      const extreme = `${fn === 'min' ? 'min' : 'max'}(${column})`;
      return { key: extreme, output: field.type.select(extreme, field) };
    }
  }
}

const same = (sql: string): { key: string; output: string } => ({ key: sql, output: sql });

/** Digits after the point, from the column's type: `numeric(19,2)`. */
function numericScale(field: Field): number {
  const type = field.type.columns(field)[0]?.type ?? '';
  const { scale = 2 } = field.options;
  return Number(/,\s*(\d+)\)/.exec(type)?.[1] ?? scale);
}
