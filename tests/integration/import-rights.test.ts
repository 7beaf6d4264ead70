/** What a file may ask for and reach: no more than whoever brings it. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { Importer } from '#engine/records/import/importer.ts';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const CONTACTS = '/api/crm/v1/contacts';
const ACCOUNTS = '/api/crm/v1/accounts';

const ROLE = { kind: 'role', key: 'caller', label: 'Caller', inherits: ['member'] };
/** Sees every record, and what identifies it on their own records alone. */
const RIGHTS = [
  ROLE,
  ...[
    { entity: 'crm.account', hidden: ['external_id', 'name'] },
    { entity: 'crm.contact', hidden: ['external_id', 'last_name'] },
  ].flatMap(({ entity, hidden }) => [
    {
      kind: 'permission',
      role: 'caller',
      entity,
      actions: ['read', 'create', 'update', 'import'],
      fields: { read: { except: hidden } },
    },
    { kind: 'permission', key: 'own', role: 'caller', entity, actions: ['read'], conditions: { owner: 'self' } },
  ]),
];

let caller: Client;
beforeAll(async () => {
  const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Callers', documents: RIGHTS });
  expect(published.status, published.text).toBe(201);
  await hire(admin, { name: 'Cal', email: 'cal@acme.example', roles: ['caller'] });
  caller = await app.as('acme', 'cal@acme.example');
});

const bring = async (client: Client, url: string, csv: string, settings: object) => {
  const form = new FormData();
  form.set('file', new File([csv], 'f.csv'));
  const upload = await client.send('POST', `${url}/imports`, form);
  expect(upload.status, upload.text).toBe(201);
  const at = `${url}/imports/${upload.json.data?.id}`;
  const started = await client.post(`${at}/start`, settings);
  if (started.status !== 202) return started.json;
  for (;;) {
    const { json } = await client.get(at);
    if (json.data?.['state'] === 'done' || json.data?.['state'] === 'failed') return json.data;
    await delay(50);
  }
};

test('finds no record by a value that is not shown', async () => {
  const secret = await admin.post(ACCOUNTS, { name: 'Hidden Name', external_id: 'SECRET-1' });
  expect((await caller.get(`${ACCOUNTS}/${secret.json.data?.id}`)).json.data).toMatchObject({
    external_id: null,
    name: null,
  });
  expect((await caller.get(`${ACCOUNTS}?external_id=SECRET-1`)).json.data).toEqual([]);

  const byTitle = await bring(caller, CONTACTS, 'Last name,Account\nA,Hidden Name\n', {
    mapping: { 'Last name': 'last_name', Account: { field: 'account' } },
  });
  expect(byTitle).toMatchObject({ created: 0, failed: 1 });
  const byKey = await bring(caller, CONTACTS, 'Last name,Account\nA,SECRET-1\n', {
    mapping: { 'Last name': 'last_name', Account: { field: 'account', by: 'external_id' } },
  });
  expect(byKey).toMatchObject({ code: 'invalid' });
});

test('updates no record by a value that is not shown', async () => {
  await admin.post(CONTACTS, { last_name: 'Her Own', external_id: 'C-1' });
  const answer = await bring(caller, CONTACTS, 'Last name,Key\nMine,C-1\n', {
    mapping: { 'Last name': 'last_name', Key: 'external_id' },
    upsertBy: ['external_id'],
  });
  expect(answer).toMatchObject({ code: 'invalid', errors: [{ code: 'not_unique', pointer: '/upsertBy' }] });
});

test('tells nothing of a hidden value by leaving the version alone', async () => {
  const { json } = await admin.post(ACCOUNTS, { name: 'Target', external_id: 'GUESS-1' });
  const guess = async (external_id: string) =>
    (await caller.patch(`${ACCOUNTS}/${json.data?.id}`, { external_id })).json.data?.version;
  const before = (await caller.get(`${ACCOUNTS}/${json.data?.id}`)).json.data?.version ?? 0;
  expect(await guess('GUESS-1')).toBe(before + 1);
});

test('ends as failed when whoever started it may no longer act', async () => {
  const { id } = await hire(admin, { name: 'Leo', email: 'leo@acme.example', roles: ['manager'] });
  const leo = await app.as('acme', 'leo@acme.example');
  const form = new FormData();
  form.set('file', new File(['name\nx\n'], 'f.csv'));
  const upload = await leo.send('POST', `${ACCOUNTS}/imports`, form);
  const at = `${ACCOUNTS}/imports/${upload.json.data?.id}`;
  await database.superuser.query(`update t_acme.core_users set active = false where id = $1`, [id]);
  await app.app.services.identity.invalidate('acme');
  const { importer } = app.app.services;
  if (!(importer instanceof Importer)) throw new TypeError('another importer');
  await database.superuser.query(`update armature.import set state = 'queued' where id = $1`, [upload.json.data?.id]);
  const job = { tenant: 'acme', import: upload.json.data?.id, user: id };
  await expect(importer.run(job, { signal: new AbortController().signal, last: true })).rejects.toThrow(
    'no longer act',
  );
  await database.superuser.query(`update t_acme.core_users set active = true where id = $1`, [id]);
  await app.app.services.identity.invalidate('acme');
  expect((await leo.get(at)).json.data).toMatchObject({ state: 'failed' });
});

test('an upload that breaks off leaves nothing and nobody waiting', async () => {
  const { token } = await app.app.services.identity.issueToken({
    tenant: 'acme',
    user: { email: 'admin@acme.example' },
  });
  const upload = vi.spyOn(app.app.services.importer, 'upload');
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(
    `POST ${ACCOUNTS}/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\nname\nx\ny`,
  );
  await expect.poll(() => upload.mock.calls.length).toBe(1);
  socket.destroy();
  await expect.poll(() => upload.mock.settledResults[0]?.type).toBe('rejected');
  upload.mockRestore();
  expect((await app.anonymous.get('/livez')).status).toBe(200);
});
