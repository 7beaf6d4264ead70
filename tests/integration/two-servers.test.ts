/**
 * Two processes of one installation: what is done at one of them holds at the other. Vitest runs this file twice, with
 * Redis (project `redis`) and without.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { type Client, client } from '#tests/support/http.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { serverProcesses } from '#tests/support/server-process.ts';
import { hire, letSignIn, makeTenant, PASSWORD } from '#tests/support/tenant.ts';

vi.setConfig({ testTimeout: 300_000 });
/** Without Redis a process hears of another one's changes within half a second; a busy machine takes longer. */
const HEARD = { timeout: 60_000, interval: 10 };
const ADMIN = 'admin@acme.example';
const ACCOUNTS = '/api/crm/v1/accounts';
const LEADS = '/api/crm/v1/leads';

const database = await testDatabase();
const here = await testApp(database);
const { begin } = await serverProcesses(database);
const redisUrl = inject('redisUrl');

let there: string;
/** The administrator, at the one and at the other. */
let near: Client;
let far: Client;
/** What processes told each other over Redis. */
const told: string[] = [];
const listener = redisUrl ? new Redis(redisUrl) : null;

beforeAll(async () => {
  await makeTenant(here, 'acme');
  there = (await begin()).url;
  near = await here.as('acme', ADMIN);
  await letSignIn(near, ADMIN);
  far = await elsewhere(ADMIN);
  await listener?.psubscribe('*:forgotten');
  listener?.on('pmessage', (_pattern, _channel, text: string) => told.push(text));
});
afterAll(() => listener?.disconnect());

/** Somebody at the other process. */
async function elsewhere(email: string): Promise<Client> {
  const { identity } = here.app.services;
  return client(there, (await identity.issueToken({ tenant: 'acme', user: { email }, label: 'there' })).token);
}

const heard = async (what: () => Promise<void>): Promise<number> => {
  const from = performance.now();
  await vi.waitFor(what, HEARD);
  return performance.now() - from;
};

test('who signs in at one is signed in at the other, until they sign out', async () => {
  const signedIn = await client(here.url, null).post('/api/session', { email: ADMIN, password: PASSWORD });
  expect(signedIn.status, signedIn.text).toBe(201);
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const at = (url: string) => client(url, null).get('/api/session', { cookie });
  expect((await at(there)).status).toBe(200);
  const out = await client(there, null).delete('/api/session', { cookie, 'x-armature-request': '1' });
  expect(out.status).toBe(204);
  await heard(async () => expect((await at(here.url)).json.data ?? null).toEqual((await at(there)).json.data ?? null));
  expect((await client(here.url, null).get(`${ACCOUNTS}?$select=id`, { cookie })).status).toBe(401);
});

test('a right that is taken at one is gone at the other, and comes back', async () => {
  const bea = await hire(near, { name: 'Bea', email: 'bea@acme.example', roles: ['sales_rep'] });
  const [beaHere, beaThere] = [await here.as('acme', 'bea@acme.example'), await elsewhere('bea@acme.example')];
  for (const one of [beaHere, beaThere]) expect((await one.get(`${ACCOUNTS}?$select=id`)).status).toBe(200);
  told.length = 0;
  const taken = await near.patch(`/api/core/v1/users/${bea.id}`, { roles: [] });
  expect(taken.status, taken.text).toBe(200);
  // At the one where it was done, at the next request.
  expect((await beaHere.get(`${ACCOUNTS}?$select=id`)).status).toBe(404);
  const first = await heard(async () => expect((await beaThere.get(`${ACCOUNTS}?$select=id`)).status).toBe(404));
  const given = await far.patch(`/api/core/v1/users/${bea.id}`, { roles: ['sales_rep'] });
  expect(given.status, given.text).toBe(200);
  expect((await beaThere.get(`${ACCOUNTS}?$select=id`)).status).toBe(200);
  const second = await heard(async () => expect((await beaHere.get(`${ACCOUNTS}?$select=id`)).status).toBe(200));
  console.log(
    `${redisUrl ? 'with' : 'without'} Redis a change of rights is heard of after ${Math.round(first)} and ${Math.round(second)} ms`,
  );
  // Both told it, and did not leave it to the outbox.
  if (redisUrl)
    await vi.waitFor(
      () => expect(new Set(told.map((text) => text.split(' ')[0])).size).toBeGreaterThanOrEqual(2),
      HEARD,
    );
});

test('a release that is published at one is there at the other', async () => {
  const crate = (...fields: readonly string[]) => [
    {
      kind: 'entity',
      key: 'crate',
      plural: 'crates',
      label: 'Crate',
      title: '{name}',
      fields: ['name', ...fields].map((key) => ({ key, type: 'text', label: key })),
    },
  ];
  const publish = async (by: Client, ...fields: readonly string[]) => {
    const base = Number((await by.get('/api/metadata/documents')).json.data?.['release']);
    const answer = await by.post('/api/metadata/publish', { base, message: 'Crates', documents: crate(...fields) });
    expect(answer.status, answer.text).toBe(201);
  };
  const crates = '/api/custom/v1/crates';
  expect((await far.get(crates)).status).toBe(404);
  await publish(near);
  await heard(async () => expect((await far.get(crates)).status).toBe(200));
  await publish(far, 'size');
  expect((await far.post(crates, { name: 'One', size: 'big' })).status).toBe(201);
  await heard(async () => expect((await near.get(`${crates}?size=big`)).json.data).toMatchObject([{ name: 'One' }]));
});

