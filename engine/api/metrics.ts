/** `GET /api/metrics`, `GET /api/metrics/{key}`: declared figures, over the records that the caller may read. */
import type { Express } from 'express';
import type { Metric } from '../model/parts.ts';
import { textKey, translator } from '../model/texts.ts';
import { notFound } from '../problem.ts';
import { CURRENCY, figuresOfMoney, planMetric, type PlannedMetric } from '../records/read/figures.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { sendJson } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null;

export function mountMetrics(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const scopeOf = async (exchange: Exchange): Promise<Scope> =>
    scopes.of(await authenticate(exchange, services.identity, publicOrigin));
  mount(app, '/api/metrics', {
    GET: async (exchange) => {
      const scope = await scopeOf(exchange);
      const seen = [...scope.model.metrics.values()].filter((metric) => planMetric(scope, metric) !== null);
      sendJson(exchange, 200, { data: seen.map((metric) => described(scope, metric)) });
    },
  });
  mount(app, '/api/metrics/:name', {
    GET: async (exchange, { name = '' }) => {
      const scope = await scopeOf(exchange);
      const metric = scope.model.metrics.get(name);
      const planned = metric && planMetric(scope, metric);
      if (!metric || !planned) throw notFound();
      const { body } = await services.reader.list(scope, planned.entity, planned.query);
      const answer: unknown = JSON.parse(body);
      const rows = isObject(answer) && Array.isArray(answer['data']) ? answer['data'].filter(isObject) : [];
      const figures = planned.money ? figuresOfMoney(rows, namesOf(planned)) : rows;
      sendJson(exchange, 200, { data: { ...described(scope, metric), figures } });
    },
  });
}

/** Of the groups of its document. */
const namesOf = ({ plan }: PlannedMetric): readonly string[] =>
  plan.groups.map(({ name }) => name).filter((name) => name !== CURRENCY);

function described(scope: Scope, { name, label, entity, group, format }: Metric) {
  const translate = translator(scope.model, scope.principal.locale);
  return { metric: name, label: translate(textKey.metric(name), label), entity, group, format };
}
