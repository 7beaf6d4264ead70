/** Shaping an organisation over HTTP alone: sign in, plan, publish, use what was published, roll back. Real services, no double. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import pino from 'pino';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { systemClock, systemIds } from '../clock.ts';
import { Database } from '../db/database.ts';
import { PasswordIdentity } from '../identity/password-identity.ts';
import { addAdministrator } from '../organisation.ts';
import { Reader } from '../records/read/reader.ts';
import { Writer } from '../records/write/writer.ts';
import { ModelStore } from '../schema/model-store.ts';
import { Publisher } from '../schema/publish.ts';
import { ensureRoleSet } from '../schema/role-sets.ts';
import { createTenant } from '../schema/tenants.ts';
import { createHttp } from './server.ts';
import { at, each, textAt } from './test-answer.ts';
import { testServices } from './test-services.ts';

const { address, app, owner } = await testDatabase();
const database = new Database({ address, app, owner });
const models = new ModelStore({ database });
const common = { database, clock: systemClock, ids: systemIds, models };
const secret = 's'.repeat(32);
const services = {
  ...common,
  publisher: new Publisher({ database, onPublished: models.published }),
  reader: new Reader({ database, secret, clock: systemClock }),
  writer: new Writer(common),
  identity: new PasswordIdentity({ ...common, roleSet: (tenant, roles) => ensureRoleSet(database, tenant, roles) }),
  importer: testServices().services.importer,
  log: pino({ level: 'silent' }),
  secret,
  publicUrl: 'http://localhost:3000',
};
const server = createServer(createHttp(services));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const listening = server.address();
const base = `http://127.0.0.1:${typeof listening === 'object' && listening !== null ? listening.port : 0}`;
let cookie = '';

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await models.close();
  await database.close();
});

/** As the screens ask: with the session's cookie. */
async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      cookie,
      'x-armature-request': '1',
      origin: base,
      'sec-fetch-site': 'same-origin',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

const boat = {
  kind: 'entity',
  key: 'boat',
  plural: 'boats',
  label: 'Boat',
  pluralLabel: 'Boats',
  title: '{name}',
  fields: [
    { key: 'name', type: 'text', required: true },
    { key: 'length', type: 'decimal', scale: 1 },
  ],
};

test('an administrator signs in, publishes an entity, uses it and takes it back', async () => {
  await createTenant(
    { ...common, publisher: services.publisher },
    {
      key: 'acme',
      name: 'Acme',
      country: 'DE',
      currency: 'EUR',
      timeZone: 'Europe/Berlin',
      locale: 'en',
      packs: [],
    },
  );
  const { password } = await addAdministrator(services, 'acme', {
    name: 'Ada',
    email: 'ada@acme.test',
  });
  const signedIn = await ask('POST', '/api/session', { email: 'ada@acme.test', password });
  expect(signedIn.status).toBe(201);
  cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(at(await ask('GET', '/api/ui/model'), 'user')).toMatchObject({ name: 'Ada', administrator: true });

  const before = await ask('GET', '/api/metadata/documents');
  expect(at(before, 'data')).toMatchObject({ release: 1, documents: [] });
  const documents = [boat];
  const plan = await ask('POST', '/api/metadata/plan', { base: 1, documents });
  expect(at(plan, 'data')).toMatchObject({ base: 1, next: 2 });
  expect((await ask('GET', '/api/custom/v1/boats')).status).toBe(404);

  const published = await ask('POST', '/api/metadata/publish', { base: 1, message: 'Boats.', documents });
  expect([published.status, at(published, 'data')]).toMatchObject([
    201,
    { number: 2, author: 'ada@acme.test', message: 'Boats.' },
  ]);
  expect(at(await ask('POST', '/api/metadata/publish', { base: 1, message: 'Late.', documents }), 'code')).toBe(
    'stale_base',
  );

  const made = await ask('POST', '/api/custom/v1/boats', { name: 'Argo', length: '12.5' });
  expect([made.status, at(made, 'data')]).toMatchObject([201, { name: 'Argo', length: '12.5' }]);
  expect(at(await ask('GET', '/api/ui/model'), 'entities/custom.boat')).toMatchObject({
    url: '/api/custom/v1/boats',
    can: { create: true },
  });
  expect(Object.keys(Object(at(await ask('GET', '/api/openapi.json'), 'paths')))).toContain(
    '/api/custom/v1/boats/{id}',
  );

  const back = await ask('POST', '/api/metadata/rollback', { base: 2, to: 1, message: 'No boats.' });
  expect([back.status, at(back, 'data/number')]).toEqual([201, 3]);
  expect((await ask('GET', '/api/custom/v1/boats')).status).toBe(404);
  expect(each(await ask('GET', '/api/metadata/releases'), 'number')).toEqual([3, 2, 1]);
  expect(at(await ask('GET', '/api/metadata/releases/2'), 'data')).toMatchObject({ number: 2, message: 'Boats.' });
  expect((await ask('GET', '/api/metadata/releases/4')).status).toBe(404);

  const wrong = await ask('POST', '/api/metadata/plan', {
    documents: [{ ...boat, fields: [{ key: 'name', type: 'txt' }] }],
  });
  expect([wrong.status, at(wrong, 'code')]).toEqual([422, 'invalid_document']);
});

test('an administrator sets a colleague’s password, and others do not', async () => {
  const colleague = await ask('POST', '/api/core/v1/users', { name: 'Bo', email: 'bo@acme.test', roles: ['member'] });
  expect(colleague.status).toBe(201);
  const address = `/api/core/v1/users/${textAt(colleague, 'data/id')}/actions/set_password`;
  expect(at(await ask('POST', address, {}), 'errors')).toMatchObject([{ pointer: '/password' }]);
  expect((await ask('POST', address, { password: 'correct horse battery' })).status).toBe(204);
  const mine = cookie;
  cookie = '';
  const signedIn = await ask('POST', '/api/session', { email: 'bo@acme.test', password: 'correct horse battery' });
  cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const me = await ask('GET', '/api/session');
  expect(at(me, 'data/user')).toMatchObject({ name: 'Bo' });
  const admin = textAt(await ask('GET', '/api/core/v1/users?email=ada@acme.test'), 'data/0/id');
  expect(
    (await ask('POST', `/api/core/v1/users/${admin}/actions/set_password`, { password: 'correct horse battery 2' }))
      .status,
  ).toBe(403);
  expect((await ask('GET', '/api/metadata/documents')).status).toBe(403);
  expect((await ask('DELETE', '/api/session')).status).toBe(204);
  expect((await ask('GET', '/api/session')).status).toBe(401);
  cookie = mine;
});
