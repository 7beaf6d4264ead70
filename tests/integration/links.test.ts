/** Links between records of two entities: written from both sides, seen by whoever may see both ends. */
import { describe, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';
import { TOURS, withFields } from './tours.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const release = async (): Promise<number> => {
  const { json } = await admin.get('/api/metadata/documents');
  return Number(json.release ?? json.data?.release);
};
const publish = async (documents: readonly Readonly<Record<string, unknown>>[]): Promise<void> => {
  const base = await release();
  const answer = await admin.post('/api/metadata/publish', { base, message: 'Tours', documents });
  if (answer.status >= 300) throw new Error(answer.text);
};
await publish(TOURS);
const dora = await hire(admin, { name: 'Dora Guide', email: 'dora@acme.example', roles: ['guide'] });
const guide = await app.as('acme', 'dora@acme.example');

const PLACES = '/api/custom/v1/places';
const TOUR_LIST = '/api/custom/v1/tours';
const make = async (url: string, body: Record<string, unknown>, as: Client = admin): Promise<string> => {
  const { json, text, status } = await as.post(url, body);
  if (status !== 201 || !json.data) throw new Error(text);
  return json.data.id;
};
const names = (rows: unknown): unknown =>
  Array.isArray(rows) ? rows.map((row: { name: string }) => row.name).toSorted() : rows;
const placesOf = async (id: string, as: Client = admin) =>
  names((await as.get(`${TOUR_LIST}/${id}?$select=places(name)`)).json.data?.places);

const harbour = await make(PLACES, { name: 'Harbour' });
const museum = await make(PLACES, { name: 'Museum' });
const cellar = await make(PLACES, { name: 'Cellar', secret: true });

describe('writing', () => {
  test('a list says what a record is linked to, as one is made and later', async () => {
    const id = await make(TOUR_LIST, { name: 'A', places: [harbour, cellar, harbour] });
    expect(await placesOf(id)).toEqual(['Cellar', 'Harbour']);
    const changed = await admin.patch(`${TOUR_LIST}/${id}`, { places: [museum, harbour] });
    expect([changed.status, changed.json.data?.version], changed.text).toEqual([200, 2]);
    expect(await placesOf(id)).toEqual(['Harbour', 'Museum']);
    await admin.patch(`${TOUR_LIST}/${id}`, { places: [] });
    expect(await placesOf(id)).toEqual([]);
  });

  test('adds and removes, twice with the same end', async () => {
    const id = await make(TOUR_LIST, { name: 'B', places: { add: [harbour] } });
    for (let times = 0; times < 2; times += 1) {
      const changed = await admin.patch(`${TOUR_LIST}/${id}`, { places: { add: [museum], remove: [harbour, cellar] } });
      expect(changed.status, changed.text).toBe(200);
      expect(await placesOf(id)).toEqual(['Museum']);
    }
  });

  test('from the other side', async () => {
    const id = await make(TOUR_LIST, { name: 'C' });
    expect((await admin.patch(`${PLACES}/${harbour}`, { tours: { add: [id] } })).status).toBe(200);
    expect(await placesOf(id)).toEqual(['Harbour']);
    const query = {
      where: { id: harbour },
      select: ['id', { tours: { select: ['name'], order: ['-name'], first: 1 } }],
    };
    const { json, text } = await admin.post(`${PLACES}/$query`, query);
    expect(names(json.data?.[0]?.['tours']), text).toEqual(['C']);
  });

  test('tells where something is wrong', async () => {
    const id = await make(TOUR_LIST, { name: 'D' });
    const pointers = async (places: unknown) => {
      const { status, json } = await admin.patch(`${TOUR_LIST}/${id}`, { places });
      return [status, json.errors?.map(({ pointer, code }) => `${pointer} ${code}`)];
    };
    expect(await pointers('x')).toEqual([422, ['/places wrong_type']]);
    expect(await pointers(null)).toEqual([422, ['/places wrong_type']]);
    expect(await pointers({ put: [] })).toEqual([422, ['/places wrong_type']]);
    expect(await pointers([harbour, 'x'])).toEqual([422, ['/places/1 wrong_type']]);
    expect(await pointers({ add: [harbour], remove: [harbour] })).toEqual([422, ['/places invalid']]);
    expect(await pointers({ add: [dora.id] })).toEqual([422, ['/places reference']]);
    expect(await pointers(Array.from({ length: 1001 }, () => harbour))).toEqual([422, ['/places too_many']]);
  });

  test('stands in the history of both records', async () => {
    const id = await make(TOUR_LIST, { name: 'E', places: [museum] });
    await admin.patch(`${TOUR_LIST}/${id}`, { name: 'E2', places: { add: [harbour], remove: [museum] } });
    const { json } = await admin.get(`${TOUR_LIST}/${id}/history`);
    const changes = json.data?.[0]?.['changes'];
    expect(changes).toEqual([
      { field: 'name', label: 'Name', old: 'E', new: 'E2' },
      { field: 'places', label: 'Places', old: { id: museum, _title: 'Museum' }, new: null },
      { field: 'places', label: 'Places', old: null, new: { id: harbour, _title: 'Harbour' } },
    ]);
    const other = await admin.get(`${PLACES}/${harbour}/history`);
    expect(JSON.stringify(other.json.data)).toContain(id);
  });
});

