/** Metrics: an aggregate over fields that exist and can be aggregated, of records a condition tells. */
import type { MetricDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import type { EffectiveDocument } from '../layers.ts';
import type { Metric } from '../parts.ts';
import { conditionAt } from './conditions.ts';
import { type Draft, type DraftEntity, entityNamed, fieldNamed, flagNamed } from './draft.ts';

export function buildMetrics(draft: Draft): ReadonlyMap<string, Metric> {
  const metrics = new Map<string, Metric>();
  for (const effective of draft.effective.of('metric')) {
    const metric = buildMetric(draft, effective);
    if (metric) metrics.set(metric.name, metric);
  }
  return metrics;
}

function buildMetric(draft: Draft, { document, pack, place }: EffectiveDocument<MetricDocument>): Metric | null {
  const entity = entityNamed(draft, document.entity, pack, place('entity'));
  if (!entity) return null;
  const of = checkAggregate(draft, entity, document.aggregate, place('aggregate'));
  const grouped = (document.group ?? []).map((term, index) => checkGroup(draft, entity, term, place('group', index)));
  const money = /^(sum|avg|min|max)\(/.test(document.aggregate) && entity.fields.get(of ?? '')?.currencyField != null;
  if (money && grouped.length > MONEY_GROUPS) {
    const message = `Amounts are told by their currency, so that at most ${MONEY_GROUPS} groups are left.`;
    draft.faults.add(place('group'), 'invalid', message, { found: grouped.length });
  }
  for (const [index, name] of grouped.entries()) {
    if (!money || !(name === 'currency' || name === 'by_currency')) continue;
    const message = `A figure in money has “${name}” already: it cannot be grouped by a field of this name.`;
    draft.faults.add(place('group', index), 'invalid', message, { found: name });
  }
  // The condition itself is resolved again when it is computed, with the rights of whoever asks.
  conditionAt(draft, document.filter, entity, place('filter'), { derived: true });
  return {
    name: `${pack}.${document.key}`,
    label: document.label,
    entity: entity.name,
    aggregate: document.aggregate,
    filter: document.filter ?? null,
    group: document.group ?? [],
    fields: [...(of === null ? [] : [of]), ...grouped],
    format: document.format ?? 'number',
    flag: flagNamed(draft, document.flag, pack, place('flag')),
  };
}

/** The read grammar has four. */
const MONEY_GROUPS = 3;

function checkAggregate(draft: Draft, entity: DraftEntity, text: string, place: Place): string | null {
  const [fn = '', key = ''] = text.slice(0, -1).split('(');
  if (key === '') return null;
  const field = fieldNamed(draft, entity, key, place);
  if (field && fn !== 'count' && fn !== 'countDistinct' && !field.type.aggregates.some((offered) => offered === fn))
    draft.faults.add(place, 'invalid', `“${fn}” is not possible for “${key}” (${field.type.key}).`, {
      found: fn,
      expected: ['count', 'countDistinct', ...field.type.aggregates],
    });
  return key;
}

function checkGroup(draft: Draft, entity: DraftEntity, term: string, place: Place): string {
  const [first = '', inner] = term.split('(');
  const key = inner === undefined ? first : inner.slice(0, -1);
  const field = fieldNamed(draft, entity, key, place);
  if (!field) return key;
  const dated = field.type.valueType === 'date' || field.type.valueType === 'datetime';
  if (inner === undefined ? !field.type.groupable : !dated)
    draft.faults.add(place, 'invalid', `“${term}” cannot be grouped by (${field.type.key}).`, { found: term });
  return key;
}
