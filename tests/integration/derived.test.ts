/** Values that come from other records: lookups, rollups, references to one of several entities. */
import { describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { TOURS, withFields } from './tours.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const release = async (): Promise<number> => {
  const { json } = await admin.get('/api/metadata/documents');
  return Number(json.release ?? json.data?.release);
};
const publish = async (documents: readonly Readonly<Record<string, unknown>>[]) =>
  admin.post('/api/metadata/publish', { base: await release(), message: 'Tours', documents });
const published = await publish(TOURS);
if (published.status >= 300) throw new Error(published.text);

const TOUR = '/api/custom/v1/tours';
const PLACE = '/api/custom/v1/places';
const BOOKING = '/api/custom/v1/bookings';
const make = async (url: string, body: Record<string, unknown>): Promise<string> => {
  const { json, text, status } = await admin.post(url, body);
  if (status !== 201 || !json.data) throw new Error(text);
  return json.data.id;
};
const read = async (id: string, select: string) => {
  const { json, text } = await admin.get(`${TOUR}/${id}?$select=${select}`);
  if (!json.data) throw new Error(text);
  return json.data;
};
const list = async (query: string) => {
  const { json, text } = await admin.get(`${TOUR}?${query}`);
  if (!json.data) throw new Error(text);
  return json.data.map((row) => row['name']);
};

describe('a rollup over parts', () => {
  test('is right in the answer that made them, and leaves the version alone', async () => {
    const { json, text } = await admin.post(TOUR, {
      name: 'A',
      stops: [
        { name: '1', minutes: 30, fee: '2.50', kind: 'walk' },
        { name: '2', minutes: 90, fee: '10.00', kind: 'meal' },
        { name: '3', kind: 'walk' },
      ],
    });
    expect(json.data, text).toMatchObject({
      version: 1,
      stop_count: 3,
      fees: '12.50',
      fees_currency: 'EUR',
      walking: 30,
      longest: 90,
      hours: '0.50',
    });
  });

  test('without parts is none, and its sum is zero', async () => {
    const id = await make(TOUR, { name: 'B' });
    expect(await read(id, 'stop_count,fees,fees_currency,walking,longest,hours')).toEqual({
      stop_count: 0,
      fees: '0.00',
      fees_currency: null,
      walking: 0,
      longest: null,
      hours: '0.00',
    });
  });

  test('follows parts that change, move and go', async () => {
    const id = await make(TOUR, { name: 'C', stops: [{ name: '1', fee: '5.00' }] });
    const other = await make(TOUR, { name: 'D' });
    const stops = (await read(id, 'stops(id)'))['stops'];
    const [stop] = Array.isArray(stops) ? stops : [];
    await admin.patch(`${TOUR}/${id}`, {
      stops: { update: [{ id: stop.id, fee: '7.00' }], create: [{ name: '2', fee: '1.00' }] },
    });
    expect(await read(id, 'fees,stop_count,version')).toMatchObject({ fees: '8.00', stop_count: 2, version: 2 });
    await database.superuser.query(`update t_acme.custom_stops set tour = '${other}' where id = '${stop.id}'`);
    expect([(await read(id, 'fees'))['fees'], (await read(other, 'fees'))['fees']]).toEqual(['1.00', '7.00']);
    await admin.patch(`${TOUR}/${other}`, { stops: { delete: [stop.id] } });
    expect(await read(other, 'fees,stop_count')).toEqual({ fees: '0.00', stop_count: 0 });
  });

  test('of amounts in several currencies is nothing', async () => {
    const id = await make(TOUR, {
      name: 'E',
      stops: [
        { name: '1', fee: '5.00', fee_currency: 'EUR' },
        { name: '2', fee: '5.00', fee_currency: 'USD' },
        { name: '3', fee_currency: 'CHF' },
      ],
    });
    expect(await read(id, 'fees,fees_currency')).toEqual({ fees: null, fees_currency: null });
  });

  test('is filtered, sorted and grouped by as any field', async () => {
    await make(TOUR, { name: 'many', stops: Array.from({ length: 7 }, (_, n) => ({ name: `${n}`, fee: '100.00' })) });
    expect(await list('fees[gte]=700.00&$select=name')).toEqual(['many']);
    expect((await list('$order=-stop_count&$first=1&$select=name'))[0]).toBe('many');
    const { json } = await admin.get(`${TOUR}?$group=stop_count&$agg=n:count(),all:sum(fees)&stop_count=7`);
    expect(json.data).toEqual([{ stop_count: 7, n: 1, all: '700.00', all_currency: 'EUR' }]);
  });

  test('cannot be written', async () => {
    const answer = await admin.post(TOUR, { name: 'X', fees: '1.00' });
    expect([answer.status, answer.json.errors?.[0]?.code]).toEqual([422, 'read_only']);
  });

  test('has its value in every record once it is published, and another one when it becomes another', async () => {
    const id = await make(TOUR, {
      name: 'F',
      stops: [
        { name: '1', minutes: 10 },
        { name: '2', minutes: 20 },
      ],
    });
    const average = (fn: string) =>
      publish(
        withFields('tour', (fields) => [
          ...fields,
          { key: 'usual', type: 'rollup', of: 'stops', fn, field: 'minutes' },
        ]),
      );
    const plan = await admin.post('/api/metadata/plan', {
      base: await release(),
      documents: withFields('tour', (fields) => [
        ...fields,
        { key: 'usual', type: 'rollup', of: 'stops', fn: 'avg', field: 'minutes' },
      ]),
    });
    expect(plan.text).toContain('every record gets its value');
    expect((await average('avg')).status).toBe(201);
    expect(await read(id, 'usual,version')).toEqual({ usual: '15.00', version: 1 });
    expect((await average('min')).status).toBe(201);
    expect((await read(id, 'usual'))['usual']).toBe(10);
    expect((await publish(TOURS)).status).toBe(201);
  });
});

