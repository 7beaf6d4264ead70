/** Organisations on two Postgres databases, under one address. */
import { beforeAll, expect, test } from 'vitest';
import { createOrganisationOn } from '#engine/cells/place.ts';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';

const home = await testDatabase();
const other = await testDatabase();
const nowhere = { address: { host: '127.0.0.1', port: 1, database: 'none' }, admin: { user: 'x', password: 'x' } };
const testing = await testApp(
  home,
  {},
  new Map([
    ['b', { address: other.address, admin: other.admin }],
    ['gone', nowhere],
  ]),
);
const { cells } = testing.app;
const ACCOUNTS = '/api/crm/v1/accounts';

const organisation = (key: string) => ({
  key,
  name: key,
  country: 'DE',
  currency: 'EUR',
  timeZone: 'Europe/Berlin',
  locale: 'en',
  packs: ['crm'],
  administrator: { email: `ann@${key}.example`, name: 'Ann', password: 'correct horse battery' },
});

beforeAll(async () => {
  await createOrganisationOn(cells, null, organisation('acme'));
  await createOrganisationOn(cells, 'b', organisation('beta'));
});

const signIn = (email: string, more: object = {}) =>
  testing.anonymous.post('/api/session', { email, password: 'correct horse battery', ...more });
const cookieOf = (headers: Headers) => headers.get('set-cookie')?.split(';')[0] ?? '';

test('an organisation lives on its cell alone, and is reached under the same address', async () => {
  const ann = await testing.as('beta', 'ann@beta.example');
  const made = await ann.post(ACCOUNTS, { name: 'On the other side' });
  expect(made.status).toBe(201);
  expect((await ann.get(`${ACCOUNTS}?$select=name`)).json).toMatchObject({ data: [{ name: 'On the other side' }] });
  const schemas = async (of: typeof home) =>
    (await of.superuser.query(`select nspname from pg_namespace where nspname in ('t_acme', 't_beta')`)).rows;
  expect(await schemas(home)).toEqual([{ nspname: 't_acme' }]);
  expect(await schemas(other)).toEqual([{ nspname: 't_beta' }]);
  const acme = await testing.as('acme', 'ann@acme.example');
  expect((await acme.get(ACCOUNTS)).json).toMatchObject({ data: [] });
});

test('a session leads to the cell it was opened on, and ends there', async () => {
  const response = await signIn('ann@beta.example');
  expect([response.status, response.json]).toMatchObject([201, { data: { tenant: 'beta' } }]);
  const cookie = cookieOf(response.headers);
  expect(cookie).toMatch(/^armature_session=arm_b\./);
  const me = () => fetch(`${testing.url}/api/session`, { headers: { cookie } });
  expect((await me()).status).toBe(200);
  const out = await fetch(`${testing.url}/api/session`, {
    method: 'DELETE',
    headers: { cookie, 'x-armature-request': '1' },
  });
  expect(out.status).toBe(204);
  expect((await me()).status).toBe(401);
});

test('who belongs to organisations on several cells chooses', async () => {
  const admin = await testing.as('acme', 'ann@acme.example');
  const both = await admin.post('/api/core/v1/users', { name: 'Both', email: 'ann@beta.example', roles: [] });
  expect(both.status).toBe(201);
  const set = await admin.post(`/api/core/v1/users/${both.json.data?.id}/actions/set_password`, {
    password: 'correct horse battery',
  });
  expect(set.status).toBe(204);
  const undecided = await signIn('ann@beta.example');
  expect(undecided.status).toBe(422);
  const [detail] = undecided.json.errors ?? [];
  expect(detail).toMatchObject({ code: 'organisation_required' });
  expect(JSON.stringify(detail)).toContain('"acme"');
  expect(JSON.stringify(detail)).toContain('"beta"');
  for (const key of ['acme', 'beta']) {
    const chosen = await signIn('ann@beta.example', { organisation: key });
    expect([chosen.status, chosen.json]).toMatchObject([201, { data: { tenant: key } }]);
  }
});

test('a wrong password is answered in the same words, wherever the person lives', async () => {
  const bodies = await Promise.all(
    ['ann@acme.example', 'ann@beta.example', 'nobody@nowhere.example'].map(async (email) => {
      const { status, json } = await testing.anonymous.post('/api/session', { email, password: 'wrong password' });
      return JSON.stringify([status, json.code, json.detail]);
    }),
  );
  expect(new Set(bodies).size).toBe(1);
});

test('a key belongs to one organisation, whatever its cell', async () => {
  await expect(createOrganisationOn(cells, 'b', organisation('acme'))).rejects.toMatchObject({ code: 'unique' });
  await expect(createOrganisationOn(cells, null, organisation('beta'))).rejects.toMatchObject({ code: 'unique' });
  await expect(createOrganisationOn(cells, 'b', { ...organisation('gamma'), country: '?' })).rejects.toMatchObject({
    code: 'invalid',
  });
  // It was not made: the key is free.
  await createOrganisationOn(cells, null, organisation('gamma'));
});

test('a key that was taken and never used is taken up again on its cell, and nowhere else', async () => {
  await cells.directory.place('half', 'b');
  await expect(createOrganisationOn(cells, null, organisation('half'))).rejects.toMatchObject({ code: 'unique' });
  await createOrganisationOn(cells, 'b', organisation('half'));
  await expect(createOrganisationOn(cells, 'b', organisation('half'))).rejects.toMatchObject({ code: 'unique' });
});

test('who lives on a cell out of reach does not hear that their password is wrong', async () => {
  await cells.directory.place('far', 'gone');
  const nobody = await signIn('ann@far.example');
  expect([nobody.status, nobody.json.code]).toEqual([401, 'invalid_credentials']);
  expect(nobody.json.detail).toBe('The e-mail or the password is wrong, or your organisation cannot be reached now.');
  const named = await signIn('ann@far.example', { organisation: 'far' });
  expect([named.status, named.json.code]).toEqual([503, 'unavailable']);
  // The others sign in as always.
  expect((await signIn('ann@acme.example')).status).toBe(201);
});

test('a cell that cannot be reached takes nobody else along', async () => {
  const lost = `arm_gone.${'a'.repeat(43)}`;
  const answer = await fetch(`${testing.url}${ACCOUNTS}`, { headers: { authorization: `Bearer ${lost}` } });
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'unavailable', retryable: true }]);
  await expect(createOrganisationOn(cells, 'gone', organisation('delta'))).rejects.toMatchObject({
    code: 'unavailable',
  });
  const ann = await testing.as('beta', 'ann@beta.example');
  expect((await ann.get(ACCOUNTS)).status).toBe(200);
  const unknown = `arm_never.${'a'.repeat(43)}`;
  const refused = await fetch(`${testing.url}${ACCOUNTS}`, { headers: { authorization: `Bearer ${unknown}` } });
  expect(refused.status).toBe(401);
});
