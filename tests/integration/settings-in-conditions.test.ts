/** Conditions that look at settings: held by the compiler and by the policies alike, and never by a value of yesterday. */
import { describe, expect, test } from 'vitest';
import { client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const published = await admin.post('/api/metadata/publish', {
  base: 1,
  message: 'Sea',
  documents: [
    { kind: 'setting', key: 'deepest', label: 'Deepest', schema: { type: 'number' }, default: 10 },
    { kind: 'setting', key: 'longest', label: 'Longest', schema: { type: 'integer', maximum: 500 } },
    { kind: 'setting', key: 'harbour', label: 'Harbour', scope: 'user', schema: { type: 'string' } },
    { kind: 'setting', key: 'code', label: 'Code', secret: true, schema: { type: 'string' } },
    { kind: 'role', key: 'sailor', label: 'Sailor', inherits: ['member'] },
    {
      kind: 'entity',
      key: 'boat',
      plural: 'boats',
      label: 'Boat',
      title: '{name}',
      fields: [
        { key: 'name', type: 'text', required: true },
        { key: 'draught', type: 'decimal', scale: 2 },
        { key: 'length', type: 'integer' },
        { key: 'home', type: 'text' },
      ],
    },
    {
      kind: 'permission',
      role: 'sailor',
      entity: 'boat',
      actions: ['create', 'read', 'update'],
      condition: { draught: { lte: { setting: 'deepest' } } },
    },
    {
      kind: 'rule',
      key: 'length',
      entity: 'boat',
      when: { length: { null: false } },
      require: { not: { length: { gt: { setting: 'custom.longest' } } } },
      field: 'length',
      message: 'Too long for us.',
    },
    {
      kind: 'view',
      key: 'at_home',
      label: 'At home',
      entity: 'boat',
      columns: ['name'],
      filter: { home: { eq: { setting: 'harbour' } } },
    },
    {
      kind: 'metric',
      key: 'deep',
      label: 'Deep boats',
      entity: 'boat',
      aggregate: 'count()',
      filter: { draught: { gt: { setting: 'custom.deepest' } } },
    },
  ],
});
expect(published.text, published.text).toContain('"number":2');
await hire(admin, { name: 'Sal', email: 'sal@acme.example', roles: ['sailor'] });
const sailor = await app.as('acme', 'sal@acme.example');
const BOATS = '/api/custom/v1/boats';
for (const [name, draught, home] of [
  ['Skiff', '1', 'Kiel'],
  ['Ketch', '9.5', 'Bremen'],
  ['Tanker', '20', 'Kiel'],
] as const)
  await admin.post(BOATS, { name, draught, home });

const set = async (values: Readonly<Record<string, unknown>>, who = admin) => {
  const { status, text } = await who.send('PUT', '/api/settings', JSON.stringify(values), {
    'content-type': 'application/json',
  });
  expect(status, text).toBe(204);
};
const names = async (query = '', who = sailor) =>
  (await who.get(`${BOATS}?$select=name&$order=name${query}`)).json.data?.map(({ name }) => name);

describe('a permission', () => {
  test('follows the setting at once, in the compiler and in the policies alone', async () => {
    const user = { email: 'sal@acme.example' };
    const { token } = await app.app.services.identity.issueToken({ tenant: 'acme', user, label: 'bare' });
    const bare = client(app.policiesOnly.url, token);
    for (const [value, seen] of [
      [null, ['Ketch', 'Skiff']],
      [5, ['Skiff']],
      [100, ['Ketch', 'Skiff', 'Tanker']],
      [9.5, ['Ketch', 'Skiff']],
      [0, []],
      [null, ['Ketch', 'Skiff']],
    ] as const) {
      await set({ 'custom.deepest': value });
      expect(await names(), String(value)).toEqual(seen);
      expect(await names('', bare), String(value)).toEqual(seen);
    }
  });

  test('holds for what is written as well', async () => {
    expect((await sailor.post(BOATS, { name: 'Barge', draught: '11' })).status).toBe(403);
    await set({ 'custom.deepest': 12 });
    expect((await sailor.post(BOATS, { name: 'Barge', draught: '11' })).status).toBe(201);
    await set({ 'custom.deepest': null });
    expect(await names()).not.toContain('Barge');
  });

  test('is one of Postgres itself: who sets it around the engine changes what is seen', async () => {
    await database.superuser.query(
      `insert into armature.setting_value (tenant_id, setting, value) select id, 'custom.deepest', '5' from armature.tenant where key = 'acme'`,
    );
    expect(await names()).toEqual(['Skiff']);
    await database.superuser.query(
      `update armature.setting_value set value = '"deep"' where setting = 'custom.deepest'`,
    );
    expect(await names()).toEqual(['Ketch', 'Skiff']);
    await database.superuser.query(
      `update armature.setting_value set value = 'not json' where setting = 'custom.deepest'`,
    );
    expect(await names()).toEqual(['Ketch', 'Skiff']);
    await database.superuser.query(`delete from armature.setting_value`);
  });
});

test('a rule, a view and a metric follow it too', async () => {
  const create = () => sailor.post(BOATS, { name: 'Long', draught: '1', length: 90 });
  expect((await create()).status).toBe(201);
  await set({ 'custom.longest': 50 });
  expect((await create()).json.errors).toMatchObject([{ code: 'rule', pointer: '/length' }]);
  await set({ 'custom.longest': 90 });
  expect((await create()).status).toBe(201);

  const deep = async () => (await admin.get('/api/metrics/custom.deep')).json.data?.['figures'];
  expect(await deep()).toEqual([{ value: 2 }]);
  await set({ 'custom.deepest': 15 });
  expect(await deep()).toEqual([{ value: 1 }]);
  await set({ 'custom.deepest': null });
});

test('everybody’s own value is theirs', async () => {
  expect(await names('&$view=at_home')).toEqual([]);
  await set({ 'custom.harbour': 'Kiel' }, sailor);
  expect(await names('&$view=at_home')).toEqual(['Skiff']);
  expect(await names('&$view=at_home', admin)).toEqual([]);
  await set({ 'custom.harbour': 'Bremen' }, admin);
  expect(await names('&$view=at_home', admin)).toEqual(['Ketch']);
  expect(await names('&$view=at_home')).toEqual(['Skiff']);
});

test('a query may ask for it, and learns of no secret', async () => {
  const asked = async (setting: string) =>
    admin.send(
      'QUERY',
      BOATS,
      JSON.stringify({ where: { draught: { gt: { setting } } }, select: ['name'], order: ['name'] }),
      {
        'content-type': 'application/json',
      },
    );
  expect((await asked('custom.deepest')).json.data).toMatchObject([{ name: 'Barge' }, { name: 'Tanker' }]);
  await set({ 'custom.deepest': 15 });
  expect((await asked('custom.deepest')).json.data).toMatchObject([{ name: 'Tanker' }]);
  const [secret, missing] = [await asked('custom.code'), await asked('custom.cord')];
  expect([secret.status, secret.json.errors?.[0]?.message]).toEqual([400, 'There is no setting "custom.code".']);
  expect(missing.status).toBe(400);
});
