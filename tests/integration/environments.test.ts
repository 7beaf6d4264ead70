/** From development over staging to production: documents as files, renames that stay renames, drafts of several people. */
import { describe, expect, test } from 'vitest';
import { quote } from '#engine/db/identifiers.ts';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);

type Json = Readonly<Record<string, unknown>>;
const boat = (fields: readonly Json[], more: Json = {}): Json => ({
  kind: 'entity',
  key: 'boat',
  plural: 'boats',
  label: 'Boat',
  title: '{name}',
  fields: [{ key: 'name', type: 'text', required: true }, ...fields],
  ...more,
});
const length = { key: 'length', type: 'integer', label: 'Length' };
const documentsOf = (...more: readonly Json[]): readonly Json[] => [
  { kind: 'role', key: 'sailor', label: 'Sailor', inherits: ['member'] },
  { kind: 'permission', role: 'sailor', entity: 'boat', actions: ['read', 'create', 'update'] },
  { kind: 'flag', key: 'sails', label: 'Sails' },
  { kind: 'entity', pack: 'crm', key: 'account', fields: [{ key: 'mooring', type: 'text' }] },
  ...more,
];

async function environment(key: string): Promise<Client> {
  await makeTenant(app, key);
  return app.as(key, `admin@${key}.example`);
}
const release = async (client: Client) =>
  Number(Object((await client.get('/api/metadata/documents')).json.data)['release']);
const publish = async (client: Client, documents: readonly Json[], base?: number) => {
  const answer = await client.post('/api/metadata/publish', {
    base: base ?? (await release(client)),
    message: 'Next',
    documents,
  });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json.data;
};
const files = async (client: Client): Promise<Readonly<Record<string, string>>> =>
  Object(Object((await client.get('/api/metadata/export')).json.data)['files']);
const documentsIn = (exported: Readonly<Record<string, string>>): readonly Json[] =>
  Object.entries(exported).flatMap(([name, text]) => (name === 'armature.json' ? [] : [JSON.parse(text)]));
const fieldsOf = async (key: string) =>
  [...((await app.app.services.models.get(key)).model.entities.get('custom.boat')?.fields.values() ?? [])]
    // The engine's own and what types bring along follow by name.
    .filter(({ system, key: field }) => !system && !field.endsWith('_currency'))
    .map(({ id, key: field, type }) => [id, field, type.key]);

test('files carry development to staging and production: equal models, and a rename keeps every value', async () => {
  const [dev, staging, production] = [
    await environment('dev'),
    await environment('staging'),
    await environment('production'),
  ];
  await publish(dev, documentsOf(boat([length, { key: 'price', type: 'money' }])));
  const first = await files(dev);
  expect(Object.keys(first)).toEqual([
    'armature.json',
    'boat.entity.json',
    'crm.account.entity.json',
    'sailor.boat.permission.json',
    'sailor.role.json',
    'sails.flag.json',
  ]);
  expect(JSON.parse(first['armature.json'] ?? '')).toMatchObject({ format: 1, packs: { crm: expect.any(String) } });
  await publish(staging, documentsIn(first));
  await publish(production, documentsIn(first));
  expect(await files(staging)).toEqual(first);
  expect(await files(production)).toEqual(first);
  expect(await fieldsOf('production')).toEqual(await fieldsOf('dev'));

  const made = await production.post('/api/custom/v1/boats', {
    name: 'Argo',
    length: 12,
    price: '5.00',
    price_currency: 'USD',
  });
  // In development the key is changed; nothing else says that it is a rename.
  const renamed = documentsIn(first).map((document) =>
    document['key'] === 'boat' && document['kind'] === 'entity'
      ? JSON.parse(
          JSON.stringify(document).replace('"key":"length"', '"key":"loa"').replace('"key":"price"', '"key":"cost"'),
        )
      : document,
  );
  await publish(dev, renamed);
  const second = await files(dev);
  const plan = (await production.post('/api/metadata/plan', { documents: documentsIn(second) })).json.data;
  expect(JSON.stringify(plan?.['steps'])).toContain('rename column');
  await publish(production, documentsIn(second));
  expect(await files(production)).toEqual(second);
  expect(await fieldsOf('production')).toEqual(await fieldsOf('dev'));
  expect((await production.get(`/api/custom/v1/boats/${made.json.data?.id}`)).json.data).toMatchObject({
    loa: 12,
    cost: '5.00',
    cost_currency: 'USD',
  });
  // The entity itself as well: its table keeps its rows, and every record its id and version.
  const ships = documentsIn(second).map((document) =>
    document['kind'] === 'entity' && document['key'] === 'boat'
      ? { ...document, key: 'ship', plural: 'ships' }
      : document['entity'] === 'boat'
        ? { ...document, entity: 'ship' }
        : document,
  );
  await publish(dev, ships);
  await publish(production, documentsIn(await files(dev)));
  expect((await production.get(`/api/custom/v1/ships/${made.json.data?.id}`)).json.data).toMatchObject({
    version: 1,
    cost_currency: 'USD',
  });
  expect((await production.post('/api/metadata/publish', { base: 1, message: 'Late', documents: [] })).json.code).toBe(
    'stale_base',
  );
});