test('what a publish leaves for afterwards is done once, and both tell of it', async () => {
  const before = (await far.get('/api/metadata/steps')).json.data?.length ?? 0;
  const base = Number((await near.get('/api/metadata/documents')).json.data?.['release']);
  const fields = [{ key: 'name', type: 'text', label: 'Name', index: true }];
  const table = `"t_acme"."custom_boxes"`;
  const box = (more: readonly object[]) => [
    { kind: 'entity', key: 'box', plural: 'boxes', label: 'Box', title: '{name}', fields: [...fields, ...more] },
  ];
  await near.post('/api/metadata/publish', { base, message: 'Boxes', documents: box([]) });
  const { superuser } = database;
  await superuser.query(`alter table ${table} disable trigger user`);
  await superuser.query(
    `insert into ${table} (id, name, version, created_at, updated_at) select gen_random_uuid(), 'b' || g, 1, now(), now() from generate_series(1, 60000) g`,
  );
  await superuser.query(`alter table ${table} enable trigger user`);
  await superuser.query(`analyze ${table}`);
  const size = { key: 'size', type: 'integer', label: 'Size', required: true, default: 3, index: true };
  const published = await near.post('/api/metadata/publish', {
    base: base + 1,
    message: 'Size',
    documents: box([size]),
  });
  expect(published.status, published.text).toBe(201);
  await vi.waitFor(
    async () => {
      const steps: readonly Record<string, unknown>[] = (await far.get('/api/metadata/steps')).json.data ?? [];
      expect(steps.length).toBeGreaterThan(before);
      expect(steps.filter(({ state }) => state !== 'done')).toEqual([]);
    },
    { timeout: 120_000, interval: 100 },
  );
  expect((await near.get('/api/metadata/steps')).json.data).toEqual((await far.get('/api/metadata/steps')).json.data);
  await heard(async () =>
    expect((await far.get('/api/custom/v1/boxes?size=3&$first=1&$count=exact')).json.count).toMatchObject({
      value: 60_000,
    }),
  );
});

test('a file that is brought to one is imported once, whoever does it', async () => {
  const rows = Array.from({ length: 2500 }, (_, index) => `Row ${index},K-${index}`);
  const form = new FormData();
  form.set('file', new File([`Name,Key\n${rows.join('\n')}\n`], 'accounts.csv'));
  const upload = await near.send('POST', `${ACCOUNTS}/imports`, form);
  expect(upload.status, upload.text).toBe(201);
  const at = `${ACCOUNTS}/imports/${upload.json.data?.id}`;
  const started = await far.post(`${at}/start`, { mapping: { Name: 'name', Key: 'external_id' } });
  expect(started.status, started.text).toBe(202);
  await vi.waitFor(
    async () => {
      const [one, other] = [await near.get(at), await far.get(at)];
      expect(one.json.data).toMatchObject({ state: 'done', created: 2500, failed: 0 });
      expect(other.json.data).toEqual(one.json.data);
    },
    { timeout: 120_000, interval: 100 },
  );
  const count = await far.get(`${ACCOUNTS}?external_id[starts]=K-&$select=id&$first=1&$count=exact`);
  expect(count.json.count).toMatchObject({ value: 2500 });
});

test('a flag that is switched at one is switched at the other', async () => {
  const flags = async (by: Client) => (await by.get('/api/metadata/flags')).json.data ?? [];
  const [flag] = await flags(near);
  const name = String(flag?.['flag']);
  const state = async (by: Client): Promise<unknown> =>
    ((await by.get('/api/flags')).json.data as Readonly<Record<string, unknown>> | undefined)?.[name];
  const was = await state(near);
  expect(await state(far)).toEqual(was);
  const put = (by: Client, on: unknown) =>
    by.send('PUT', `/api/metadata/flags/${name}`, JSON.stringify({ on }), { 'content-type': 'application/json' });
  expect((await put(near, !was)).status).toBe(200);
  await heard(async () => expect(await state(far)).toEqual(!was));
  expect((await put(far, was)).status).toBe(200);
  await heard(async () => expect(await state(near)).toEqual(was));
});

test('who listens at one hears of what is written at the other, and the feeds are the same', async () => {
  const since = async (by: Client, token: string) => (await by.get(`${LEADS}/$changes?since=${token}`)).json;
  const begun = String((await far.get(`${LEADS}/$changes`)).json['next']);
  const ended = new AbortController();
  const { identity } = here.app.services;
  const { token } = await identity.issueToken({ tenant: 'acme', user: { email: ADMIN }, label: 'events' });
  const stream = await fetch(`${there}/api/$events?entities=crm.lead`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: ended.signal,
  });
  expect(stream.status).toBe(200);
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => {});
  await vi.waitFor(() => expect(text).toContain('event: ready'), HEARD);
  const made = await near.post(LEADS, { last_name: 'Heard', company: 'Fictional' });
  expect(made.status, made.text).toBe(201);
  await vi.waitFor(() => expect(text).toContain(String(made.json.data?.id)), HEARD);
  ended.abort();
  await reading;
  await vi.waitFor(async () => {
    const [one, other] = [await since(near, begun), await since(far, begun)];
    expect(one.data?.map(({ id }) => id)).toContain(made.json.data?.id);
    expect(other.data).toEqual(one.data);
  }, HEARD);
});
