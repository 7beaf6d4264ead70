/** What publishes leave for afterwards, over HTTP: seen, taken back and tried again, by administrators of its organisation. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer, Client } from '../support/http.ts';
import { ApiDocument, isObject } from '../support/openapi.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

// A step that meets a lock comes again after a pause, which grows.
vi.setConfig({ testTimeout: 120_000 });
const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
await makeTenant(app, 'acme');
await makeTenant(app, 'rival');
const admin = await app.as('acme', 'admin@acme.example');
const rival = await app.as('rival', 'admin@rival.example');
await hire(admin, { name: 'Boss', email: 'boss@acme.example', roles: ['manager'] });
const boss = await app.as('acme', 'boss@acme.example');

const writer = new pg.Client({ ...database.address, ...database.admin });
// What it holds would keep the server from closing.
afterAll(() => writer.end());

const STEPS = '/api/metadata/steps';
const api = new ApiDocument(JSON.parse((await admin.get('/api/openapi.json')).text));

/** Every answer is as the OpenAPI document says. */
async function asked(by: Client, method: 'GET' | 'POST', path: string): Promise<Answer> {
  const answer = await by.send(method, path, null);
  const template = path.replace(/\/steps\/[^/]+\//, '/steps/{number}/');
  const described = api.operations.find((one) => one.method === method && one.path === template);
  const response = described?.responses.get(String(answer.status));
  expect(response, `${method} ${template} ${answer.status}`).toBeDefined();
  const content = isObject(response?.['content']) ? response['content'] : {};
  const media = content[answer.headers.get('content-type')?.split(';')[0] ?? ''];
  expect(api.faults(isObject(media) ? media['schema'] : null, answer.json)).toEqual([]);
  return answer;
}
const newest = async () => (await asked(admin, 'GET', STEPS)).json.data?.[0];
/** Until the newest step is so. */
async function until(state: string) {
  for (;;) {
    const step = await newest();
    if (step?.['state'] === state) return step;
    if (step?.['state'] === 'done' || step?.['state'] === 'failed') throw new Error(JSON.stringify(step));
    await delay(20);
  }
}

/** How many indexes are being built: what is taken back then is interrupted. */
async function building(): Promise<number | null> {
  const { rowCount } = await superuser.query(
    `select from pg_stat_activity where datname = current_database() and state = 'active' and query ~ '^create .*index concurrently'`,
  );
  return rowCount;
}

async function publish(unique: boolean): Promise<void> {
  const base = Number((await admin.get('/api/metadata/documents')).json.data?.['release']);
  const code = { key: 'code', type: 'text', unique };
  const documents = [
    {
      kind: 'entity',
      key: 'crate',
      plural: 'crates',
      label: 'Crate',
      fields: [{ key: 'name', type: 'text', required: true }, code],
    },
  ];
  const answer = await admin.post('/api/metadata/publish', { base, message: 'Crates', documents });
  expect(answer.status, answer.text).toBe(201);
}

test('a step is listed, taken back, tried again, fails in words, and is done when what was in the way is gone', async () => {
  await publish(false);
  await superuser.query(`insert into t_acme.custom_crates (id, name, code) select gen_random_uuid(), 'n' || g, 'c' || g from generate_series(1, 6000) g;
    analyze t_acme.custom_crates`);
  expect((await asked(admin, 'GET', STEPS)).json.data).toEqual([]);
  // Whoever is writing holds up the index, and makes a duplicate nobody sees yet.
  await writer.connect();
  await writer.query('begin');
  await writer.query(`update t_acme.custom_crates set code = 'c1' where code = 'c2'`);
  await publish(true);
  const running = await until('running');
  await expect.poll(building).toBe(1);
  expect(running).toMatchObject({ release: 3, kind: 'index', title: 'Keep Code unique on Crate', error: null });
  const path = (action: string) => `${STEPS}/${String(running['number'])}/${action}`;

  const cancelled = await asked(admin, 'POST', path('cancel'));
  expect([cancelled.status, cancelled.json.data?.[0]?.['state']]).toEqual([200, 'cancelled']);
  expect((await asked(admin, 'POST', path('cancel'))).json).toMatchObject({
    code: 'conflict',
    detail: 'The step is cancelled.',
  });
  const retried = await asked(admin, 'POST', path('retry'));
  expect([retried.status, ['waiting', 'running'].includes(String(retried.json.data?.[0]?.['state']))]).toEqual([
    200,
    true,
  ]);
  await until('running');
  await writer.query('commit');
  const failed = await until('failed');
  expect(failed['error']).toContain('1 values of Code are used by several records of Crate.');
  await superuser.query(`update t_acme.custom_crates set code = name where name = 'n2'`);
  await asked(admin, 'POST', path('retry'));
  expect(await until('done')).toMatchObject({ number: running['number'], error: null, done: 6000, total: 6000 });
  for (const action of ['retry', 'cancel'])
    expect((await asked(admin, 'POST', path(action))).json).toMatchObject({ status: 409, code: 'conflict' });
});

test('is for administrators of the organisation alone, and others’ steps are not there', async () => {
  const number = String((await newest())?.['number']);
  const paths: readonly (readonly ['GET' | 'POST', string])[] = [
    ['GET', STEPS],
    ['POST', `${STEPS}/${number}/cancel`],
    ['POST', `${STEPS}/${number}/retry`],
  ];
  for (const [method, path] of paths) {
    expect([(await asked(app.anonymous, method, path)).status, (await asked(boss, method, path)).status]).toEqual([
      401, 403,
    ]);
  }
  expect((await asked(rival, 'GET', STEPS)).json.data).toEqual([]);
  for (const action of ['cancel', 'retry']) {
    const theirs = await asked(rival, 'POST', `${STEPS}/${number}/${action}`);
    const none = await asked(rival, 'POST', `${STEPS}/999999/${action}`);
    expect([theirs.status, theirs.json.detail]).toEqual([404, none.json.detail]);
    for (const odd of ['0', '-1', 'x', '1e3', '99999999999999999999'])
      expect((await asked(admin, 'POST', `${STEPS}/${odd}/${action}`)).status).toBe(404);
  }
  expect((await admin.send('DELETE', STEPS, null)).status).toBe(405);
});
