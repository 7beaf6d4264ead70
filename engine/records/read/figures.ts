/** Metrics as queries: what whoever asks would be answered, or that for them there is no such metric. */
import type { Entity } from '../../model/model.ts';
import type { Metric } from '../../model/parts.ts';
import { Problem } from '../../problem.ts';
import { parseJsonQuery } from '../query/json.ts';
import type { Query } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import { planQuery, planWhere } from './plan.ts';
import type { SummaryPlan } from './plan-summary.ts';
import { accessOf } from './shapes.ts';

export interface PlannedMetric {
  readonly entity: Entity;
  readonly query: Query;
  readonly plan: SummaryPlan;
}

/** `null` where its flag is off, or where it looks at anything, in its filter as well, that the principal may not read. */
export function planMetric(scope: Scope, metric: Metric): PlannedMetric | null {
  const entity = scope.model.entities.get(metric.entity);
  if (!entity || (metric.flag !== null && scope.rights.off.has(metric.flag))) return null;
  const query = parseJsonQuery({
    aggregate: [`value:${metric.aggregate}`],
    ...(metric.filter !== null && { where: metric.filter }),
    ...(metric.group.length > 0 && { group: metric.group }),
  });
  const access = accessOf(scope);
  try {
    const plan = planQuery(query, entity, access, scope);
    planWhere(query, entity, access);
    return plan.kind === 'summary' ? { entity, query, plan } : null;
  } catch (error) {
    // The document is valid: what is refused is a field, or the entity, that the principal may not read.
    if (error instanceof Problem && error.status < 500) return null;
    throw error;
  }
}
