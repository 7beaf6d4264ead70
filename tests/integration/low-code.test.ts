/** The low-code promise: documents become tables, policies and an API while the product runs, and changes lose nothing. */
import { describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';
import { FLEET, withField } from './fleet.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const release = async (): Promise<number> => {
  const { json } = await admin.get('/api/metadata/documents');
  return Number(json.release ?? json.data?.release);
};
const publish = async (documents: readonly Record<string, unknown>[], message: string) =>
  admin.post('/api/metadata/publish', { base: await release(), message, documents });

const VEHICLES = '/api/custom/v1/vehicles';
const BUS = {
  plate: 'HB-AR 1',
  fuel: 'diesel',
  seats: 49,
  consumption: '24.5',
  price: '310000.00',
  discount: '10',
  bought: '2026-01-31',
  leased: true,
};

describe('publishing an entity while the product runs', () => {
  test('makes it usable over the API with the next request', async () => {
    const account = await admin.post('/api/crm/v1/accounts', { name: 'Hafen Bus' });
    expect((await admin.get(VEHICLES)).status).toBe(404);

    const published = await publish(FLEET, 'Vehicles');
    expect(published.status, published.text).toBeLessThan(300);

    const created = await admin.post(VEHICLES, { ...BUS, account: account.json.data?.id });
    expect(created.status, created.text).toBe(201);
    const read = await admin.get(
      `${VEHICLES}/${created.json.data?.id}?$select=_title,plate,fuel,seats,consumption,price,price_currency,discount,net,bought,leased,status,account(name)`,
    );
    expect(read.json.data).toMatchObject({
      ...BUS,
      _title: 'HB-AR 1',
      net: '279000.00',
      price_currency: 'EUR',
      status: 'ordered',
      discount: expect.stringMatching(/^10(\.0+)?$/),
      account: { name: 'Hafen Bus' },
    });
  });

  test('gives the new role its rows and its fields, and no more', async () => {
    await hire(admin, { name: 'Dina Driver', email: 'dina@acme.example', roles: ['driver'] });
    const driver = await app.as('acme', 'dina@acme.example');
    expect((await driver.get(`${VEHICLES}?$count=exact`)).json.count?.value).toBe(0);
    await admin.post(VEHICLES, { plate: 'HB-AR 2', fuel: 'electric', price: '52000.00' });
    const list = await driver.get(VEHICLES);
    expect(list.json.data?.map((row) => row.plate)).toEqual(['HB-AR 2']);
    expect(list.text).not.toContain('52000');
    const hidden = await driver.get(`${VEHICLES}?price[gt]=1`);
    expect([hidden.status, hidden.json.code]).toEqual([400, 'unknown_field']);
    const id = list.json.data?.[0]?.id;
    expect((await driver.patch(`${VEHICLES}/${id}`, { price: '1.00' })).status).toBeGreaterThanOrEqual(400);
    expect((await driver.patch(`${VEHICLES}/${id}`, { seats: 5 })).status).toBe(200);
  });

  test('runs the lifecycle with its guard and required fields', async () => {
    const created = await admin.post(VEHICLES, { plate: 'HB-AR 3', leased: true });
    const id = created.json.data?.id;
    const early = await admin.post(`${VEHICLES}/${id}/actions/deliver`, {});
    expect([early.status, early.json.code]).toEqual([409, 'transition_refused']);
    expect(early.text).toContain('bought');
    expect((await admin.post(`${VEHICLES}/${id}/actions/deliver`, { bought: '2026-02-01' })).status).toBe(200);
    const leased = await admin.post(`${VEHICLES}/${id}/actions/sell`, {});
    expect(leased.text).toContain('A leased vehicle cannot be sold.');
    await admin.patch(`${VEHICLES}/${id}`, { leased: false });
    expect((await admin.post(`${VEHICLES}/${id}/actions/sell`, {})).status).toBe(200);
    expect((await admin.get(`${VEHICLES}/${id}`)).json.data).toMatchObject({ status: 'sold' });
    // The state is no ordinary field.
    expect((await admin.patch(`${VEHICLES}/${id}`, { status: 'ordered' })).status).toBe(422);
  });
});

