import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { ensureDemo } from '../../demo/organisation.ts';

const testing = await testApp(await testDatabase());
const { app } = testing;
const home = await mkdtemp(join(tmpdir(), 'armature-demo-'));
afterAll(() => rm(home, { recursive: true, force: true }));

const size = { accounts: 40, contacts: 1200, leads: 10, opportunities: 60, activities: 90 };
const TABLES = {
  'crm/accounts': 40,
  'crm/contacts': 1200,
  'crm/leads': 10,
  'crm/opportunities': 60,
  'crm/activities': 90,
  'crm/tickets': 30,
  'crm/quotes': 15,
  'crm/subscriptions': 20,
  'crm/campaigns': 5,
  'crm/campaign_members': 90,
  'crm/articles': 5,
  'crm/slas': 2,
  'crm/price_books': 1,
};

test('the demo organisation is taken up where an interrupted start left it, and then left alone', {
  timeout: 600_000,
}, async () => {
  // Says stop at the third look: after the products and the accounts, before all of the contacts.
  let looks = 0;
  const interrupted = new AbortController();
  const signal = new Proxy(interrupted.signal, {
    get: (target, key) => {
      if (key === 'aborted' && ++looks > 3) interrupted.abort();
      const value: unknown = Reflect.get(target, key, target);
      return value;
    },
  });
  const first = await ensureDemo(app.services, { home, signal, size });
  const [administrator] = first?.people ?? [];
  const client = await testing.as('demo', administrator?.email ?? '');
  const count = async (path: string) => {
    const { json } = await client.get(`/api/${path.replace('/', '/v1/')}?$select=id&$first=1&$count=exact`);
    return json.count?.value;
  };
  expect(await count('crm/contacts')).toBeLessThan(1200);
  expect(await count('crm/activities')).toBe(0);

  const again = { home, signal: new AbortController().signal, size };
  expect(await ensureDemo(app.services, again)).toEqual(first);
  for (const [path, expected] of Object.entries(TABLES)) expect([path, await count(path)]).toEqual([path, expected]);

  // Counted, summed and due by what the database knows.
  const { json: campaigns } = await client.get('/api/crm/v1/campaigns?$select=members,responses&$order=name&$first=1');
  expect(campaigns.data?.[0]).toMatchObject({ members: 18 });
  const { json: quotes } = await client.get('/api/crm/v1/quotes?$select=number,net,tax,gross&$first=50');
  for (const { net, tax, gross } of quotes.data ?? []) expect(Number(net) + Number(tax)).toBeCloseTo(Number(gross), 1);
  expect(quotes.data?.every(({ number }) => /^Q-\d{4}-\d{5}$/.test(String(number)))).toBe(true);
  const { json: tickets } = await client.get(
    '/api/crm/v1/tickets?$select=opened_at,first_response_due,status&$first=50',
  );
  // The clock of a ticket that waits may stand.
  for (const { opened_at, first_response_due, status } of tickets.data ?? [])
    if (status !== 'pending' || first_response_due !== null)
      expect(Date.parse(String(first_response_due))).toBeGreaterThan(Date.parse(String(opened_at)));

  // Something was done about records of every kind that people work on.
  const every = ['leads', 'tickets', 'quotes', 'campaigns', 'subscriptions'];
  for (const plural of [...every, 'accounts', 'contacts', 'opportunities']) {
    const where = { activities: { some: {} } };
    const found = await client.post(`/api/crm/v1/${plural}/$query`, { where, select: ['activities'], first: 1 });
    expect([plural, found.json.data?.length], found.text).toEqual([plural, 1]);
  }

  // Complete: what people do with it afterwards is theirs.
  const { json } = await client.get('/api/crm/v1/leads?$select=id&$first=1');
  const [lead] = json.data ?? [];
  const deleted = await client.delete(`/api/crm/v1/leads/${lead?.id}`);
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  await ensureDemo(app.services, again);
  expect(await count('crm/leads')).toBe(9);
});

test('everybody shown can sign in with the password shown', async () => {
  const demo = await ensureDemo(app.services, { home, signal: new AbortController().signal, size });
  expect(demo?.people.map(({ role }) => role)).toEqual(['administrator', 'manager', 'sales rep']);
  for (const { email } of demo?.people ?? []) {
    const { principal } = await app.services.identity.signIn({ email, password: demo?.password ?? '' });
    expect(principal.email).toBe(email);
  }
});

test('an organisation that somebody called "demo" is not touched', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'armature-demo-'));
  expect(await ensureDemo(app.services, { home: elsewhere, signal: new AbortController().signal, size })).toBeNull();
  await rm(elsewhere, { recursive: true });
});
