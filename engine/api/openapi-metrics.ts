/** Metrics in the OpenAPI document: those that the caller may ask for, each with what it answers. */
import type { JsonSchema } from '../model/field-type.ts';
import type { Metric } from '../model/parts.ts';
import { textKey, translator } from '../model/texts.ts';
import type { Scope } from '../records/scope.ts';
import { planMetric, type PlannedMetric } from '../records/read/figures.ts';
import type { PlannedAggregate, PlannedGroup } from '../records/read/plan-summary.ts';
import { problems } from './openapi-common.ts';
import { answer, inPath, listOf, type Part, type Paths, text } from './openapi-parts.ts';
import { schemaRef } from './openapi-schemas.ts';

const FORMATS = ['number', 'money', 'percent'];

function seen(scope: Scope): readonly (readonly [Metric, PlannedMetric])[] {
  return [...scope.model.metrics.values()].flatMap((metric) => {
    const planned = planMetric(scope, metric);
    return planned ? [[metric, planned] as const] : [];
  });
}

const schemaName = ({ name }: Metric): string => `Metric_${name.replaceAll('.', '_')}`;

/** @param tag under which they stand */
export function metricPaths(scope: Scope, tag: string): Paths {
  const metrics = seen(scope).map(([metric]) => metric);
  const names = metrics.map(({ name }) => name);
  const figures =
    metrics.length === 0 ? schemaRef('Metric') : { oneOf: metrics.map((one) => schemaRef(schemaName(one))) };
  return {
    '/api/metrics': {
      get: {
        operationId: 'metrics',
        tags: [tag],
        summary: 'Metrics that the caller may ask for',
        responses: {
          '200': answer('With their names and labels.', listOf(schemaRef('Metric'))),
          ...problems(401, 500, 503),
        },
      },
    },
    '/api/metrics/{metric}': {
      get: {
        operationId: 'metric',
        tags: [tag],
        summary: 'A metric, computed under the caller’s rights',
        parameters: [
          inPath(
            'metric',
            'Its qualified name.',
            names.length === 0 ? text : { enum: names },
            names[0] ?? 'sales.open_orders',
          ),
        ],
        responses: { '200': answer('Its figures.', figures), ...problems(401, 404, 500, 503) },
      },
    },
  };
}

export function metricSchemas(scope: Scope): Readonly<Record<string, Part>> {
  const translate = translator(scope.model, scope.principal.locale);
  const schemas: Record<string, Part> = {
    Metric: described(
      { metric: text, entity: text, group: { type: 'array', items: text }, format: { enum: FORMATS } },
      {},
    ),
  };
  for (const [metric, { plan, money }] of seen(scope)) {
    const groups = money ? plan.groups.slice(0, -1) : plan.groups;
    const item: JsonSchema = {
      type: 'object',
      required: [...groups, ...plan.aggregates].map(({ name }) => name).concat(money ? Object.keys(MONEY) : []),
      properties: {
        ...Object.fromEntries([
          ...groups.map((group) => [group.name, groupSchema(group)]),
          ...plan.aggregates.map((aggregate) => [aggregate.name, valueSchema(aggregate)]),
        ]),
        ...(money && MONEY),
      },
    };
    const figures: JsonSchema = {
      type: 'array',
      description: metric.group.length === 0 ? 'One figure.' : 'One figure for each group.',
      items: item,
      ...(metric.group.length === 0 && { minItems: 1, maxItems: 1 }),
    };
    schemas[schemaName(metric)] = described(
      {
        metric: { const: metric.name },
        entity: { const: metric.entity },
        group: { const: metric.group },
        format: { const: metric.format },
      },
      { figures },
      translate(textKey.metric(metric.name), metric.label),
    );
  }
  return schemas;
}

function described(
  own: Readonly<Record<string, JsonSchema>>,
  more: Readonly<Record<string, JsonSchema>>,
  title?: string,
): Part {
  const properties = { ...own, label: text, ...more };
  return { type: 'object', ...(title !== undefined && { title }), required: Object.keys(properties), properties };
}

const CODE: JsonSchema = { type: 'string', pattern: '^[A-Z]{3}$' };
const AMOUNT: JsonSchema = { type: 'string', pattern: String.raw`^-?\d+(\.\d+)?$` };

/** Beside the value of a figure that is an amount. */
const MONEY: Readonly<Record<string, JsonSchema>> = {
  currency: { anyOf: [CODE, { type: 'null' }], description: 'Of the value; null, as the value, for several or none.' },
  by_currency: {
    type: 'array',
    description: 'The amount in each currency. Nothing is converted.',
    items: { type: 'object', required: ['currency', 'value'], properties: { currency: CODE, value: AMOUNT } },
  },
};

function groupSchema({ field, bucket, title }: PlannedGroup): JsonSchema {
  if (title !== null) return nullable(text);
  return nullable(bucket === null ? field.type.outputSchema(field) : { type: 'string', format: 'date' });
}

/** Sums and averages are text, so that nothing is rounded; of no record there are none. */
function valueSchema({ fn, of }: PlannedAggregate): JsonSchema {
  if (of === null || fn === 'count' || fn === 'countDistinct') return { type: 'integer', minimum: 0 };
  if (fn === 'sum' || fn === 'avg') return nullable(AMOUNT);
  return nullable(of.field.type.outputSchema(of.field));
}

const nullable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });
