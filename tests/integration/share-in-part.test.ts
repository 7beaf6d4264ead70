/** A share makes every permission to read count: nobody opens by it what they are not shown themselves. */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const DOCUMENTS = [
  {
    kind: 'entity',
    key: 'bid',
    plural: 'bids',
    label: 'Bid',
    owner: true,
    sharing: true,
    fields: [
      { key: 'name', type: 'text' },
      { key: 'margin', type: 'integer' },
    ],
  },
  { kind: 'role', key: 'bidder', label: 'Bidder', inherits: ['member'] },
  {
    kind: 'permission',
    role: 'bidder',
    entity: 'custom.bid',
    actions: ['read', 'share'],
    fields: { read: { except: ['margin'] } },
  },
  {
    kind: 'permission',
    key: 'own',
    role: 'bidder',
    entity: 'custom.bid',
    actions: ['read', 'create', 'update'],
    conditions: { owner: 'self' },
  },
];

test('who is shown a record in part shares it with nobody, and their own with everybody', async () => {
  const base = Number((await admin.get('/api/metadata/documents')).json.data?.['release']);
  const published = await admin.post('/api/metadata/publish', { base, message: 'Bids', documents: DOCUMENTS });
  expect(published.status, published.text).toBe(201);
  const ida = await hire(admin, { name: 'Ida', email: 'ida@acme.example', roles: ['bidder'] });
  const olaf = await hire(admin, { name: 'Olaf', email: 'olaf@acme.example', roles: ['bidder'] });
  const client = await app.as('acme', 'ida@acme.example');
  const hidden = (await admin.post('/api/custom/v1/bids', { name: 'Hidden', margin: 40 })).json.data?.id;
  const own = (await client.post('/api/custom/v1/bids', { name: 'Own', margin: 7 })).json.data?.id;
  for (const user of [ida.id, olaf.id]) {
    const refused = await client.post(`/api/custom/v1/bids/${hidden}/shares`, { user, level: 'read' });
    expect([refused.status, refused.json.errors?.[0]?.code], refused.text).toEqual([403, 'more_than_own']);
    expect(refused.json.errors?.[0]?.message).toBe('You cannot share a record of which you are shown only a part.');
  }
  expect((await client.get(`/api/custom/v1/bids/${hidden}`)).json.data?.['margin'] ?? null).toBeNull();
  const given = await client.post(`/api/custom/v1/bids/${own}/shares`, { user: olaf.id, level: 'read' });
  expect(given.status, given.text).toBe(201);
  const other = await app.as('acme', 'olaf@acme.example');
  expect((await other.get(`/api/custom/v1/bids/${own}`)).json.data).toMatchObject({ margin: 7 });
  // What somebody else has opened to her is hers to share.
  expect((await admin.post(`/api/custom/v1/bids/${hidden}/shares`, { user: ida.id, level: 'read' })).status).toBe(201);
  const passedOn = await client.post(`/api/custom/v1/bids/${hidden}/shares`, { user: olaf.id, level: 'read' });
  expect(passedOn.status, passedOn.text).toBe(201);
});
