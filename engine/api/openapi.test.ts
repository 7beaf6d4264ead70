/** The OpenAPI document against the router, and against a linter, for an administrator and a sales representative. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { BERTHS } from '#tests/support/berths.ts';
import { read } from '#tests/rules/source.ts';
import { buildOpenApi } from './openapi.ts';
import { createHttp, routesOf } from './server.ts';
import { testServices } from './testing/services.ts';
import { scopeOn, shippedModel } from './testing/shipped.ts';

const model = await shippedModel(BERTHS);
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH']);
/** OpenAPI 3.1 has no word for it; the operations that do the same mention it. */
const UNSPEAKABLE = new Set(['QUERY']);

interface Described {
  readonly method: string;
  readonly path: string;
}

function describedBy(...roles: string[]): Described[] {
  const { paths } = buildOpenApi(scopeOn(model, ...roles), 'https://crm.example');
  return Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item ?? {})
      .map((method) => method.toUpperCase())
      .filter((method) => METHODS.has(method))
      .map((method) => ({ method, path })),
  );
}

/** Whether a described path is one of the route's: what is `{named}` in the route may be written out. */
function fits(route: string, described: string): boolean {
  const one = route.split('/');
  const other = described.split('/');
  return one.length === other.length && one.every((segment, at) => segment === other[at] || /^\{\w+\}$/.test(segment));
}

const { services } = testServices();
const routes = routesOf(createHttp(services));

test('every route of the router is described, and every description has a route', () => {
  const described = describedBy('administrator');
  const undescribed = routes.flatMap(({ path, methods }) =>
    methods
      .filter((method) => !UNSPEAKABLE.has(method))
      .filter((method) => !described.some((one) => one.method === method && fits(path, one.path)))
      .map((method) => `${method} ${path}`),
  );
  const lost = described.filter(
    ({ method, path }) => !routes.some((route) => fits(route.path, path) && route.methods.includes(method)),
  );
  expect(routes.length).toBeGreaterThan(45);
  // The body of `/api/metadata/drafts/{name}/{action}` depends on the action: each is described by itself.
  expect({ undescribed, lost }).toEqual({ undescribed: [], lost: [] });
});

test('only administrators are told of the routes for administrators', () => {
  const own = describedBy('sales_rep').map(({ path }) => path);
  expect(own).toContain('/api/crm/v1/opportunities');
  expect(own.filter((path) => path.startsWith('/api/metadata') || path.includes('set_password'))).toEqual([]);
});

test.each(['administrator', 'sales_rep'])(
  'the linter finds nothing in the document for %s',
  { timeout: 120_000 },
  async (role) => {
    const config = await createConfig(read('redocly.yaml'));
    const source = JSON.stringify(buildOpenApi(scopeOn(model, role), 'https://crm.halden.example'));
    const found = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    const told = found.map(({ ruleId, message, location: [place] }) => `${ruleId} ${place?.pointer}: ${message}`);
    expect(told).toEqual([]);
  },
);