test('a file names what a record is linked to, and what it points at', async () => {
  const form = new FormData();
  form.set(
    'file',
    new File(['Name,Places,Regarding: Place\nImported,museum; Harbour;,Harbour\nBad,Museum; Nowhere,\n'], 'f.csv'),
  );
  const upload = await admin.send('POST', `${TOUR_LIST}/imports`, form);
  expect(upload.json.data?.['mapping'], upload.text).toMatchObject({
    Places: 'places',
    'Regarding: Place': 'regarding_place',
  });
  const at = `${TOUR_LIST}/imports/${upload.json.data?.id}`;
  const mapping = { Name: 'name', Places: 'places', 'Regarding: Place': 'regarding_place' };
  await admin.post(`${at}/start`, { mapping });
  const state = await vi.waitFor(async () => {
    const { json } = await admin.get(at);
    expect(json.data?.['state']).toBe('done');
    return json.data;
  }, 60_000);
  expect(state).toMatchObject({ created: 1, failed: 1 });
  const { json } = await admin.get(`${TOUR_LIST}?name=Imported&$select=places(name),regarding(_title)`);
  expect([names(json.data?.[0]?.['places']), json.data?.[0]?.['regarding']]).toEqual([
    ['Harbour', 'Museum'],
    { _title: 'Harbour' },
  ]);
});

describe('publishing', () => {
  test('sets links aside with their field and brings them back', async () => {
    const id = await make(TOUR_LIST, { name: 'F', places: [museum, harbour] });
    const gone = await make(PLACES, { name: 'Ruin' });
    await admin.patch(`${TOUR_LIST}/${id}`, { places: { add: [gone] } });
    const before = await release();
    await publish(withFields('tour', (fields) => fields.filter(({ key, of }) => key !== 'places' && of !== 'places')));
    expect((await admin.get(`${TOUR_LIST}/${id}?$select=places(name)`)).json.code).toBe('unknown_field');
    // Its record goes for good while nobody holds on to it.
    await database.superuser.query(`delete from t_acme.custom_places where id = '${gone}'`);
    const back = await admin.post('/api/metadata/rollback', { to: before, base: await release(), message: 'Back' });
    expect(back.status, back.text).toBeLessThan(300);
    expect(await placesOf(id)).toEqual(['Harbour', 'Museum']);
  });

  test('a renamed field keeps its links', async () => {
    const id = await make(TOUR_LIST, { name: 'G', places: [museum] });
    await publish(
      withFields('tour', (fields) =>
        fields.map((field) => {
          if (field['key'] === 'places') return { ...field, key: 'sights', was: 'places' };
          return field['of'] === 'places' ? { ...field, of: 'sights' } : field;
        }),
      ),
    );
    const { json } = await admin.get(`${TOUR_LIST}/${id}?$select=sights(name)`);
    expect(names(json.data?.sights)).toEqual(['Museum']);
    await publish(
      withFields('tour', (fields) =>
        fields.map((field) => (field['key'] === 'places' ? { ...field, was: 'sights' } : field)),
      ),
    );
    expect(await placesOf(id)).toEqual(['Museum']);
  });
});

test('a guide cannot write links of what they may not change', async () => {
  const foreign = await make(TOUR_LIST, { name: 'H' });
  expect((await guide.patch(`${TOUR_LIST}/${foreign}`, { places: [harbour] })).status).toBe(404);
  const own = await make(TOUR_LIST, { name: 'I' }, guide);
  expect((await guide.patch(`${TOUR_LIST}/${own}`, { places: [harbour] })).status).toBe(200);
  const secret = await guide.patch(`${TOUR_LIST}/${own}`, { places: { add: [cellar] } });
  expect([secret.status, secret.json.errors?.[0]?.code]).toEqual([422, 'reference']);
});
