/** `GET /api/metrics`, `GET /api/metrics/{key}`: declared figures, over the records that the caller may read. */
import type { Express } from 'express';
import type { Metric } from '../model/parts.ts';
import { textKey, translator } from '../model/texts.ts';
import { notFound, Problem } from '../problem.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { sendJson } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

export function mountMetrics(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const scopeOf = async (exchange: Exchange): Promise<Scope> =>
    scopes.of(await authenticate(exchange, services.identity, publicOrigin));
  mount(app, '/api/metrics', {
    GET: async (exchange) => {
      const scope = await scopeOf(exchange);
      const seen = [...scope.model.metrics.values()].filter((metric) => isSeen(scope, metric));
      sendJson(exchange, 200, { data: seen.map((metric) => described(scope, metric)) });
    },
  });
  mount(app, '/api/metrics/:name', {
    GET: async (exchange, { name = '' }) => {
      const scope = await scopeOf(exchange);
      const metric = scope.model.metrics.get(name);
      if (!metric || !isSeen(scope, metric)) throw notFound();
      const figures = await computed(services, scope, metric);
      sendJson(exchange, 200, { data: { ...described(scope, metric), figures } });
    },
  });
}

/** Who may not read what it is computed of knows nothing of it. */
function isSeen(scope: Scope, { entity, fields }: Metric): boolean {
  const { read, readableFields } = scope.rights.of(entity);
  return read.length > 0 && fields.every((key) => readableFields.has(key));
}

function described(scope: Scope, { name, label, entity, group, format }: Metric) {
  const translate = translator(scope.model, scope.principal.locale);
  return { metric: name, label: translate(textKey.metric(name), label), entity, group, format };
}

async function computed({ reader }: HttpServices, scope: Scope, metric: Metric): Promise<unknown> {
  const entity = scope.model.entities.get(metric.entity);
  if (!entity) throw notFound();
  const query = parseJsonQuery({
    aggregate: [`value:${metric.aggregate}`],
    ...(metric.filter !== null && { where: metric.filter }),
    ...(metric.group.length > 0 && { group: metric.group }),
  });
  try {
    const answer: unknown = JSON.parse((await reader.list(scope, entity, query)).body);
    return typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : [];
  } catch (error) {
    // The documents are valid, so what is refused is a field of the filter that the caller may not read.
    if (error instanceof Problem && error.status === 400) throw notFound();
    throw error;
  }
}
