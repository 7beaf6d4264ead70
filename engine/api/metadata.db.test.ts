/** Shaping an organisation over HTTP alone: sign in, plan, publish, use what was published, roll back. Real services, no double. */
import { expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { addAdministrator } from '../organisation.ts';
import { createTenant } from '../schema/tenants.ts';
import { at, each, textAt } from './testing/answer.ts';

const {
  url: base,
  app: { services },
} = await testApp(await testDatabase());
let cookie = '';

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
  await createTenant(services, {
    key: 'acme',
    name: 'Acme',
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'en',
    packs: [],
  });
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
