/**
 * What hangs on a record tells nothing of what one may not see: links, the other sides of references, references to one
 * of several entities, lookups and rollups, with both layers, the policies alone, and the compiler alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLERK, PLANNER, TOURS } from '../integration/tours.ts';
import { testApp } from '../support/app.ts';
import { client, type Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const documents = [...TOURS, ...CLERK, ...PLANNER];
const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Tours', documents });
if (published.status >= 300) throw new Error(published.text);

const TOUR = '/api/custom/v1/tours';
const PLACE = '/api/custom/v1/places';
const BOOKING = '/api/custom/v1/bookings';
const make = async (url: string, body: Record<string, unknown>, as: Client = admin): Promise<string> => {
  const { json, text, status } = await as.post(url, body);
  if (status !== 201 || !json.data) throw new Error(text);
  return json.data.id;
};
const tokens = new Map<string, string>();
for (const role of ['guide', 'clerk', 'planner']) {
  const email = `${role}@acme.example`;
  const { id } = await hire(admin, { name: role, email, roles: [role] });
  const { token } = await app.app.services.identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' });
  tokens.set(role, token);
  tokens.set(`${role} id`, id);
}
const owner = tokens.get('guide id');

const harbour = await make(PLACE, { name: 'Harbour', city: 'Bremen', cost: '3.00' });
const cellar = await make(PLACE, { name: 'Cellar', secret: true, city: 'Hidden', cost: '500.00' });
const tour = await make(TOUR, {
  name: 'Mine',
  owner,
  places: [harbour, cellar],
  start: cellar,
  regarding: { entity: 'custom.place', id: cellar },
  stops: [{ name: 'x', fee: '2.00', minutes: 5 }],
});
const foreign = await make(TOUR, { name: 'Foreign', places: [harbour] });
await make(BOOKING, { name: 'mine', owner, tour, seats: 2, paid: '10.00' });
await make(BOOKING, { name: 'hidden', tour, seats: 40, paid: '900.00' });
// Links that came and went, so that there is something to tell.
await admin.patch(`${TOUR}/${tour}`, { regarding: null });
await admin.patch(`${TOUR}/${tour}`, { regarding: { entity: 'custom.place', id: cellar } });
await admin.patch(`${TOUR}/${tour}`, { places: { remove: [harbour, cellar] } });
await admin.patch(`${TOUR}/${tour}`, { places: { add: [harbour, cellar] } });

const MODES = [
  { mode: 'both layers', url: app.url, rowSecurity: true },
  { mode: 'policies only', url: app.policiesOnly.url, rowSecurity: true },
  { mode: 'compiler only', url: app.url, rowSecurity: false },
] as const;

async function setRowSecurity(on: boolean): Promise<void> {
  const { rows } = await database.superuser.query<{ relname: string }>(
    `select c.relname from pg_class c where c.relnamespace = 't_acme'::regnamespace and c.relkind in ('r', 'p')`,
  );
  for (const { relname } of rows)
    await database.superuser.query(`alter table "t_acme"."${relname}" ${on ? 'enable' : 'disable'} row level security`);
}

const links = async (id: string): Promise<readonly string[]> => {
  const { rows } = await database.superuser.query<{ far: string }>(
    `select far from t_acme.l_custom_tours_places where near = $1 order by far`,
    [id],
  );
  return rows.map(({ far }) => far);
};

describe.each(MODES)('$mode', ({ url, rowSecurity }) => {
  beforeAll(() => setRowSecurity(rowSecurity));
  afterAll(() => setRowSecurity(true));
  const as = (role: string): Client => client(url, tokens.get(role) ?? '');
  const listed = async (role: string, query: string) => {
    const { json, text } = await as(role).get(`${TOUR}?${query}`);
    if (!json.data) throw new Error(text);
    return json.data;
  };

  test('a guide sees what leads to open places and own bookings', async () => {
    const { json, text } = await as('guide').get(
      `${TOUR}/${tour}?$select=*,places(name,tours(name)),bookings(name),stops(name)`,
    );
    expect(json.data, text).toMatchObject({
      places: [{ name: 'Harbour', tours: [{ name: 'Mine' }] }],
      bookings: [{ name: 'mine' }],
      regarding: null,
      city: null,
      start_cost: null,
      start_cost_currency: null,
      stop_count: 1,
      fees: '2.00',
      place_count: 1,
      place_cost: '3.00',
      seats: 2,
      paid: '10.00',
    });
    expect(text).not.toMatch(/Cellar|Hidden|500|hidden|900|Foreign/);
  });

  test('and filters, sorts, groups and counts by nothing else', async () => {
    for (const hidden of [
      'place_count=2',
      'place_cost[gt]=100',
      'seats[gt]=2',
      'paid[gt]=10',
      'city=Hidden',
      'city[null]=false',
      'start_cost[gt]=1',
    ])
      expect(await listed('guide', `${hidden}&$select=name`), hidden).toEqual([]);
    for (const seen of ['place_count=1', 'place_cost=3', 'seats=2', 'paid=10', 'city[null]=true'])
      expect(await listed('guide', `${seen}&$select=name`), seen).toEqual([{ name: 'Mine' }]);
    expect(await listed('guide', '$order=-place_cost,-seats,city&$select=name,seats')).toEqual([
      { name: 'Mine', seats: 2 },
    ]);
    expect(await listed('guide', '$group=city&$agg=n:count(),s:sum(seats),c:max(place_cost)')).toEqual([
      { city: null, n: 1, s: '2', c: '3.00', c_currency: 'EUR' },
    ]);
  });

  test('a reference to one of several entities tells nothing of a hidden record, by none of its parts', async () => {
    const { json, text } = await as('guide').get(
      `${TOUR}/${tour}?$select=regarding,regarding_id,regarding_entity,regarding_place`,
    );
    expect(json.data, text).toMatchObject({ regarding: null, regarding_id: null, regarding_entity: null });
    expect(json.data?.['regarding_place'] ?? null, text).toBe(null);
    expect(text).not.toContain(cellar);
    for (const hidden of [
      `regarding_id=${cellar}`,
      `regarding_place=${cellar}`,
      `regarding_place[in]=${cellar},${harbour}`,
      `regarding.id=${cellar}`,
      'regarding_entity=custom.place',
      'regarding_id[null]=false',
      'regarding_place[null]=false',
      'regarding_entity[null]=false',
      'regarding_place.name=Cellar',
      `$where=${encodeURIComponent(JSON.stringify({ not: { regarding_id: null } }))}`,
    ])
      expect(await listed('guide', `${hidden}&$select=name`), hidden).toEqual([]);
    expect(await listed('guide', 'regarding_id[null]=true&$select=name')).toEqual([{ name: 'Mine' }]);
    expect(await listed('guide', '$group=regarding_entity,regarding_id,regarding_place&$agg=n:count()')).toEqual([
      { regarding_entity: null, regarding_id: null, regarding_place: null, n: 1 },
    ]);
    expect(await listed('guide', '$agg=n:countDistinct(regarding_id)')).toEqual([{ n: 0 }]);
    const exported = await as('guide').get(`${TOUR}/$export?$format=ndjson&$select=name,regarding_id,regarding_place`);
    expect(exported.text).not.toContain(cellar);
    const history = await as('guide').get(`${TOUR}/${tour}/history`);
    expect(history.text).not.toContain(cellar);
    expect(history.text).not.toContain('Regarding');
    // Whoever sees the record finds it by every part.
    const all = { regarding: { id: cellar }, regarding_id: cellar, regarding_place: cellar, name: 'Mine' };
    for (const seen of [`regarding_id=${cellar}`, `regarding_place=${cellar}`, 'regarding_entity=custom.place'])
      expect(
        (await admin.get(`${TOUR}?${seen}&$select=name,regarding,regarding_id,regarding_place`)).json.data,
      ).toMatchObject([all]);
    expect((await admin.get(`${TOUR}/${tour}/history`)).text).toContain(cellar);
  });

  test('nor by conditions over what is on a list', async () => {
    const guide = as('guide');
    const found = async (where: unknown) => {
      const { json, text } = await guide.post(`${TOUR}/$query`, { where, select: ['name'] });
      expect(json.data, text).toBeDefined();
      return json.data?.length;
    };
    expect(await found({ places: { some: { name: 'Cellar' } } })).toBe(0);
    expect(await found({ places: { some: { name: 'Harbour' } } })).toBe(1);
    expect(await found({ places: { every: { name: 'Harbour' } } })).toBe(1);
    expect(await found({ bookings: { some: { seats: { gt: 2 } } } })).toBe(0);
    expect(await found({ bookings: { every: { seats: 2 } } })).toBe(1);
  });

  test('the history tells a guide of no hidden link', async () => {
    const told = async (one: Client): Promise<ReadonlySet<unknown>> => {
      const { json, text } = await one.get(`${TOUR}/${tour}/history`);
      const changes = (json.data ?? []).flatMap((entry) => (Array.isArray(entry['changes']) ? entry['changes'] : []));
      const linked = changes.filter(({ field }) => field === 'places').flatMap((change) => [change.old, change.new]);
      expect(linked.length, text).toBeGreaterThan(0);
      return new Set(linked.flatMap((one: { id: string } | null) => one?.id ?? []));
    };
    expect(await told(as('guide'))).toEqual(new Set([harbour]));
    expect(await told(admin)).toEqual(new Set([harbour, cellar]));
  });

  test('a guide changes no link that leads where they do not see', async () => {
    const guide = as('guide');
    const before = await links(tour);
    expect((await guide.patch(`${TOUR}/${tour}`, { places: { remove: [cellar] } })).status).toBe(200);
    expect((await guide.patch(`${TOUR}/${tour}`, { places: [] })).status).toBe(200);
    expect(await links(tour)).toEqual([cellar]);
    const added = await guide.patch(`${TOUR}/${tour}`, { places: { add: [cellar] } });
    expect([added.status, added.json.errors?.[0]?.pointer]).toEqual([422, '/places']);
    expect((await guide.patch(`${TOUR}/${tour}`, { places: { set: [harbour] } })).status).toBe(200);
    expect(await links(tour)).toEqual(before);
    // Nor from the other side.
    expect((await guide.patch(`${PLACE}/${harbour}`, { tours: { remove: [foreign] } })).status).toBe(200);
    expect(await links(foreign)).toEqual([harbour]);
    const other = await guide.patch(`${PLACE}/${harbour}`, { tours: { add: [foreign] } });
    expect(other.status).toBe(422);
    const pointed = await guide.patch(`${TOUR}/${tour}`, { regarding: { entity: 'custom.place', id: cellar } });
    expect(pointed.status).toBe(422);
  });

  test('what a field is made of decides who sees it', async () => {
    const clerk = as('clerk');
    for (const field of [
      'places(id)',
      'place_count',
      'place_cost',
      'stops(id)',
      'fees',
      'fees_currency',
      'stop_count',
      'hours',
      'city',
      'start_cost',
      'regarding',
      'regarding_place',
      'regarding_id',
      'bookings(id)',
      'seats',
      'paid',
    ]) {
      const { status, json } = await clerk.get(`${TOUR}?$select=${field}`);
      expect([status, json.code], field).toEqual([400, 'unknown_field']);
    }
    const whole = await clerk.get(`${TOUR}/${tour}`);
    expect(
      Object.keys(whole.json.data ?? {}).filter((key) =>
        /place|stop|fee|seat|paid|city|regard|book|hour|walk|long/.test(key),
      ),
    ).toEqual([]);
    expect((await clerk.get(`${PLACE}/${harbour}?$select=tours(id)`)).json.code).toBe('unknown_field');
  });

  test('two permissions to change do not add up', async () => {
    const planner = as('planner');
    const own = await make(TOUR, { name: 'P', places: [harbour] }, planner);
    const linked = await planner.patch(`${TOUR}/${own}`, { places: { add: [cellar] } });
    expect([linked.status, linked.json.data?.version], linked.text).toEqual([200, 2]);
    expect((await links(own)).length).toBe(2);
    expect((await planner.patch(`${TOUR}/${own}`, { name: 'Q' })).status).toBe(403);
    expect((await planner.patch(`${TOUR}/${foreign}`, { name: 'Foreign' })).status).toBe(200);
    expect((await planner.patch(`${TOUR}/${foreign}`, { places: { add: [cellar] } })).status).toBe(403);
    expect((await planner.patch(`${TOUR}/${foreign}`, { name: 'X', places: { add: [cellar] } })).status).toBe(403);
    expect(await links(foreign)).toEqual([harbour]);
  });
});

test('the tables of links answer a role as the API does', async () => {
  const role = `"${database.rolePrefix}_acme__guide"`;
  const { superuser } = database;
  const context = await superuser.query(
    `select proname from pg_proc where pronamespace = 'armature'::regnamespace and proname = 'user_id'`,
  );
  expect(context.rows).toHaveLength(1);
  await superuser.query('begin');
  await superuser.query(`select set_config('armature.user_id', $1, true)`, [owner]);
  await superuser.query(`set local role ${role}`);
  const seen = await superuser.query(`select far from t_acme.l_custom_tours_places`);
  await expect(
    superuser.query(`insert into t_acme.l_custom_tours_places (near, far) values ('${foreign}', '${cellar}')`),
  ).rejects.toThrow(/row-level security/);
  await superuser.query('rollback');
  expect(seen.rows).toEqual([{ far: harbour }]);
});
