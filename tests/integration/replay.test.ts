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

test('somebody else’s key is another key', async () => {
  const { send } = await begin();
  const other = await admin.post(ACCOUNTS, { name: 'Not mine' }, { 'idempotency-key': `key-${count}` });
  expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([201, null]);
  expect((await send()).headers.get('idempotency-replayed')).toBe('true');
});
