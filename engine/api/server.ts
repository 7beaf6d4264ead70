/** The HTTP surface of the engine, whole: which address is answered by which file. */
import type { RequestListener } from 'node:http';
import express from 'express';
import { notFound } from '../problem.ts';
import { mountChanges } from './changes.ts';
import { mountEvents } from './events.ts';
import type { Exchange } from './exchange.ts';
import { logExchange, openExchange, sendJson, sendText } from './exchange.ts';
import { BATCH_PATH, batchDispatcher, isBatchPath } from './batch.ts';
import { mountHealth } from './health.ts';
import { mountMetadata } from './metadata.ts';
import { mountSteps } from './steps.ts';
import { mountOpenApi } from './openapi.ts';
import { mountPages } from './pages.ts';
import type { HttpServices } from './ports.ts';
import { describeProblem, sendProblem } from './problem-response.ts';
import { isRecordPath, recordDispatcher } from './records.ts';
import { RECORD_ROUTES } from './record-routes.ts';
import type { MountedRoute } from './routes.ts';
import { attach, exchangeOf, mount, mountedRoutes } from './routes.ts';
import { Scopes } from './scopes.ts';
import { mountMetrics } from './metrics.ts';
import { mountSettings } from './settings.ts';
import { mountSession } from './session.ts';
import { mountUiModel } from './ui-model-build.ts';

export interface HttpOptions {
  /** Folder of the built screens; `dist/ui` by default. */
  readonly uiRoot?: string;
  /** Proxies in front whose `X-Forwarded-For` is believed (default 0). */
  readonly trustedProxies?: number;
  /** Whether the process is shutting down; `/readyz` says so. */
  readonly draining?: () => boolean;
  /** Whether the compiler adds the permissions' conditions (default true); tests of the row policies say false. */
  readonly predicates?: boolean;
}

/** Headers of every answer. JSON that a browser shows by itself must neither run nor be framed nor be read across sites; pages add theirs. */
function apiHeaders(publicUrl: string): readonly string[] {
  return [
    'Content-Security-Policy',
    "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options',
    'nosniff',
    'Cross-Origin-Resource-Policy',
    'same-origin',
    ...(publicUrl.startsWith('https:') ? ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'] : []),
  ];
}

function problemPage(code: string, exchange: Exchange): void {
  const problem = describeProblem(code);
  if (!problem) throw notFound();
  if (!exchange.request.headers.accept?.includes('text/html')) return sendJson(exchange, 200, problem);
  const again = problem.retryable ? 'Trying the same request again may succeed.' : 'The same request will fail again.';
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${problem.code}</title><h1>${problem.title}</h1><p>Code <code>${problem.code}</code>, HTTP status ${problem.status}. ${again}</p></html>`;
  sendText(exchange, 200, html, { type: 'text/html; charset=utf-8' });
}

const tables = new WeakMap<RequestListener, readonly MountedRoute[]>();

/** Every route that a listener of {@link createHttp} answers; the pages are none. HEAD goes with GET. */
export function routesOf(listener: RequestListener): readonly MountedRoute[] {
  return tables.get(listener) ?? [];
}

/**
 * The application, a request listener. Apply `guardServer` (limits.ts) to the server that listens with it.
 *
 * `/api/{pack}/v1/…` records.ts · `/api/$batch` batch.ts · `/api/session` session.ts · `/api/ui/model` ui-model-build.ts · `/api/openapi.json`
 * openapi.ts · `/api/metadata/…` metadata.ts · `/api/$changes` changes.ts · `/api/$events` events.ts · `/livez`, `/readyz` health.ts · `/problems/{code}` here
 */
export function createHttp(services: HttpServices, options: HttpOptions = {}): RequestListener {
  const { log, publicUrl } = services;
  const publicOrigin = new URL(publicUrl).origin;
  const headers = apiHeaders(publicUrl);
  const scopes = new Scopes(services.models, options.predicates, services.clock);
  const records = recordDispatcher(services, scopes, publicOrigin);
  const batches = batchDispatcher(services, scopes, publicOrigin);
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', false)
    .enable('strict routing')
    .enable('case sensitive routing');

  app.use((request, response, next) => {
    const exchange = openExchange(request, response, log, headers);
    attach(exchange);
    response.once('close', () => logExchange(exchange));
    next();
  });

  mountHealth(app, services.database, options.draining ?? (() => false));
  mountSession(app, services, { publicOrigin, trustedProxies: options.trustedProxies ?? 0 });
  mountUiModel(app, services, scopes, publicOrigin);
  mountOpenApi(app, services, scopes, publicOrigin);
  mountMetadata(app, services, scopes, publicOrigin);
  mountSteps(app, services, scopes, publicOrigin);
  mountChanges(app, services, scopes, publicOrigin);
  mountEvents(app, services, scopes, publicOrigin);
  mountSettings(app, services, scopes, publicOrigin);
  mountMetrics(app, services, scopes, publicOrigin);
  mount(app, '/problems/:code', { GET: (exchange, { code = '' }) => problemPage(code, exchange) });
  mountPages(app, options.uiRoot);

  app.use((error: unknown, request: express.Request, _response: express.Response, _next: express.NextFunction) => {
    // A path that is not valid percent-encoding is an address where nothing is.
    sendProblem(exchangeOf(request), error instanceof URIError ? notFound() : error);
  });
  const listener: RequestListener = (request, response) => {
    // Record routes go past Express, which costs about as much per request as all of ours together.
    const url = request.url ?? '';
    const dispatch = isRecordPath(url) ? records : isBatchPath(url) ? batches : null;
    if (!dispatch) return void app(request, response);
    void dispatch(openExchange(request, response, log, headers));
  };
  tables.set(listener, [
    ...RECORD_ROUTES.map(({ path, methods }) => ({
      path: `/api/{pack}/v1/{plural}${path === '' ? '' : `/${path}`}`,
      methods: Object.keys(methods),
    })),
    { path: BATCH_PATH, methods: ['POST'] },
    ...mountedRoutes(app),
  ]);
  return listener;
}
