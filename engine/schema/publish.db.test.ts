import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemIds } from '#engine/clock.ts';
import { Database } from '#engine/db/database.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { ModelStore } from './model-store.ts';
import { Publisher } from './publish.ts';
import { createTenant } from './tenants.ts';

const test1 = await testDatabase();
const database = new Database({ address: test1.address, app: test1.app, owner: test1.owner });
const models = new ModelStore({ database });
const publisher = new Publisher({ database, onPublished: models.published });
beforeAll(() => models.start());
afterAll(async () => { await models.close(); await database.close(); });

test('makes an organisation with the CRM', async () => {
  const started = performance.now();
  const tenant = await createTenant({ database, ids: systemIds, publisher }, { key: 'acme', name: 'Acme', country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en', packs: ['crm'] });
  console.log('created in', performance.now() - started);
  const { model } = await models.get('acme');
  expect(model.release).toBe(1);
  expect(tenant.names.schema).toBe('t_acme');
});
