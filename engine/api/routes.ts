/** Routes that are not records: Express finds the path, the handler gets an {@link Exchange}, as the record routes do. */
import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';
import type { Exchange } from './exchange.ts';
import { notAllowed, sendProblem } from './problem-response.ts';

export type Params = Readonly<Record<string, string>>;
export type Handler = (exchange: Exchange, params: Params) => Promise<void> | void;
export type Handlers = Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handler>>>;

const exchanges = new WeakMap<IncomingMessage, Exchange>();

/** Remembers the exchange of a request that goes through Express. */
export function attach(exchange: Exchange): void {
  exchanges.set(exchange.request, exchange);
}

/** @throws TypeError for a request that did not come through `createHttp` */
export function exchangeOf(request: IncomingMessage): Exchange {
  const exchange = exchanges.get(request);
  if (!exchange) throw new TypeError('the request has no exchange');
  return exchange;
}

function paramsOf(given: Readonly<Record<string, string | string[]>>): Params {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, Array.isArray(value) ? value.join('/') : value]),
  );
}

export interface MountedRoute {
  /** As in an OpenAPI document, `/problems/{code}`. */
  readonly path: string;
  readonly methods: readonly string[];
}

const mounted = new WeakMap<Express, MountedRoute[]>();

/** What has been mounted, in that order. */
export function mountedRoutes(app: Express): readonly MountedRoute[] {
  return mounted.get(app) ?? [];
}

/** Mounts the handlers of one path: HEAD is answered as GET, OPTIONS and other methods with what there is. */
export function mount(app: Express, path: string, handlers: Handlers): void {
  const methods = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const described = { path: path.replaceAll(/:(\w+)/g, '{$1}'), methods: Object.keys(handlers) };
  mounted.set(app, [...mountedRoutes(app), described]);
  const find = (method: string): Handler | undefined => {
    switch (method) {
      case 'GET':
      case 'HEAD':
        return handlers.GET;
      case 'POST':
      case 'PUT':
      case 'PATCH':
      case 'DELETE':
        return handlers[method];
      default:
        return undefined;
    }
  };
  const answer = async (exchange: Exchange, method: string, params: Params): Promise<void> => {
    try {
      const handler = find(method);
      if (!handler) throw notAllowed(methods.join(', '));
      await handler(exchange, params);
    } catch (error) {
      sendProblem(exchange, error);
    }
  };
  app.all(path, (request) => {
    void answer(exchangeOf(request), request.method, paramsOf(request.params));
  });
}
