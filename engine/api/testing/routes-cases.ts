import { describe, expect, it } from 'vitest';
import { BERTHS } from '#tests/support/berths.ts';
import { describedBy } from './described.ts';
import { createHttp, routesOf } from '../server.ts';
import { testHttp } from './http.ts';
import { shippedModel } from './shipped.ts';

/** OpenAPI 3.1 has no word for it; the operations that do the same mention it. */
const UNSPEAKABLE = new Set(['QUERY']);

const { services } = await testHttp();

/** Whether a described path is one of the route's: what is `{named}` in the route may be written out. */
function fits(route: string, described: string): boolean {
  const one = route.split('/');
  const other = described.split('/');
  return one.length === other.length && one.every((segment, at) => segment === other[at] || /^\{\w+\}$/.test(segment));
}

describe('the OpenAPI document', () => {
  it('describes every route of the router, and nothing that has no route', async () => {
    const routes = routesOf(createHttp(services));
    const described = describedBy(await shippedModel(BERTHS), 'administrator');
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
});