describe('changing it loses nothing', () => {
  const seats = async (key: string) =>
    (await admin.get(`${VEHICLES}?$select=plate,${key}&$order=plate`)).json.data?.map((row) => row[key]);

  test('a rename keeps the values, and the plan says that it is one', async () => {
    const documents = withField('seats', { key: 'places', was: 'seats', label: 'Places' });
    const plan = await admin.post('/api/metadata/plan', { base: await release(), documents });
    expect(plan.status, plan.text).toBe(200);
    expect(plan.text).toMatch(/rename/i);
    expect(await seats('seats')).toEqual([49, 5, null]);
    expect((await publish(documents, 'Seats are places')).status).toBeLessThan(300);
    expect(await seats('places')).toEqual([49, 5, null]);
    expect((await admin.get(`${VEHICLES}?$select=seats`)).json.code).toBe('unknown_field');
  });

  test('a removed field is set aside, one made anew under its key inherits nothing, and a rollback brings the values back', async () => {
    const before = await release();
    expect((await publish(withField('seats', null), 'No seats')).status).toBeLessThan(300);
    expect((await admin.get(`${VEHICLES}?$select=places`)).json.code).toBe('unknown_field');

    expect((await publish(withField('seats', { key: 'places', label: 'Places' }), 'Places anew')).status).toBeLessThan(
      300,
    );
    expect(await seats('places')).toEqual([null, null, null]);

    const back = await admin.post('/api/metadata/rollback', {
      base: await release(),
      to: before,
      message: 'As it was',
    });
    expect(back.status, back.text).toBeLessThan(300);
    expect(await seats('places')).toEqual([49, 5, null]);
  });

  test('a removed entity comes back with its records', async () => {
    const before = await release();
    const count = async () => (await admin.get(`${VEHICLES}?$count=exact`)).json.count?.value;
    expect(await count()).toBe(3);
    expect((await publish([], 'Nothing of our own')).status).toBeLessThan(300);
    expect((await admin.get(VEHICLES)).status).toBe(404);
    expect(
      (await admin.post('/api/metadata/rollback', { base: await release(), to: before, message: 'Vehicles again' }))
        .status,
    ).toBeLessThan(300);
    expect(await count()).toBe(3);
    const releases = await admin.get('/api/metadata/releases');
    expect(releases.json.data?.length).toBe(await release());
  });
});

describe('a publish that cannot be', () => {
  test.each([
    ['a field type that does not exist', withField('seats', { type: 'intger' }), /intger[\s\S]*integer/],
    ['a formula that needs itself', withField('net', { expr: 'net * 2' }), /cycl/i],
    ['a formula on a field that is not there', withField('net', { expr: 'prise * 2' }), /prise[\s\S]*price/],
    [
      'a reference to an entity that is not there',
      withField('account', { to: 'crm.acount' }),
      /crm\.acount[\s\S]*crm\.account/,
    ],
    [
      'a permission on a missing field',
      [
        ...FLEET.filter((one) => one.kind !== 'permission'),
        {
          kind: 'permission',
          role: 'driver',
          entity: 'vehicle',
          actions: ['read'],
          fields: { read: { only: ['plat'] } },
        },
      ],
      /plat/,
    ],
    ['a key with SQL in it', withField('seats', { key: 'seats"; drop table x; --' }), /key/],
    ['a reserved key', withField('seats', { key: 'version' }), /version/],
  ])('%s is answered with document, pointer and what was meant', async (_name, documents, expected) => {
    const base = await release();
    const answer = await publish(documents, 'Wrong');
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_document']);
    expect(answer.json.errors?.[0]?.pointer).toMatch(/^\//);
    expect(JSON.stringify(answer.json.errors)).toMatch(expected);
    expect(await release()).toBe(base);
  });

  test('of two at once one wins, and the other is told', async () => {
    const base = await release();
    const wide = withField('plate', { max: 30 });
    const answers = await Promise.all(
      [1, 2].map((n) => admin.post('/api/metadata/publish', { base, message: `Number ${n}`, documents: wide })),
    );
    const codes = answers.map(({ status, json }) => (status < 300 ? 'published' : json.code));
    expect(codes.filter((code) => code === 'published')).toHaveLength(1);
    expect(['stale_base', 'publish_in_progress']).toContain(codes.find((code) => code !== 'published'));
    expect(await release()).toBe(base + 1);
  });

  test('people without the right are not even told that it is there', async () => {
    const driver = await app.as('acme', 'dina@acme.example');
    for (const path of ['/api/metadata/documents', '/api/metadata/releases']) {
      expect([403, 404]).toContain((await driver.get(path)).status);
    }
    expect([403, 404]).toContain(
      (await driver.post('/api/metadata/publish', { base: 1, message: 'x', documents: [] })).status,
    );
  });
});
