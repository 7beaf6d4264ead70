/** What has changed since: `{url}/$changes` for one entity, `/api/$changes` for several. */
import type { Express } from 'express';
import type { Entity } from '../model/model.ts';
import { nearest } from '../nearest.ts';
import { Problem } from '../problem.ts';
import type { ChangePage } from '../records/changes/feed.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import { originalUrl, searchOf, sendJson } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import type { RecordRequest } from './record-request.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

const PAGE = { usual: 100, most: 1000 } as const;

function invalid(parameter: string, message: string, code: 'invalid_parameter' | 'unknown_parameter'): Problem {
  return new Problem(code, message, [{ code, message, parameter }]);
}

/** @throws Problem `unknown_parameter` for what is not among `known` */
export function parametersOf(search: string, known: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!known.includes(name)) {
      const message = `There is no parameter “${name.slice(0, 60)}” here. There are: ${known.join(', ')}.`;
      throw invalid(name.slice(0, 60), message, 'unknown_parameter');
    }
    parameters.set(name, value);
  }
  return parameters;
}

/**
 * The entities that are asked for; all that may be read without any.
 * @throws Problem `invalid_parameter` in the same words for what is hidden and what does not exist
 */
export function askedEntities(scope: Scope, written: string | undefined): readonly Entity[] {
  const readable = [...scope.model.entities.values()].filter(({ name }) => scope.rights.of(name).read.length > 0);
  if (written === undefined) return readable;
  const names = [...new Set(written.split(',').map((name) => name.trim()))].slice(0, 200);
  return names.map((name) => {
    const entity = readable.find((one) => one.name === name);
    if (entity) return entity;
    const meant = nearest(
      name,
      readable.map((one) => one.name),
    );
    const hint = meant === undefined ? '' : ` Did you mean “${meant}”?`;
    throw invalid('entities', `“${name.slice(0, 80)}” is not an entity.${hint}`, 'invalid_parameter');
  });
}

function firstOf(written: string | undefined): number {
  if (written === undefined) return PAGE.usual;
  const first = /^\d{1,6}$/.test(written) ? Number(written) : 0;
  if (first >= 1 && first <= PAGE.most) return first;
  throw invalid('$first', `“$first” is a whole number from 1 to ${PAGE.most}.`, 'invalid_parameter');
}

function read(
  services: HttpServices,
  scope: Scope,
  entities: readonly Entity[],
  parameters: ReadonlyMap<string, string>,
): Promise<ChangePage> {
  const first = firstOf(parameters.get('$first'));
  return services.changes.read(scope, entities, parameters.get('since') ?? null, first);
}

/** `{url}/$changes?since=…&$first=…` */
export async function changesRoute({ exchange, services, scope, entity, search }: RecordRequest): Promise<void> {
  const parameters = parametersOf(search, ['since', '$first']);
  if (scope.rights.of(entity.name).read.length === 0)
    throw new Problem('forbidden', `You may not read “${entity.label}”.`);
  sendJson(exchange, 200, await read(services, scope, [entity], parameters));
}

/** `/api/$changes?entities=…&since=…&$first=…` */
export function mountChanges(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  mount(app, '/api/$changes', {
    GET: async (exchange) => {
      const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const parameters = parametersOf(searchOf(originalUrl(exchange.request)), ['entities', 'since', '$first']);
      const entities = askedEntities(scope, parameters.get('entities'));
      sendJson(exchange, 200, await read(services, scope, entities, parameters));
    },
  });
}