test('a difference says what it means for data and for people', async () => {
  const client = await environment('compare');
  await publish(client, documentsOf(boat([length, { key: 'note', type: 'text' }])));
  await publish(client, [
    { kind: 'role', key: 'sailor', label: 'Sailor', inherits: ['member'] },
    { kind: 'role', key: 'cook', label: 'Cook' },
    {
      kind: 'permission',
      role: 'sailor',
      entity: 'boat',
      actions: ['read', 'update', 'delete'],
      fields: { read: { except: ['length'] } },
      condition: { name: { ne: 'Secret' } },
    },
    boat([
      { ...length, required: true },
      { key: 'memo', was: 'note', type: 'text' },
      { key: 'colour', type: 'text' },
    ]),
  ]);
  const answer = (await client.get('/api/metadata/diff?from=2&to=3')).json.data;
  expect(Object(answer)['effect']).toEqual({
    data: [
      'Account: field Mooring (mooring) is gone; its values are set aside.',
      'Boat: field Length must have a value.',
      'Boat: field note is called memo; its values stay.',
      'Boat: field Colour (colour) is new.',
    ],
    access: [
      'Sailor may read Boats only under a condition now.',
      'Sailor may no longer create Boats.',
      'Sailor may update Boats only under a condition now.',
      'Sailor may now delete Boats (some of them).',
      'Sailor no longer sees Length of Boats.',
      'Role Cook is new.',
    ],
  });
  const changed: readonly { document: string; change: string; properties: readonly Json[] }[] =
    Object(answer)['documents'];
  expect(changed.map(({ document, change }) => `${change} ${document}`)).toEqual([
    'changed entity crm.account',
    'changed entity custom.boat',
    'removed flag custom.sails',
    'changed permission sailor/custom.boat/default',
    'added role cook',
  ]);
  expect(changed[1]?.properties).toContainEqual({ pointer: '/fields/length/required', before: null, after: true });
  expect((await client.get('/api/metadata/diff?from=2&to=99')).status).toBe(404);
  expect((await client.get('/api/metadata/diff?from=x')).json.code).toBe('invalid_parameter');
  expect(Object((await client.get('/api/metadata/diff?from=3&to=3')).json.data)).toMatchObject({
    documents: [],
    effect: { data: [], access: [] },
  });
});

