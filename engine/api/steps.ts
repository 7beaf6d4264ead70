/** What publishes left for afterwards: seen, taken back, tried again. For administrators of the organisation alone. */
import type { Express } from 'express';
import { notFound, Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { sendJson } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';

export function mountSteps(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const { steps } = services;

  async function administrator(exchange: Exchange): Promise<Scope> {
    const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
    if (!scope.rights.administrator)
      throw new Problem('forbidden', 'Only an administrator of the organisation may do this.');
    return scope;
  }

  mount(app, '/api/metadata/steps', {
    GET: async (exchange) => {
      const { tenant } = await administrator(exchange);
      sendJson(exchange, 200, { data: await steps.list(tenant.key) });
    },
  });
  const act = (name: string, work: (tenant: string, number: number) => Promise<void>): void => {
    mount(app, `/api/metadata/steps/:number/${name}`, {
      POST: async (exchange, { number = '' }) => {
        const { tenant } = await administrator(exchange);
        if (!/^[1-9]\d{0,14}$/.test(number)) throw notFound();
        await work(tenant.key, Number(number));
        sendJson(exchange, 200, { data: await steps.list(tenant.key) });
      },
    });
  };
  act('cancel', (tenant, number) => steps.cancel(tenant, number));
  act('retry', (tenant, number) => steps.retry(tenant, number));
}
