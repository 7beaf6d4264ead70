/** A request that is repeated under its Idempotency-Key shows nothing that may no longer be seen. */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const ACCOUNTS = '/api/crm/v1/accounts';
let count = 0;

/** A sales person, and an account they have made under a key. */
const begin = async () => {
  count += 1;
  const email = `rep${count}@acme.example`;
  const { id } = await hire(admin, { name: 'Rep', email, roles: ['sales_rep'] });
  const rep = await app.as('acme', email);
  const body = { name: `Mine ${count}`, annual_revenue: '12345.67' };
  const send = () => rep.post(ACCOUNTS, body, { 'idempotency-key': `key-${count}` });
  const first = await send();
  expect(first.status, first.text).toBe(201);
  return { id, rep, send, first, account: first.json.data?.id ?? '' };
};

test('the same answer for the same rights, also after a change of the record', async () => {
  const { send, first, account } = await begin();
  await admin.patch(`${ACCOUNTS}/${account}`, { name: 'Other' });
  const again = await send();
  expect([again.status, again.text, again.headers.get('etag')]).toEqual([201, first.text, first.headers.get('etag')]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
});

test('nothing of a record that is out of sight', async () => {
  const { send, account, rep } = await begin();
  expect((await admin.delete(`${ACCOUNTS}/${account}`)).status).toBe(204);
  expect((await rep.get(`${ACCOUNTS}/${account}`)).status).toBe(404);
  const again = await send();
  expect([again.status, again.json.data]).toEqual([201, null]);
});

test('what other roles still show', async () => {
  const { send, id, rep, account } = await begin();
  await admin.patch(`/api/core/v1/users/${id}`, { roles: ['support'] });
  const seen = await rep.get(`${ACCOUNTS}/${account}`);
  const again = await send();
  expect(again.status).toBe(201);
  expect(again.json.data ?? null).toEqual(seen.status === 200 ? seen.json.data : null);
  await admin.patch(`/api/core/v1/users/${id}`, { roles: [] });
  expect((await send()).text).not.toContain('12345.67');
});

test('what is shown of some records only, and of others, as far as it is shown now', async () => {
  const documents = [
    { kind: 'role', key: 'clerk', label: 'Clerk', inherits: ['member'] },
    {
      kind: 'permission',
      key: 'names',
      role: 'clerk',
      entity: 'crm.account',
      actions: ['read'],
      fields: { read: { only: ['name'] } },
    },
    ...['crm.account', 'crm.contact'].map((entity) => ({
      kind: 'permission',
      key: 'own',
      role: 'clerk',
      entity,
      actions: ['read', 'create'],
      conditions: { owner: 'self' },
    })),
  ];
  const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Clerks', documents });
  expect(published.status, published.text).toBe(201);
  await hire(admin, { name: 'Cle', email: 'cle@acme.example', roles: ['clerk'] });
  const clerk = await app.as('acme', 'cle@acme.example');
  const post = (path: string, body: object) => clerk.post(path, body, { 'idempotency-key': path });
  const account = await post(ACCOUNTS, { name: 'Mine', annual_revenue: '12345.67' });
  const embedding = '/api/crm/v1/contacts?$select=last_name,account(name,annual_revenue)';
  const contact = { last_name: 'Pip', account: account.json.data?.id };
  expect((await post(embedding, contact)).text).toContain('12345.67');
  const owner = (await admin.get('/api/core/v1/users?email=admin@acme.example')).json.data?.[0]?.id;
  await admin.post(`${ACCOUNTS}/${account.json.data?.id}/actions/assign`, { owner });

  const again = await post(ACCOUNTS, { name: 'Mine', annual_revenue: '12345.67' });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.json.data).toMatchObject({ name: 'Mine', annual_revenue: null });
  expect((await post(embedding, contact)).json.data).toEqual({
    last_name: 'Pip',
    account: { name: 'Mine', annual_revenue: null },
  });
});

test('somebody else’s key is another key', async () => {
  const { send } = await begin();
  const other = await admin.post(ACCOUNTS, { name: 'Not mine' }, { 'idempotency-key': `key-${count}` });
  expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([201, null]);
  expect((await send()).headers.get('idempotency-replayed')).toBe('true');
});