describe('a rollup over other records', () => {
  test('is what they come to when it is read', async () => {
    const cheap = await make(PLACE, { name: 'p', cost: '3.00' });
    const dear = await make(PLACE, { name: 'q', cost: '4.00' });
    const id = await make(TOUR, { name: 'G', places: [cheap, dear] });
    const booking = await make(BOOKING, { name: 'b', tour: id, seats: 2, paid: '10.00' });
    await make(BOOKING, { name: 'c', tour: id, seats: 1, paid: '99.00' });
    expect(await read(id, 'place_count,place_cost,place_cost_currency,seats,paid')).toEqual({
      place_count: 2,
      place_cost: '7.00',
      place_cost_currency: 'EUR',
      seats: 3,
      paid: '10.00',
    });
    await admin.patch(`${BOOKING}/${booking}`, { seats: 40 });
    await admin.delete(`${PLACE}/${dear}`);
    expect(await read(id, 'place_cost,seats')).toEqual({ place_cost: '3.00', seats: 41 });
    expect(await list('seats[gt]=40&$select=name')).toEqual(['G']);
    const sorted = await list('$order=-seats,name&$select=name&$first=2');
    expect(sorted.length).toBe(2);
    const { json } = await admin.get(`${TOUR}?$agg=all:sum(seats)&name=G`);
    expect(json.data).toEqual([{ all: '41' }]);
  });

  test('pages by it', async () => {
    const names: unknown[] = [];
    let after: string | null = '';
    while (after !== null) {
      const answer = await admin.get(
        `${TOUR}?$order=-seats,name&$select=name,seats&$first=2${after && `&$after=${encodeURIComponent(after)}`}`,
      );
      names.push(...(answer.json.data ?? []).map((row) => row['name']));
      after = answer.json.page?.next ?? null;
    }
    expect(names).toEqual(await list('$order=-seats,name&$select=name'));
  });

  test('behind a reference is empty where the reference is, as any field there', async () => {
    const empty = await make(TOUR, { name: 'nobody comes' });
    await make(BOOKING, { name: 'undecided' });
    await make(BOOKING, { name: 'late', tour: empty });
    const bookings = async (query: string) => {
      const { json, text } = await admin.get(`${BOOKING}?name[in]=undecided,late&${query}&$select=name`);
      if (!json.data) throw new Error(text);
      return json.data.map((row) => row['name']);
    };
    expect(await bookings('tour.seats=0')).toEqual(['late']);
    expect(await bookings('tour.seats[lt]=1')).toEqual(['late']);
    expect(await bookings('tour.seats[null]=true')).toEqual(['undecided']);
    expect(await bookings('$order=tour.seats')).toEqual(['late', 'undecided']);
  });

  test('narrows a list inside a record', async () => {
    const place = await make(PLACE, { name: 'Square' });
    const full = await make(TOUR, { name: 'full', places: [place] });
    await make(TOUR, { name: 'free', places: [place] });
    await make(BOOKING, { name: 'e', tour: full, seats: 9 });
    const { json, text } = await admin.post(`${PLACE}/$query`, {
      where: { id: place },
      select: [{ tours: { select: ['name'], where: { seats: { gt: 5 } } } }],
    });
    expect(json.data, text).toEqual([{ tours: [{ name: 'full' }] }]);
  });

  test('cannot decide about rights or be part of a formula', async () => {
    const rule = {
      kind: 'permission',
      role: 'guide',
      entity: 'tour',
      actions: ['read'],
      condition: { seats: { gt: 1 } },
    };
    const answer = await publish([...TOURS.filter((one) => one['entity'] !== 'tour'), rule]);
    expect([answer.status, answer.text.includes('computed when it is read')]).toEqual([422, true]);
    const formula = { key: 'twice', type: 'formula', returns: 'integer', expr: 'seats * 2' };
    expect((await publish(withFields('tour', (fields) => [...fields, formula]))).status).toBe(422);
  });
});

