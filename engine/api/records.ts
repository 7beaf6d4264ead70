/**
 * The dispatcher of the record routes, `/api/{pack}/v1/{plural}…`: finds who asks and the entity, and hands the request
 * to the table in record-routes.ts. They are the hot path: plain `node:http`, no middleware, bodies pass through as text.
 */
import { notFound } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { logExchange, searchOf } from './exchange.ts';
import { onCurrentRelease } from './overtaken.ts';
import type { HttpServices } from './ports.ts';
import { sendProblem } from './problem-response.ts';
import { routeRecord } from './record-routes.ts';
import type { Scopes } from './scopes.ts';
import { knowsEntity } from './scopes.ts';

const PREFIX = '/api/';
const VERSION = 'v1/';

/** Whether it is `/api/{pack}/v1/…`. */
export function isRecordPath(url: string): boolean {
  if (!url.startsWith(PREFIX)) return false;
  const slash = url.indexOf('/', PREFIX.length);
  return slash > 0 && url.startsWith(VERSION, slash + 1);
}

/** `/api/crm/v1/opportunities/x/history?…` → address `/api/crm/v1/opportunities`, rest `['x', 'history']`. */
function split(url: string): { readonly address: string; readonly rest: readonly string[] } {
  const query = url.indexOf('?');
  const end = query < 0 ? url.length : query;
  let to = url.indexOf('/', url.indexOf('/', PREFIX.length) + 1 + VERSION.length);
  if (to < 0 || to > end) to = end;
  const rest = url.slice(to + 1, end);
  return {
    address: url.slice(0, to),
    rest: to === end ? [] : rest.includes('/') ? rest.split('/') : [rest],
  };
}

/**
 * Answers a request to a record address: the entity is found, then the handler. Parts of a batch come here as well.
 * @throws Problem `not_found`, and whatever the handlers refuse
 */
export function answerRecord(exchange: Exchange, services: HttpServices, scope: Scope): Promise<void> | void {
  const url = exchange.request.url ?? '/';
  const { address, rest } = split(url);
  const entity = scope.model.entitiesByAddress.get(address);
  if (!entity || !knowsEntity(scope.rights, entity)) throw notFound();
  const method = exchange.request.method ?? 'GET';
  return routeRecord({ exchange, services, scope, entity, method, url, search: searchOf(url) }, rest);
}

/** What stands after the entity in a record address. */
export function restOf(url: string): readonly string[] {
  return split(url).rest;
}

/** The one dispatcher of the record routes. It answers every request it is given, and logs it; it never throws. */
export function recordDispatcher(
  services: HttpServices,
  scopes: Scopes,
  publicOrigin: string,
): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response } = exchange;
    try {
      await onCurrentRelease(
        services.models,
        () => {
          const principal = authenticate(exchange, services.identity, publicOrigin);
          return principal instanceof Promise ? principal.then((found) => scopes.of(found)) : scopes.of(principal);
        },
        (scope) => answerRecord(exchange, services, scope),
        // A file that is being imported has gone by.
        () => !response.headersSent && !/^(imports|(\$|%24)files)$/.test(restOf(request.url ?? '/')[0] ?? ''),
      );
    } catch (error) {
      sendProblem(exchange, error);
    } finally {
      logExchange(exchange);
    }
  };
}
