/** Probable duplicates among many at once: lists, upserts and imports. */
import { expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer } from '../support/http.ts';
import { client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const tokenOf = async (name: string): Promise<string> => {
  const email = `${name}@acme.example`;
  await hire(admin, { name, email, roles: ['sales_rep'] });
  return (await app.app.services.identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' })).token;
};
const token = await tokenOf('rep');
const other = client(app.url, await tokenOf('other'));
const rep = client(app.url, token);
const policiesOnly = client(app.policiesOnly.url, token);

const ACCOUNTS = '/api/crm/v1/accounts';
const prefer = (wish: string) => ({ prefer: `handling=strict, duplicates=${wish}` });
const fir = (await rep.post(ACCOUNTS, { name: 'Fir Works Ltd', external_id: 'fir' })).json.data?.id;
const count = async (): Promise<number> =>
  (await admin.get(`${ACCOUNTS}?$count=exact&$first=1`)).json.count?.value ?? -1;
interface Warning {
  readonly code: string;
  readonly pointer: string;
  readonly record: string;
  readonly params: { readonly id: string };
}
const warnings = ({ json }: Answer): readonly Warning[] => (json['warnings'] ?? []) as readonly Warning[];
const removeAll = async (...ids: readonly (string | undefined)[]): Promise<void> => {
  for (const id of ids) await admin.delete(`${ACCOUNTS}/${id}`);
};

test('a single creation, reported, is made and says what it may be the same as', async () => {
  const made = await rep.post(ACCOUNTS, { name: 'FIR works' }, prefer('report'));
  expect(made.status, made.text).toBe(201);
  const id = made.json.data?.id;
  expect(warnings(made)).toMatchObject([
    { code: 'possible_duplicate', pointer: '', record: id, params: { id: fir, rules: ['same_name'] } },
  ]);
  expect(warnings(await rep.post(ACCOUNTS, { name: 'Nothing like it' }, prefer('report')))).toEqual([]);
  await removeAll(id);
});

test.each([
  ['both layers', rep],
  ['policies only', policiesOnly],
])('a list: refused with the places of all, reported with them, and made when it is meant (%s)', async (_, by) => {
  const secret = (await other.post(ACCOUNTS, { name: 'Secret Works' })).json.data?.id;
  const list = [{ name: 'Oak' }, { name: 'fir works' }, { name: 'Secret works' }, { name: 'FIR-WORKS Inc.' }];
  const before = await count();
  const refused = await by.post(ACCOUNTS, list, prefer('refuse'));
  expect([refused.status, refused.json.code]).toEqual([409, 'possible_duplicate']);
  // What is hidden is like nothing.
  expect(refused.json.errors?.map(({ pointer, params }) => [pointer, params?.['id']])).toEqual([
    ['/1', fir],
    ['/3', fir],
  ]);
  expect(await count()).toBe(before);

  const made = await by.post(ACCOUNTS, list, prefer('report'));
  const ids = made.json.data?.map(({ id }) => id) ?? [];
  expect([made.status, ids.length]).toEqual([201, 4]);
  // Those of one list are found to be like each other.
  expect(warnings(made).map(({ pointer, record, params }) => [pointer, record, params.id])).toEqual(
    expect.arrayContaining([
      ['/1', ids[1], fir],
      ['/1', ids[1], ids[3]],
      ['/3', ids[3], fir],
      ['/3', ids[3], ids[1]],
    ]),
  );
  expect(warnings(made)).toHaveLength(4);
  const meant = await by.post(ACCOUNTS, list, prefer('ignore'));
  expect([meant.status, warnings(meant)]).toEqual([201, []]);
  await removeAll(secret, ...ids, ...(meant.json.data?.map(({ id }) => id) ?? []));
});

test('an upsert looks at what it creates, and not at what it changes', async () => {
  const path = `${ACCOUNTS}?$upsert=external_id`;
  const list = [
    { external_id: 'z', name: 'Fir Works' },
    { external_id: 'fir', name: 'Fir Works' },
    { external_id: 'a', name: 'Ash' },
  ];
  const refused = await rep.post(path, list, prefer('refuse'));
  expect(refused.json.errors?.map(({ pointer, params }) => [pointer, params?.['id']])).toEqual([['/0', fir]]);
  const made = await rep.post(path, list, prefer('report'));
  const [z, changed, a] = made.json.data ?? [];
  expect([z?.['outcome'], changed?.['outcome'], a?.['outcome']]).toEqual(['created', 'updated', 'created']);
  expect(warnings(made).map(({ pointer, record, params }) => [pointer, record, params.id])).toEqual([
    ['/0', z?.id, fir],
  ]);
  const one = await rep.post(path, { external_id: 'y', name: 'fir works' }, prefer('refuse'));
  expect([one.status, one.json.errors?.length]).toEqual([409, 2]);
  const told = await rep.send('PUT', `${ACCOUNTS}/by/external_id/y`, JSON.stringify({ name: 'fir works' }), {
    ...prefer('report'),
    'content-type': 'application/json',
  });
  expect([told.status, warnings(told).length]).toEqual([201, 2]);
  await removeAll(z?.id, a?.id, told.json.data?.id);
});

test('an import tells the rows whose record may be there already, tried or done', { timeout: 180_000 }, async () => {
  const data = new FormData();
  data.set('file', new File(['Name\nPine\nfir works\nSpruce\nFIR WORKS KG\n,\n'], 'accounts.csv'));
  const uploaded = await admin.send('POST', `${ACCOUNTS}/imports`, data);
  expect(uploaded.status, uploaded.text).toBe(201);
  const at = `${ACCOUNTS}/imports/${uploaded.json.data?.id}`;
  expect((await admin.patch(at, { duplicates: 'refuse' })).json.errors?.[0]?.pointer).toBe('/duplicates');
  const run = async (settings: object) => {
    await admin.post(`${at}/start`, { mapping: { Name: 'name' }, duplicates: 'report', ...settings });
    return vi.waitFor(
      async () => {
        const { data: status } = (await admin.get(at)).json;
        expect(status).toMatchObject({ state: 'done' });
        return status;
      },
      { timeout: 60_000 },
    );
  };
  const message = '“Fir Works” may be the same: Same name.';
  for (const settings of [{ dryRun: true }, { dryRun: false }]) {
    const status = await run(settings);
    expect(status).toMatchObject({ created: 4, settings: { duplicates: 'report' }, duplicates: { count: 2 } });
    const { rows } = JSON.parse(JSON.stringify(status?.['duplicates']));
    expect(rows.map(({ line }: { line: number }) => line)).toEqual([3, 5]);
    expect(rows[0].message).toContain(message);
    // Of another row there is a record only when the run was meant.
    const other = { id: settings.dryRun ? null : expect.stringMatching(/^[0-9a-f-]{36}$/), title: 'FIR WORKS KG' };
    expect(rows[0].records).toHaveLength(2);
    expect(rows[0].records).toEqual(
      expect.arrayContaining([
        { id: fir, title: 'Fir Works', rules: ['Same name'] },
        { ...other, rules: ['Same name'] },
      ]),
    );
  }
});