describe('a lookup', () => {
  test('shows what stands at the end of the reference', async () => {
    const start = await make(PLACE, { name: 's', city: 'Bremen', cost: '8.00' });
    const id = await make(TOUR, { name: 'H', start });
    expect(await read(id, 'city,start_cost,start_cost_currency')).toEqual({
      city: 'Bremen',
      start_cost: '8.00',
      start_cost_currency: 'EUR',
    });
    expect(await list('city=Bremen&$select=name')).toEqual(['H']);
    expect(await list('start_cost[gt]=7&$order=city&$select=name')).toEqual(['H']);
    const { json } = await admin.get(`${TOUR}?$group=city&$agg=n:count()&city=Bremen`);
    expect(json.data).toEqual([{ city: 'Bremen', n: 1 }]);
    await admin.patch(`${TOUR}/${id}`, { start: null });
    expect((await read(id, 'city'))['city']).toBeNull();
  });

  test('is refused when it leads nowhere, or in a circle', async () => {
    const bad = async (field: Record<string, unknown>) =>
      (
        await publish(withFields('tour', (fields) => [...fields, { key: 'l', type: 'lookup', ...field }]))
      ).json.errors?.map(({ pointer, code }) => `${pointer?.split('/').at(-1)} ${code}`);
    expect(await bad({ via: 'name', field: 'x' })).toEqual(['via invalid']);
    expect(await bad({ via: 'start', field: 'nothing' })).toEqual(['field unknown_reference']);
    expect(await bad({ via: 'start', field: 'tours' })).toEqual(['field invalid']);
  });
});

test('all of them fit into the cells of a file', async () => {
  const place = await make(PLACE, { name: 'Dock', city: 'Bremen' });
  const id = await make(TOUR, {
    name: 'Exported',
    start: place,
    places: [place],
    regarding: { entity: 'custom.place', id: place },
    stops: [{ name: 's', fee: '2.00' }],
  });
  const select = 'name,city,places(_title),regarding,fees,fees_currency,place_count';
  const csv = await admin.get(`${TOUR}/$export?$select=${select}&id=${id}`, { accept: 'text/csv' });
  expect(csv.text.trim().split(/\r?\n/).slice(1), csv.text).toEqual(['Exported,Bremen,Dock,Dock,2.00,EUR,1']);
});

describe('a reference to one of several entities', () => {
  test('is written as a pair and read with its title', async () => {
    const place = await make(PLACE, { name: 'Pier' });
    const booking = await make(BOOKING, { name: 'Smith' });
    const { json, text } = await admin.post(TOUR, { name: 'R', regarding: { entity: 'custom.place', id: place } });
    expect(json.data, text).toMatchObject({ regarding: { entity: 'custom.place', id: place, _title: 'Pier' } });
    expect(json.data).not.toHaveProperty('regarding_place');
    const id = json.data?.id ?? '';
    await admin.patch(`${TOUR}/${id}`, { regarding: { entity: 'custom.booking', id: booking } });
    expect(await read(id, 'regarding(_title)')).toEqual({ regarding: { _title: 'Smith' } });
    expect(await list(`regarding.entity=custom.booking&$select=name`)).toEqual(['R']);
    expect(await list(`regarding.id=${booking}&$select=name`)).toEqual(['R']);
    expect(await list(`regarding_booking.name=Smith&$select=name`)).toEqual(['R']);
    const mentions = await admin.get(`${BOOKING}/${booking}?$select=mentions(name)`);
    expect(mentions.json.data).toEqual({ mentions: [{ name: 'R' }] });
    await admin.patch(`${TOUR}/${id}`, { regarding: null });
    expect(await read(id, 'regarding')).toEqual({ regarding: null });
  });

  test('tells where something is wrong', async () => {
    const place = await make(PLACE, { name: 'x' });
    const bad = async (regarding: unknown) =>
      (await admin.post(TOUR, { name: 'x', regarding })).json.errors?.map(({ pointer, code }) => `${pointer} ${code}`);
    expect(await bad({ entity: 'custom.stop', id: place })).toEqual(['/regarding choice']);
    expect(await bad({ entity: 'custom.place', id: 'x' })).toEqual(['/regarding/id uuid']);
    expect(await bad({ entity: 'custom.booking', id: place })).toEqual(['/regarding_booking reference']);
    expect(await bad('x')).toEqual(['/regarding wrong_type']);
    const booking = await make(BOOKING, { name: 'y' });
    const both = await admin.post(TOUR, { name: 'x', regarding_place: place, regarding_booking: booking });
    expect(both.status, both.text).toBe(422);
  });

  test('lets go of what is deleted, and survives a rename of what it points at', async () => {
    const place = await make(PLACE, { name: 'Wharf' });
    const id = await make(TOUR, { name: 'S', regarding: { entity: 'custom.place', id: place } });
    const renamed = TOURS.map((one) =>
      one['kind'] === 'entity' && one['key'] === 'place' ? { ...one, key: 'spot', was: 'place', plural: 'spots' } : one,
    );
    const text = JSON.stringify(renamed).replaceAll('"place"', '"spot"').replace('"was":"spot"', '"was":"place"');
    const answer = await publish(JSON.parse(text));
    expect(answer.status, answer.text).toBe(201);
    expect(await read(id, 'regarding')).toEqual({ regarding: { entity: 'custom.spot', id: place, _title: 'Wharf' } });
    await admin.delete(`/api/custom/v1/spots/${place}`);
    expect(await read(id, 'regarding,regarding_spot')).toEqual({ regarding: null, regarding_spot: null });
  });
});
