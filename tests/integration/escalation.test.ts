/** Nobody gives themselves more than an administrator gave them. */
import { describe, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const USERS = '/api/core/v1/users';

const publish = async (base: number, documents: readonly object[]) =>
  admin.post('/api/metadata/publish', { base, message: 'People', documents });

const PEOPLE = { kind: 'role', key: 'people', label: 'People', inherits: ['member'] };
const MAY = { kind: 'permission', role: 'people', entity: 'core.user' };
const ACTIONS = ['read', 'create', 'update', 'import'];

describe('somebody who looks after users and is no administrator', () => {
  test('cannot be allowed to assign roles', async () => {
    const refused = await publish(1, [PEOPLE, { ...MAY, actions: ACTIONS, fields: { update: { only: ['roles'] } } }]);
    expect(refused.status, refused.text).toBe(422);
    expect(refused.json.errors?.[0]).toMatchObject({ pointer: '/fields/update/only/0' });
  });

  test('assigns none: not to themselves, not to others, not through a file, not in SQL', async () => {
    const published = await publish(1, [PEOPLE, { ...MAY, actions: ACTIONS }]);
    expect(published.status, published.text).toBe(201);
    const own = await hire(admin, { name: 'Pia', email: 'pia@acme.example', roles: ['people'] });
    const pia = await app.as('acme', 'pia@acme.example');

    const patched = await pia.patch(`${USERS}/${own.id}`, { roles: ['administrator'] });
    expect([patched.status, patched.json.errors?.[0]?.code]).toEqual([422, 'read_only']);
    const made = await pia.post(USERS, { name: 'Eve', email: 'eve@acme.example', roles: ['administrator'] });
    expect([made.status, made.json.errors?.[0]?.code]).toEqual([422, 'read_only']);
    const plain = await pia.post(USERS, { name: 'Eve', email: 'eve@acme.example' });
    expect(plain.status, plain.text).toBe(201);
    expect((await pia.patch(`${USERS}/${plain.json.data?.id}`, { job_title: 'Clerk' })).status).toBe(200);

    const form = new FormData();
    form.set('file', new File(['name,email,roles\nMal,mal@acme.example,administrator\n'], 'u.csv'));
    const upload = await pia.send('POST', `${USERS}/imports`, form);
    expect(upload.json.data?.mapping).toMatchObject({ email: 'email', roles: null });
    const start = await pia.post(`${USERS}/imports/${upload.json.data?.id}/start`, {
      mapping: { name: 'name', email: 'email', roles: 'roles' },
    });
    expect([start.status, start.json.errors?.[0]?.code]).toEqual([422, 'unknown_field']);

    const { rows } = await database.superuser.query<{ held: boolean }>(
      `select has_column_privilege($1, 't_acme.core_users', 'roles', 'update') or
        has_column_privilege($1, 't_acme.core_users', 'roles', 'insert') as held`,
      [`${database.rolePrefix}_acme__people`],
    );
    expect(rows).toEqual([{ held: false }]);
  });
});

test('a change of a person that is made is answered as made, whatever comes after', async () => {
  const { id } = await hire(admin, { name: 'Tom', email: 'tom@acme.example', roles: ['sales_rep'] });
  const told = vi.spyOn(app.app.services.identity, 'recordChanged').mockRejectedValueOnce(new Error('it is away'));
  const changed = await admin.patch(`${USERS}/${id}`, { job_title: 'Clerk' });
  expect(told).toHaveBeenCalledOnce();
  told.mockRestore();
  expect([changed.status, changed.json.data?.['job_title']]).toEqual([200, 'Clerk']);
});

describe('one’s own settings', () => {
  test('a time zone that is none counts as none, and moves no day', async () => {
    const { id } = await hire(admin, { name: 'Zoe', email: 'zoe@acme.example', roles: ['sales_rep'] });
    const zoe = await app.as('acme', 'zoe@acme.example');
    for (const zone of ['Foo/Bar', 'XYZ+100', 'Z-167', '+12']) {
      const changed = await zoe.patch(`${USERS}/${id}`, { time_zone: zone });
      expect(changed.status).toBe(200);
      expect((await zoe.get('/api/session')).json.data?.['timeZone']).toBe('Europe/Berlin');
      const list = await zoe.get('/api/crm/v1/opportunities?close_date[gte]=@today');
      expect(list.status, list.text).toBe(200);
    }
    await zoe.patch(`${USERS}/${id}`, { time_zone: 'Asia/Tokyo' });
    expect((await zoe.get('/api/session')).json.data?.['timeZone']).toBe('Asia/Tokyo');
  });

  test('a new password ends the other pages, and not the one it is set from', async () => {
    const old = 'a long enough password';
    const { id } = await hire(admin, { name: 'Pat', email: 'pat@acme.example', roles: ['sales_rep'] });
    expect((await admin.post(`${USERS}/${id}/actions/set_password`, { password: old })).status).toBe(204);
    const signIn = async () => {
      const { headers } = await app.anonymous.post('/api/session', { email: 'pat@acme.example', password: old });
      return { cookie: headers.get('set-cookie')?.split(';')[0] ?? '', 'x-armature-request': '1' };
    };
    const [here, elsewhere] = [await signIn(), await signIn()];
    const changed = await app.anonymous.post(
      `${USERS}/${id}/actions/set_password`,
      { password: 'another long password', old_password: old },
      here,
    );
    expect(changed.status, changed.text).toBe(204);
    expect((await app.anonymous.get('/api/session', elsewhere)).status).toBe(401);
    expect((await app.anonymous.get('/api/session', here)).status).toBe(200);
  });
});
