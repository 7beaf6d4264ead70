/** The aggregate behind a rollup: the same whether a trigger keeps it or a query computes it. */
import type { Field } from '../model/model.ts';
import type { Rollup } from '../model/relations.ts';

/** Digits of a decimal result (`numeric(38, scale)`); one with more is NULL, because an error would refuse a write for a reason nobody can see. */
const DIGITS = 38;
const SAFE = '9007199254740991';

/**
 * @param column SQL of a field of the records
 * @param filter which of the records count; `null` for all
 * @returns an aggregate; of no records 0 for `count` and `sum`, else NULL. Amounts of several currencies give NULL.
 */
export function aggregateSql(
  field: Field,
  rollup: Rollup,
  column: (key: string) => string,
  filter: string | null,
): string {
  const { fn, field: key, currency } = rollup;
  const only = (conditions: readonly (string | null)[]): string => {
    const all = conditions.filter((one) => one !== null);
    return all.length === 0 ? '' : ` filter (where ${all.join(' and ')})`;
  };
  const counted = only([filter]);
  if (fn === 'count' || key === null) return `count(*)${counted}`;
  const value = column(key);
  if (fn === 'currency') {
    if (currency === null) return `min(null::text)`;
    const of = only([`${value} is not null`, filter]);
    return `case when ${sameCurrency(column(currency), of)} then min(${column(currency)})${of} end`;
  }
  const result = fitted(field, fn === 'sum' ? `coalesce(sum(${value})${counted}, 0)` : `${fn}(${value})${counted}`);
  if (currency === null) return result;
  return `case when ${sameCurrency(column(currency), only([`${value} is not null`, filter]))} then ${result} end`;
}

const sameCurrency = (column: string, of: string): string =>
  `min(${column})${of} is not distinct from max(${column})${of}`;

/** Within what the column and JSON hold. */
function fitted({ type, options }: Field, sql: string): string {
  if (type.valueType === 'integer') return `(case when abs(${sql}) <= ${SAFE} then ${sql} end)::bigint`;
  if (type.valueType !== 'decimal') return sql;
  const scale = typeof options['scale'] === 'number' ? options['scale'] : 2;
  return `(case when abs(${sql}) < 1e${DIGITS - scale} then round(${sql}, ${scale}) end)::numeric(${DIGITS},${scale})`;
}