describe('drafts', async () => {
  const ada = await environment('drafts');
  await publish(ada, documentsOf(boat([length])));
  await hire(ada, { name: 'Bo', email: 'bo@drafts.example', roles: ['administrator'] });
  const bo = await app.as('drafts', 'bo@drafts.example');
  const put = (client: Client, name: string, body: unknown, headers = {}) =>
    client.send('PUT', `/api/metadata/drafts/${name}`, JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    });
  const at = (client: Client, name: string, action: string, body: unknown = {}) =>
    client.post(`/api/metadata/drafts/${name}/${action}`, body);
  const boatIn = (documents: unknown): Json => {
    const list: readonly Json[] = Array.isArray(documents) ? documents : [];
    return list.find(({ key, kind }) => kind === 'entity' && key === 'boat') ?? {};
  };

  test('belong to their authors, are seen by the other administrators, and by nobody else', async () => {
    const base = await release(ada);
    const made = await put(ada, 'sails', { base, documents: documentsOf(boat([length])), message: 'Sails' });
    expect([made.status, made.json.data]).toMatchObject([
      201,
      { base, version: 1, authorName: 'admin@drafts.example' },
    ]);
    const author = String(Object(made.json.data)['author']);
    expect((await bo.get(`/api/metadata/drafts/sails?author=${author}`)).json.data).toMatchObject({ message: 'Sails' });
    const byMail = await bo.get('/api/metadata/drafts/sails?author=Admin@Drafts.example');
    expect(byMail.json.data).toMatchObject({ message: 'Sails', author });
    expect((await bo.get('/api/metadata/drafts/sails?author=nobody@drafts.example')).status).toBe(404);
    expect((await bo.get('/api/metadata/drafts/sails')).status).toBe(404);
    expect((await bo.get('/api/metadata/drafts')).json.data).toHaveLength(1);
    expect((await bo.delete('/api/metadata/drafts/sails')).status).toBe(404);
    await hire(ada, { name: 'Cy', email: 'cy@drafts.example', roles: ['sailor'] });
    expect((await (await app.as('drafts', 'cy@drafts.example')).get('/api/metadata/drafts')).status).toBe(403);
    await database.superuser.query('begin');
    await database.superuser.query(`set local role ${quote(`${database.rolePrefix}_drafts__sailor`)}`);
    expect((await database.superuser.query('select from armature.draft')).rowCount).toBe(0);
    await database.superuser.query('rollback');
    // A page that has the draft of before does not overwrite what came since.
    expect((await put(ada, 'sails', { base, documents: [] }, { 'if-match': '"v1"' })).status).toBe(200);
    expect((await put(ada, 'sails', { base, documents: [] }, { 'if-match': '"v1"' })).json.code).toBe(
      'precondition_failed',
    );
    expect((await put(ada, 'sails', { base: 99, documents: [] })).json.errors?.[0]?.pointer).toBe('/base');
    expect((await put(ada, 'Sails!', { base, documents: [] })).json.errors?.[0]?.pointer).toBe('/name');
    expect((await ada.delete('/api/metadata/drafts/sails')).status).toBe(204);
    expect((await ada.get('/api/metadata/drafts')).json.data).toEqual([]);
  });

  test('of two people come together, and both are published', async () => {
    const base = await release(ada);
    await put(ada, 'mine', { base, documents: documentsOf(boat([length, { key: 'colour', type: 'text' }])) });
    await put(bo, 'theirs', {
      base,
      documents: documentsOf(boat([{ ...length, label: 'Length over all' }], { icon: 'sailboat' })),
    });
    const merged = await at(ada, 'mine', 'merge', { from: [{ author: 'BO@drafts.example', name: 'theirs' }] });
    expect([merged.status, boatIn(Object(merged.json.data)['documents'])]).toMatchObject([
      200,
      { icon: 'sailboat', fields: [{ key: 'name' }, { label: 'Length over all' }, { key: 'colour' }] },
    ]);
    expect(JSON.stringify((await at(ada, 'mine', 'plan')).json.data)).toContain('Add field Colour to Boat');
    const published = await at(ada, 'mine', 'publish', { message: 'Together' });
    expect([published.status, published.json.data]).toMatchObject([
      201,
      { number: base + 1, message: 'Together', author: 'admin@drafts.example' },
    ]);
    expect((await ada.get('/api/metadata/drafts/mine')).status).toBe(404);

    // The other draft, on the release of before, asks for nothing that is not there already.
    const rebased = await at(bo, 'theirs', 'rebase');
    expect([rebased.status, rebased.json.data]).toMatchObject([200, { base: base + 1, version: 2 }]);
    expect(Object((await at(bo, 'theirs', 'plan')).json.data)['steps']).toEqual([]);
    await bo.delete('/api/metadata/drafts/theirs');
  });

  test('that disagree are told who and where, and nothing is lost until somebody decides', async () => {
    const base = await release(ada);
    const current = (await ada.get('/api/metadata/documents')).json.data;
    const documents: readonly Json[] = Object(current)['documents'];
    const labelled = (label: string) =>
      documents.map((document) => (document['key'] === 'boat' ? { ...document, label } : document));
    await put(bo, 'ship', { base, documents: labelled('Ship') });
    await publish(ada, labelled('Vessel'));
    const refused = await at(bo, 'ship', 'publish', {});
    expect([refused.status, refused.json.code, refused.json.errors]).toEqual([
      409,
      'draft_conflict',
      [
        {
          code: 'both_changed',
          message: 'admin@drafts.example has changed entity custom.boat, /label as well.',
          document: 'entity custom.boat',
          pointer: '/label',
          params: {
            id: 'entity custom.boat/label',
            author: 'admin@drafts.example',
            base: 'Boat',
            ours: 'Ship',
            theirs: 'Vessel',
            resolutions: ['keep', 'take'],
          },
        },
      ],
    ]);
    expect(await release(bo)).toBe(base + 1);
    expect((await bo.get('/api/metadata/drafts/ship')).json.data).toMatchObject({ base, version: 1 });
    const decided = await at(bo, 'ship', 'publish', { resolutions: { 'entity custom.boat/label': 'keep' } });
    expect(decided.status, decided.text).toBe(201);
    const now = (await ada.get('/api/metadata/documents')).json.data;
    expect(boatIn(Object(now)['documents'])).toMatchObject({ label: 'Ship' });
  });
});
