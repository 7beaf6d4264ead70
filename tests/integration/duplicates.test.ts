/** Finding records that are probably the same, and refusing to make another one. */
import { describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { type Client, client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const tokenOf = async (name: string, role: string): Promise<string> => {
  const email = `${name}@acme.example`;
  await hire(admin, { name, email, roles: [role] });
  return (await app.app.services.identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' })).token;
};
const rep = await tokenOf('rep', 'sales_rep');
const other = await tokenOf('other', 'sales_rep');
const support = await tokenOf('support', 'support');

const LEADS = '/api/crm/v1/leads';
const ACCOUNTS = '/api/crm/v1/accounts';
const mine = client(app.url, rep);
const make = async (path: string, body: object, by: Client = mine): Promise<string> => {
  const { json, text } = await by.post(path, body);
  if (!json.data) throw new Error(text);
  return json.data.id;
};
interface Found {
  readonly id: string;
  readonly score: number;
  readonly reasons: readonly { readonly rule: string }[];
}
const like = async (path: string, draft: object, by: Client = mine): Promise<readonly Found[]> => {
  const answer = await by.post(`${path}/$duplicates`, draft);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.data as unknown as readonly Found[];
};

const account = await make(ACCOUNTS, { name: 'Müller & Söhne GmbH', website: 'https://www.mueller.example/de' });
const lead = await make(LEADS, {
  last_name: 'Fernandez',
  company: 'Quince Ltd.',
  email: 'J.Fernandez@Quince.example',
});
const hidden = await make(ACCOUNTS, { name: 'Secret Works' }, client(app.url, other));

describe.each([
  { mode: 'both layers', url: app.url },
  { mode: 'policies only', url: app.policiesOnly.url },
])('$mode', ({ url }) => {
  const by = client(url, rep);

  test('alike are names without case, accents, punctuation and legal forms', async () => {
    for (const name of ['muller und sohne', 'MULLER  SOHNE', 'Müller-Söhne, Inc.', 'müller & söhne']) {
      const found = await like(ACCOUNTS, { name }, by);
      expect(found, name).toMatchObject(
        name.includes('und') ? [] : [{ id: account, score: 1, reasons: [{ rule: 'same_name' }] }],
      );
    }
  });

  test('alike are web addresses of one host, and e-mails whatever their case', async () => {
    expect(await like(ACCOUNTS, { website: 'http://mueller.example/about' }, by)).toMatchObject([{ id: account }]);
    expect(await like(LEADS, { email: 'j.fernandez@QUINCE.example' }, by)).toMatchObject([{ id: lead, score: 1 }]);
  });

  test('fuzzy fields count by how alike they are, with the others of the rule', async () => {
    const [found] = await like(LEADS, { last_name: 'Fernándes', company: 'QUINCE' }, by);
    expect(found).toMatchObject({ id: lead, reasons: [{ rule: 'same_person' }] });
    expect(found?.score).toBeGreaterThan(0.7);
    expect(found?.score).toBeLessThan(1);
    expect(await like(LEADS, { last_name: 'Fernández', company: 'Another' }, by)).toEqual([]);
    expect(await like(LEADS, { last_name: 'Okafor', company: 'Quince' }, by)).toEqual([]);
    expect(await like(LEADS, { last_name: 'Fernandez' }, by)).toEqual([]);
  });

  test('a record is not its own duplicate, and nonsense is like nothing', async () => {
    expect(await like(ACCOUNTS, { id: account, name: 'Müller & Söhne' }, by)).toEqual([]);
    for (const draft of [{}, { name: '' }, { name: 'GmbH' }, { name: 5 }, { name: null }, { nonsense: 1 }])
      expect(await like(ACCOUNTS, draft, by)).toEqual([]);
    expect((await by.post(`${ACCOUNTS}/$duplicates`, ['no draft'])).status).toBe(422);
  });

  test('what may not be read is like nothing', async () => {
    expect(await like(ACCOUNTS, { name: 'Secret Works' }, by)).toEqual([]);
    expect(await like(ACCOUNTS, { name: 'Secret Works' }, client(url, other))).toMatchObject([{ id: hidden }]);
    const made = await by.post(`${ACCOUNTS}?$select=id`, { name: 'Secret works' }, { prefer: 'duplicates=refuse' });
    expect(made.status, made.text).toBe(201);
    await admin.delete(`${ACCOUNTS}/${made.json.data?.id}`);
    expect((await client(url, support).post(`${LEADS}/$duplicates`, { email: 'x@y.example' })).status).toBe(404);
  });

  test('a creation is refused on wish, and made when it is meant', async () => {
    const body = { name: 'müller söhne' };
    const refused = await by.post(ACCOUNTS, body, { prefer: 'duplicates=refuse' });
    expect([refused.status, refused.json.code]).toEqual([409, 'possible_duplicate']);
    expect(refused.json.errors).toMatchObject([
      { code: 'possible_duplicate', params: { id: account, score: 1, rules: ['same_name'] } },
    ]);
    const made = await by.post(ACCOUNTS, body, { prefer: 'duplicates=ignore' });
    expect(made.status).toBe(201);
    const groups = await by.get(`${ACCOUNTS}/$duplicates`);
    expect(groups.json.data).toMatchObject([{ rule: 'same_name', count: 2 }]);
    expect(groups.text).toContain(account);
    await admin.delete(`${ACCOUNTS}/${made.json.data?.id}`);
    expect((await by.get(`${ACCOUNTS}/$duplicates`)).json.data).toEqual([]);
  });
});

test('a rule refuses by itself where the organisation says so, for those who may read its fields', async () => {
  const current = await admin.get('/api/metadata/documents');
  const entity = {
    kind: 'entity',
    key: 'badge',
    plural: 'badges',
    label: 'Badge',
    owner: true,
    fields: [
      { key: 'code', type: 'text', label: 'Code', required: true },
      { key: 'serial', type: 'integer', label: 'Serial' },
    ],
    duplicates: [
      { key: 'same', match: [{ field: 'code', how: 'fuzzy', threshold: 0.6 }], onCreate: 'refuse' },
      { key: 'number', match: [{ field: 'serial', how: 'exact' }] },
    ],
  };
  const permission = {
    kind: 'permission',
    role: 'sales_rep',
    entity: 'badge',
    actions: ['create', 'read'],
    fields: { read: { only: ['serial'] } },
  };
  const published = await admin.post('/api/metadata/publish', {
    base: current.json['release'] ?? current.json.data?.['release'],
    message: 'Badges',
    documents: [entity, permission],
  });
  expect(published.status, published.text).toBeLessThan(300);
  const { model } = await app.app.services.models.get('acme');
  const path = [...model.entities.values()].find(({ key }) => key === 'badge');
  const badges = `/api/${path?.pack}/v1/badges`;
  await make(badges, { code: 'Bravo seven', serial: 7 }, admin);
  expect((await admin.post(badges, { code: 'BRAVO  SEVEN!' })).status).toBe(409);
  expect((await admin.post(badges, { code: 'Kilo nine' })).status).toBe(201);
  // Who may not read the code is not told that it is there.
  expect((await mine.post(badges, { code: 'Bravo seven' })).status).toBe(201);
  expect(await like(badges, { serial: 7 })).toHaveLength(1);
  expect(await like(badges, { code: 'Bravo seven' })).toEqual([]);
});

test('rules that cannot work are refused with their place', async () => {
  const current = await admin.get('/api/metadata/documents');
  const answer = await admin.post('/api/metadata/plan', {
    base: current.json['release'] ?? current.json.data?.['release'],
    documents: [
      {
        kind: 'entity',
        key: 'thing',
        plural: 'things',
        label: 'Thing',
        fields: [
          { key: 'size', type: 'integer' },
          { key: 'marks', type: 'tags' },
        ],
        duplicates: [
          { key: 'a', match: [{ field: 'size', how: 'fuzzy' }] },
          { key: 'b', match: [{ field: 'marks', how: 'exact' }] },
          { key: 'b', match: [{ field: 'nothing', how: 'exact' }] },
        ],
      },
    ],
  });
  expect(answer.status).toBe(422);
  expect(answer.json.errors?.map(({ pointer }) => pointer)).toEqual(
    expect.arrayContaining([
      '/duplicates/0/match/0/field',
      '/duplicates/1/match/0/field',
      '/duplicates/2/key',
      '/duplicates/2/match/0/field',
    ]),
  );
});
