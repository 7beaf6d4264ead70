/** Metrics as queries: what whoever asks would be answered, or that for them there is no such metric. */
import type { Entity } from '../../model/model.ts';
import type { Metric } from '../../model/parts.ts';
import { Problem } from '../../problem.ts';
import { parseJsonQuery } from '../query/json.ts';
import { LIMITS, type Query } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import { planQuery, planWhere } from './plan.ts';
import type { SummaryPlan } from './plan-summary.ts';
import { accessOf } from './shapes.ts';

export interface PlannedMetric {
  readonly entity: Entity;
  /** Whether its figures are amounts: then its query has the currency for a last group, named {@link CURRENCY}. */
  readonly money: boolean;
  readonly query: Query;
  readonly plan: SummaryPlan;
}

/** `null` where its flag is off, or where it looks at anything, in its filter as well, that the principal may not read. */
export function planMetric(scope: Scope, metric: Metric): PlannedMetric | null {
  const entity = scope.model.entities.get(metric.entity);
  if (!entity || (metric.flag !== null && scope.rights.off.has(metric.flag))) return null;
  const currency = currencyOfMetric(metric, entity);
  const group = currency === null ? metric.group : [...metric.group, `${CURRENCY}:${currency}`];
  const query = parseJsonQuery({
    aggregate: [`value:${metric.aggregate}`],
    ...(metric.filter !== null && { where: metric.filter }),
    ...(group.length > 0 && { group }),
    ...(group.length > 0 && { first: LIMITS.groups }),
  });
  const access = accessOf(scope);
  try {
    const plan = planQuery(query, entity, access, scope);
    planWhere(query, entity, access);
    return plan.kind === 'summary' ? { entity, query, plan, money: currency !== null } : null;
  } catch (error) {
    // The document is valid: what is refused is a field, or the entity, that the principal may not read.
    if (error instanceof Problem && error.status < 500) return null;
    throw error;
  }
}

export const CURRENCY = 'currency';

/** Key of the currency beside the amounts that a metric computes with; `null` when its figures are no amounts. */
export function currencyOfMetric(
  { aggregate }: Pick<Metric, 'aggregate'>,
  { fields }: { readonly fields: ReadonlyMap<string, { readonly currencyField: string | null }> },
): string | null {
  const [fn = '', key = ''] = aggregate.slice(0, -1).split('(');
  return fn === 'count' || fn === 'countDistinct' ? null : (fields.get(key)?.currencyField ?? null);
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * One figure for each group, from one row for each group and currency. Amounts of several currencies are not added up:
 * `value` and `currency` are `null` then, and `by_currency` has an amount for each.
 * @param rows each with the groups, `value` and `currency`, equal groups together
 * @returns `[{…groups, "value", "currency", "by_currency": [{"currency", "value"}]}]`; of no record at all one without an
 *   amount where there are no groups
 */
export function figuresOfMoney(rows: readonly Row[], groups: readonly string[]): readonly Row[] {
  const figures = Map.groupBy(rows, (row) => JSON.stringify(groups.map((name) => row[name])));
  const all = figures.size === 0 && groups.length === 0 ? [[]] : [...figures.values()];
  return all.map((parts: readonly Row[]) => {
    const amounts = parts.flatMap(({ currency, value }) => (value === null ? [] : [{ currency, value }]));
    const [only] = amounts.length === 1 ? amounts : [];
    return {
      ...Object.fromEntries(groups.map((name) => [name, parts[0]?.[name] ?? null])),
      value: only?.value ?? null,
      currency: only?.currency ?? null,
      by_currency: amounts,
    };
  });
}
