/** Flags and settings over HTTP: `/api/flags`, `/api/settings`, and for administrators `/api/metadata/flags`. */
import type { Express } from 'express';
import { invalidAt } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { Flags } from '../settings/flags.ts';
import { Settings } from '../settings/settings.ts';
import { authenticate } from './authenticate.ts';
import { objectOf, readJson, RECORD_LIMIT } from './body.ts';
import type { Exchange } from './exchange.ts';
import { sendEmpty, sendJson } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

export function mountSettings(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const flags = new Flags(services);
  const settings = new Settings(services);
  const scopeOf = async (exchange: Exchange): Promise<Scope> =>
    scopes.of(await authenticate(exchange, services.identity, publicOrigin));

  mount(app, '/api/flags', {
    GET: async (exchange) => {
      const scope = await scopeOf(exchange);
      const on = await flags.on(scope);
      const names = [...scope.model.flags.keys()];
      sendJson(exchange, 200, { data: Object.fromEntries(names.map((name) => [name, on.has(name)])) });
    },
  });
  mount(app, '/api/metadata/flags', {
    GET: async (exchange) => sendJson(exchange, 200, { data: await flags.list(await scopeOf(exchange)) }),
  });
  mount(app, '/api/metadata/flags/:name', {
    PUT: async (exchange, { name = '' }) => {
      const scope = await scopeOf(exchange);
      const { on, ...more } = objectOf(await readJson(exchange.request, RECORD_LIMIT));
      if (typeof on !== 'boolean' && on !== null)
        throw invalidAt('/on', 'This must be true, false, or null for what the document says.', 'type');
      const [other] = Object.keys(more);
      if (other !== undefined) throw invalidAt(`/${other}`, 'This is not known here.', 'unknown', { known: ['on'] });
      await flags.switch(scope, name, on);
      sendJson(exchange, 200, { data: (await flags.list(scope)).find(({ flag }) => flag === name) ?? null });
    },
  });
  mount(app, '/api/settings', {
    GET: async (exchange) => sendJson(exchange, 200, { data: await settings.list(await scopeOf(exchange)) }),
    PUT: async (exchange) => {
      const scope = await scopeOf(exchange);
      await settings.put(scope, objectOf(await readJson(exchange.request, RECORD_LIMIT)));
      sendEmpty(exchange, 204);
    },
  });
}
