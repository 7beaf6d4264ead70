/** What an administrator changes about people holds at their next request. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import type { Client } from '#tests/support/http.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { createOrganisation } from '../../engine/organisation.ts';

const testing = await testApp(await testDatabase());
const { services } = testing.app;
let administrator: Client;

beforeAll(async () => {
  await createOrganisation(services, {
    key: 'acme',
    name: 'Acme',
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'en',
    packs: ['crm'],
    administrator: { email: 'ann@acme.example', name: 'Ann' },
  });
  administrator = await testing.as('acme', 'ann@acme.example');
});

const join = async (email: string, roles: readonly string[]) => {
  const made = await administrator.post('/api/core/v1/users', { name: email, email, roles });
  expect(made.status).toBe(201);
  return { id: made.json.data?.id ?? '', client: await testing.as('acme', email) };
};
const accounts = '/api/crm/v1/accounts?$select=id';
const change = async (id: string, body: object) => {
  expect((await administrator.patch(`/api/core/v1/users/${id}`, body)).status).toBe(200);
};

test('a role that is given or taken', async () => {
  const { id, client } = await join('bea@acme.example', []);
  expect((await client.get(accounts)).status).toBe(404);
  await change(id, { roles: ['sales_rep'] });
  expect((await client.get(accounts)).status).toBe(200);
  await change(id, { roles: ['sales_rep', 'support'] });
  expect((await client.get(accounts)).status).toBe(200);
  await change(id, { roles: [] });
  expect((await client.get(accounts)).status).toBe(404);
});

test('a role that does not exist is refused', async () => {
  const user = { name: 'Ida', email: 'ida@acme.example' };
  const made = await administrator.post('/api/core/v1/users', { ...user, roles: ['sales_repp', 'support'] });
  expect([made.status, made.json.errors]).toEqual([
    422,
    [
      {
        code: 'unknown_reference',
        message: 'There is no role “sales_repp”. Did you mean “sales_rep”?',
        pointer: '/roles/0',
        params: { found: 'sales_repp', nearest: 'sales_rep' },
      },
    ],
  ]);
  const { id } = await join('ida@acme.example', ['support']);
  const patched = await administrator.patch(`/api/core/v1/users/${id}`, { roles: ['support', 'boss'] });
  expect([patched.status, patched.json.errors?.[0]?.pointer]).toEqual([422, '/roles/1']);
});

test('a team above one’s own people', async () => {
  const team = async (name: string, parent: string | null) =>
    (await administrator.post('/api/core/v1/teams', { name, parent })).json.data?.id ?? '';
  const north = await team('North', null);
  const coast = await team('Coast', north);
  const { id, client } = await join('cleo@acme.example', ['manager']);
  const rep = await join('dan@acme.example', ['sales_rep']);
  await change(rep.id, { team: coast });
  expect((await rep.client.post('/api/crm/v1/accounts', { name: 'Harbour Mills' })).status).toBe(201);
  const seen = async () => (await client.get(`${accounts}&name=Harbour%20Mills`)).json.data?.length;
  expect(await seen()).toBe(0);
  await change(id, { team: north });
  expect(await seen()).toBe(1);
  expect((await administrator.patch(`/api/core/v1/teams/${coast}`, { parent: null })).status).toBe(200);
  expect(await seen()).toBe(0);
});

test('an end of being active', async () => {
  const { id, client } = await join('eve@acme.example', ['support']);
  expect((await client.get('/api/session')).status).toBe(200);
  await change(id, { active: false });
  expect((await client.get('/api/session')).status).toBe(401);
  await change(id, { active: true });
  expect((await client.get('/api/session')).status).toBe(200);
});

test('another e-mail, with the same password', async () => {
  const { id } = await join('finn@acme.example', ['support']);
  const password = 'a long enough one';
  const set = await administrator.post(`/api/core/v1/users/${id}/actions/set_password`, { password });
  expect(set.status).toBe(204);
  await change(id, { email: 'finn.new@acme.example' });
  await services.identity.signIn({ email: 'finn.new@acme.example', password });
  await expect(services.identity.signIn({ email: 'finn@acme.example', password })).rejects.toThrow('wrong');
});

test('what an import changes, as soon as the outbox tells of it', async () => {
  const { client } = await join('gus@acme.example', []);
  expect((await client.get(accounts)).status).toBe(404);
  const rows = 'email,roles\r\ngus@acme.example,sales_rep\r\nida@acme.example,sales_repp\r\n';
  const form = new FormData();
  form.set('file', new Blob([rows], { type: 'text/csv' }), 'people.csv');
  const { json } = await administrator.send('POST', '/api/core/v1/users/imports', form);
  const address = `/api/core/v1/users/imports/${json.data?.id}`;
  const mapping = { email: { field: 'email' }, roles: { field: 'roles' } };
  expect((await administrator.patch(address, { mapping, upsertBy: ['email'] })).status).toBe(200);
  expect((await administrator.post(`${address}/start`, {})).status).toBe(202);
  await expect.poll(async () => (await client.get(accounts)).status).toBe(200);
  const done = async () => (await administrator.get(address)).json.data;
  await expect.poll(done).toMatchObject({ state: 'done', updated: 1, failed: 1 });
});
