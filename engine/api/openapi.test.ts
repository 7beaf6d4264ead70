/** The OpenAPI document against a linter, for an administrator and a sales representative. `http.db.test.ts` holds it against the router. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { BERTHS } from '#tests/support/berths.ts';
import { read } from '#tests/rules/source.ts';
import { buildOpenApi } from './openapi.ts';
import { describedBy } from './testing/described.ts';
import { scopeOn, shippedModel } from './testing/shipped.ts';

const model = await shippedModel(BERTHS);
test('only administrators are told of the routes for administrators', () => {
  const own = describedBy(model, 'sales_rep').map(({ path }) => path);
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
