/** To-many from the main entities of the CRM, and the activities on the timeline of every record. */
import { expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { hire, makeTenant } from '#tests/support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const seller = await hire(admin, { name: 'Sam', email: 'sam@acme.example', roles: ['sales_rep'] });
const sam = await app.as('acme', 'sam@acme.example');

async function add(entity: string, body: Readonly<Record<string, unknown>>, as = admin): Promise<string> {
  const { json, text, status } = await as.post(`/api/crm/v1/${entity}`, body);
  expect(status, text).toBe(201);
  return json.data?.id ?? '';
}

const ferry = await add('accounts', { name: 'Fictional Ferries', owner: seller.id });
await add('accounts', { name: 'Quiet Quarries', owner: seller.id });
const pat = await add('contacts', { last_name: 'Pat', account: ferry, owner: seller.id });
const hull = await add('opportunities', { name: 'Hull', account: ferry, contact: pat, owner: seller.id });
await add('opportunities', { name: 'Keel', account: ferry, stage: 'prospecting' });
await add('opportunities', {
  name: 'Mast',
  account: ferry,
  owner: seller.id,
  stage: 'lost',
  engage_date: '2026-01-01',
  close_date: '2026-02-01',
  loss_reason: 'price',
});
const product = await add('products', { name: 'Bolt' });

test('accounts with an open deal, with those deals, each by its own rights', async () => {
  const open = { stage: { in: ['prospecting', 'engaging'] } };
  const query = {
    where: { opportunities: { some: open } },
    select: [
      'name',
      { opportunities: { select: ['name'], where: open, order: ['name'] } },
      { contacts: ['last_name'] },
    ],
  };
  const ask = async (as: typeof admin) => (await as.post('/api/crm/v1/accounts/$query', query)).json.data;
  const contacts = [{ last_name: 'Pat' }];
  expect(await ask(admin)).toEqual([
    { name: 'Fictional Ferries', opportunities: [{ name: 'Hull' }, { name: 'Keel' }], contacts },
  ]);
  expect(await ask(sam)).toEqual([{ name: 'Fictional Ferries', opportunities: [{ name: 'Hull' }], contacts }]);
});

test('every record that people work on answers its activities, and they go with it', async () => {
  const today = '2026-01-01';
  const about: Readonly<Record<string, readonly [plural: string, id: string]>> = {
    account: ['accounts', ferry],
    contact: ['contacts', pat],
    opportunity: ['opportunities', hull],
    'crm.lead': ['leads', await add('leads', { last_name: 'Quince' })],
    'crm.ticket': ['tickets', await add('tickets', { subject: 'Leak' })],
    'crm.quote': ['quotes', await add('quotes', { name: 'Offer', account: ferry })],
    'crm.campaign': ['campaigns', await add('campaigns', { name: 'Spring' })],
    'crm.subscription': [
      'subscriptions',
      await add('subscriptions', { account: ferry, product, price: '1', starts_on: today }),
    ],
  };
  for (const [key, [plural, id]] of Object.entries(about)) {
    const link = key.startsWith('crm.') ? { regarding: { entity: key, id } } : { [key]: id };
    await add('activities', { subject: `About ${key}`, ...link });
    const { json, text } = await admin.get(`/api/crm/v1/${plural}/${id}?$select=activities(subject)`);
    expect(json.data, text).toEqual({ activities: [{ subject: `About ${key}` }] });
  }
  // What the screens ask for the timeline: the referrers that the model tells them of.
  const { json: model } = await admin.get('/api/ui/model');
  const fields = Object(model)['entities']['crm.activity'].fields;
  for (const [key, [, id]] of Object.entries(about)) {
    const target = key.startsWith('crm.') ? key : `crm.${key}`;
    const by = fields.find(({ reference }: { reference: string | null }) => reference === target);
    const { json } = await admin.get(`/api/crm/v1/activities?${by.key}=${id}&$select=subject&$order=-created_at`);
    expect(json.data).toEqual([{ subject: `About ${key}` }]);
  }
  const [, ticket] = about['crm.ticket'] ?? [];
  expect((await admin.delete(`/api/crm/v1/tickets/${ticket}`)).status).toBe(204);
  const { json } = await admin.get('/api/crm/v1/activities?subject=About%20crm.ticket&$select=subject');
  expect(json.data).toEqual([]);
});

test('whoever may not read tickets at all reads the history of an activity about one, without it', async () => {
  const mona = await hire(admin, { name: 'Mona', email: 'mona@acme.example', roles: ['marketing'] });
  const ticket = await add('tickets', { subject: 'Leak' });
  const about = { entity: 'crm.ticket', id: ticket };
  const own = await add('activities', { subject: 'Write', owner: mona.id, regarding: about });
  const other = { entity: 'crm.ticket', id: await add('tickets', { subject: 'Dent' }) };
  const patched = await admin.patch(`/api/crm/v1/activities/${own}`, { subject: 'Wrote', regarding: other });
  expect(patched.status, patched.text).toBe(200);
  const marketing = await app.as('acme', 'mona@acme.example');
  const { json, text, status } = await marketing.get(`/api/crm/v1/activities/${own}/history`);
  expect(status, text).toBe(200);
  expect(json.data).toMatchObject([{ changes: [{ field: 'subject', old: 'Write', new: 'Wrote' }] }]);
  for (const hidden of [ticket, other.id]) expect(text).not.toContain(hidden);
  const foreign = await add('activities', { subject: 'Foreign', regarding: about });
  expect((await marketing.get(`/api/crm/v1/activities/${foreign}/history`)).status).toBe(404);
});

test('a list or a record answers no list that was not asked for', async () => {
  for (const plural of ['accounts', 'contacts', 'opportunities', 'leads', 'tickets', 'activities']) {
    const { json } = await admin.get(`/api/crm/v1/${plural}?$first=1`);
    const values = Object.entries(json.data?.[0] ?? {});
    expect(values.filter(([key, value]) => Array.isArray(value) && key !== 'tags')).toEqual([]);
    expect(values.filter(([key]) => key.startsWith('regarding_'))).toEqual([]);
  }
});
