/** What stands behind a flag that is off does not exist: for records, the OpenAPI document, screens and metrics alike. */
import { describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

let now = Date.parse('2026-06-01T12:00:00Z');
const database = await testDatabase();
const app = await testApp(database, { clock: { now: () => now } });
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const published = await admin.post('/api/metadata/publish', {
  base: 1,
  message: 'Sea',
  documents: [
    { kind: 'flag', key: 'sails', label: 'Sails' },
    { kind: 'flag', key: 'bosuns', label: 'Bosuns', default: true, roles: ['bosun'] },
    { kind: 'flag', key: 'summer', label: 'Summer', default: true, until: '2026-06-01T13:00:00Z' },
    { kind: 'role', key: 'sailor', label: 'Sailor', inherits: ['member'] },
    { kind: 'role', key: 'bosun', label: 'Bosun', inherits: ['sailor'] },
    {
      kind: 'lifecycle',
      key: 'voyage',
      label: 'Voyage',
      initial: 'moored',
      states: [{ key: 'moored' }, { key: 'out' }],
      transitions: [
        { key: 'leave', label: 'Leave', from: ['moored'], to: 'out', flag: 'sails' },
        { key: 'tow', label: 'Tow', from: ['moored'], to: 'out' },
      ],
    },
    {
      kind: 'entity',
      key: 'sail',
      plural: 'sails',
      label: 'Sail',
      flag: 'sails',
      title: '{name}',
      fields: [
        { key: 'name', type: 'text', required: true },
        { key: 'boat', type: 'reference', to: 'boat', onDelete: 'clear', inverse: 'sails' },
      ],
    },
    {
      kind: 'entity',
      key: 'boat',
      plural: 'boats',
      label: 'Boat',
      title: '{name}',
      fields: [
        { key: 'name', type: 'text', required: true },
        { key: 'voyage', type: 'state', lifecycle: 'voyage' },
        { key: 'area', type: 'integer', flag: 'sails' },
        { key: 'price', type: 'money', flag: 'bosuns' },
        { key: 'double', type: 'formula', returns: 'integer', expr: 'area * 2' },
        { key: 'spare', type: 'reference', to: 'sail', onDelete: 'clear' },
        { key: 'bathing', type: 'boolean', flag: 'summer' },
      ],
    },
    ...['boat', 'sail'].map((entity) => ({
      kind: 'permission',
      role: 'sailor',
      entity,
      actions: ['create', 'read', 'update'],
    })),
    { kind: 'metric', key: 'cloth', label: 'Cloth', entity: 'boat', aggregate: 'sum(area)' },
    {
      kind: 'metric',
      key: 'wide',
      label: 'Wide boats',
      entity: 'boat',
      aggregate: 'count()',
      filter: { area: { gt: 10 } },
    },
    {
      kind: 'metric',
      key: 'dear',
      label: 'Dear boats',
      entity: 'boat',
      aggregate: 'count()',
      filter: { price: { gt: '5' } },
    },
    { kind: 'metric', key: 'boats', label: 'Boats', entity: 'boat', aggregate: 'count()', flag: 'sails' },
  ],
});
expect(published.text, published.text).toContain('"number":2');
const person = async (role: string): Promise<Client> => {
  await hire(admin, { name: role, email: `${role}@acme.example`, roles: [role] });
  return app.as('acme', `${role}@acme.example`);
};
const sailor = await person('sailor');
const bosun = await person('bosun');
const flip = (flag: string, on: boolean | null) =>
  admin.send('PUT', `/api/metadata/flags/${flag}`, JSON.stringify({ on }), { 'content-type': 'application/json' });

const BOATS = '/api/custom/v1/boats';
const SAILS = '/api/custom/v1/sails';

/** Everything but what says which request it was. */
function bare({ status, json }: Awaited<ReturnType<Client['get']>>): unknown {
  const { instance: _, ...rest } = json;
  return [status, rest];
}

async function both(one: string, other: string, client: Client): Promise<readonly [unknown, unknown]> {
  return [bare(await client.get(one)), bare(await client.get(other))];
}

const metricsOf = async (client: Client) =>
  (await client.get('/api/metrics')).json.data
    ?.map(({ metric }) => metric)
    .filter((name) => String(name).startsWith('custom'));

describe('behind a flag that is off', () => {
  test('an entity is as one that is missing, for administrators as well', async () => {
    for (const client of [sailor, admin]) {
      const [hidden, missing] = await both(SAILS, '/api/custom/v1/galleys', client);
      expect(hidden).toEqual(missing);
      expect(hidden).toMatchObject([404, { code: 'not_found' }]);
      expect((await client.post(SAILS, { name: 'Jib' })).status).toBe(404);
    }
  });

  test('a field, what is computed from it and what leads there are as fields that are missing', async () => {
    const made = await sailor.post(BOATS, { name: 'Tern' });
    expect(Object.keys(made.json.data ?? {})).not.toEqual(expect.arrayContaining(['area']));
    for (const key of ['area', 'double', 'spare', 'sails', 'price', 'price_currency'])
      expect(made.json.data).not.toHaveProperty(key);
    const [hidden, missing] = await both(`${BOATS}?area=1`, `${BOATS}?aria=1`, sailor);
    expect(JSON.stringify(hidden).replaceAll('area', 'aria')).toBe(JSON.stringify(missing));
    expect((await sailor.get(`${BOATS}?$select=spare`)).json.errors).toMatchObject([{ code: 'unknown_field' }]);
    expect((await sailor.get(`${BOATS}?$select=sails(name)`)).json.errors).toMatchObject([{ code: 'unknown_field' }]);
    expect((await sailor.post(BOATS, { name: 'x', area: 3 })).json.errors).toMatchObject([
      { code: 'unknown_field', pointer: '/area' },
    ]);
    const price = await bosun.post(BOATS, { name: 'Gull', price: '9.00' });
    expect(price.json.data).toMatchObject({ price: '9.00', price_currency: 'EUR' });
  });

  test('a step is as one that is missing, and the others are there', async () => {
    const { json } = await sailor.post(BOATS, { name: 'Plover' });
    const step = (action: string) => sailor.post(`${BOATS}/${json.data?.id}/actions/${action}`, {});
    const [hidden, missing] = [await step('leave'), await step('sink')];
    expect([hidden.status, hidden.json.code]).toEqual([missing.status, missing.json.code]);
    expect((await step('tow')).json.data).toMatchObject({ voyage: 'out' });
  });

  test('neither the OpenAPI document nor the screens nor the metrics know of it', async () => {
    const { text } = await sailor.get('/api/openapi.json');
    expect(text).toContain(BOATS);
    for (const word of [
      SAILS,
      '"area"',
      '"double"',
      '"spare"',
      '"price"',
      '/actions/leave',
      'custom.cloth',
      'custom.dear',
    ])
      expect(text).not.toContain(word);
    const model = (await sailor.get('/api/ui/model')).text;
    expect(model).toContain('custom.boat');
    for (const word of ['custom.sail"', '"area"', '"leave"']) expect(model).not.toContain(word);
    expect(await metricsOf(sailor)).toEqual([]);
    expect(await metricsOf(bosun)).toEqual(['custom.dear']);
    for (const name of ['cloth', 'wide', 'boats', 'dear']) {
      const [hidden, missing] = await both(`/api/metrics/custom.${name}`, '/api/metrics/custom.nothing', sailor);
      expect(hidden).toEqual(missing);
    }
  });

  test('it is there as soon as the flag is switched on, and gone as soon as it is off', async () => {
    expect((await flip('custom.sails', true)).status).toBe(200);
    const boat = await sailor.post(BOATS, { name: 'Heron', area: 12 });
    expect(boat.json.data).toMatchObject({ area: 12, double: 24 });
    expect((await sailor.post(SAILS, { name: 'Jib', boat: boat.json.data?.id })).status).toBe(201);
    expect(await metricsOf(sailor)).toEqual(['custom.cloth', 'custom.wide', 'custom.boats']);
    expect((await sailor.get('/api/openapi.json')).text).toContain(SAILS);
    expect((await flip('custom.sails', null)).status).toBe(200);
    expect((await sailor.get(SAILS)).status).toBe(404);
    expect((await sailor.get('/api/openapi.json')).text).not.toContain(SAILS);
  });

  test('another process is told', async () => {
    await database.superuser.query(
      `insert into armature.flag_switch (tenant_id, flag, "on") select id, 'custom.sails', true from armature.tenant where key = 'acme'`,
    );
    await expect.poll(async () => (await sailor.get(SAILS)).status).toBe(200);
    await database.superuser.query(`delete from armature.flag_switch`);
    await expect.poll(async () => (await sailor.get(SAILS)).status).toBe(404);
  });

  test('a flag that ends, ends by the clock', async () => {
    expect((await sailor.post(BOATS, { name: 'Auk', bathing: true })).status).toBe(201);
    now = Date.parse('2026-06-01T13:00:00Z');
    expect((await sailor.post(BOATS, { name: 'Auk', bathing: true })).json.errors).toMatchObject([
      { code: 'unknown_field' },
    ]);
  });

  test('the rights of the database stay as they are: a flag is no permission', async () => {
    const { rows } = await database.superuser.query<{ n: number }>(
      `select count(*)::int as n from information_schema.role_table_grants where table_name = 'custom_sails' and grantee like '%sailor'`,
    );
    expect(rows[0]?.n).toBeGreaterThan(0);
  });
});

test('without its feature the CRM has no quotes, price books, nor a field that leads to them', async () => {
  const kept = await admin.post('/api/crm/v1/opportunities', { name: 'Harbour' });
  expect(kept.json.data).toHaveProperty('price_book');
  await flip('crm.crm_feature_quotes', false);
  for (const path of ['quotes', 'quote_lines', 'price_books', 'price_book_entries'])
    expect((await admin.get(`/api/crm/v1/${path}`)).status, path).toBe(404);
  const { json } = await admin.get(`/api/crm/v1/opportunities/${kept.json.data?.id}`);
  expect(json.data).not.toHaveProperty('price_book');
  expect((await admin.post('/api/crm/v1/opportunities', { name: 'Pier' })).status).toBe(201);
  const activity = await admin.post('/api/crm/v1/activities', { subject: 'Call', kind: 'call' });
  expect(activity.status, activity.text).toBe(201);
  await flip('crm.crm_feature_quotes', null);
  expect((await admin.get('/api/crm/v1/quotes')).status).toBe(200);
});
