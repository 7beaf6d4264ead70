/** The server is killed in the middle of an import, twice; the import goes on and every row is there once. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { serverProcesses } from '../support/server-process.ts';
import { makeTenant } from '../support/tenant.ts';

const ROWS = 20_000;
const CONTACTS = '/api/crm/v1/contacts';

const database = await testDatabase();
const servers = await serverProcesses(database);

test('an import survives the end of its server', { timeout: 180_000 }, async () => {
  // The organisation is made by an application that has ended before the server starts.
  const app = await testApp(database);
  await makeTenant(app, 'acme');
  const { token } = await app.app.services.identity.issueToken({
    tenant: 'acme',
    user: { email: 'admin@acme.example' },
  });
  await app.app.close();

  let server = await servers.begin();
  const csv = `Last name,External ID,E-mail\n${Array.from({ length: ROWS }, (_, row) => `Person ${row},C-${row},${row % 50 === 7 ? 'no address' : `p${row}@people.example`}`).join('\n')}\n`;
  const form = new FormData();
  form.set('file', new File([csv], 'people.csv'));
  const upload = await client(server.url, token).send('POST', `${CONTACTS}/imports`, form);
  expect(upload.status, upload.text).toBe(201);
  const at = `${CONTACTS}/imports/${upload.json.data?.id}`;
  const state = async () => (await client(server.url, token).get(at)).json.data;
  const reaches = async (rows: number) => {
    for (let waited = 0; waited < 60_000; waited += 20) {
      const now = await state();
      if (Number(now?.['processed']) >= rows || now?.['state'] === 'done' || now?.['state'] === 'failed') return now;
      await delay(20);
    }
    throw new Error(`stuck: ${JSON.stringify(await state())}`);
  };
  const started = await client(server.url, token).post(`${at}/start`, {
    mapping: { 'Last name': 'last_name', 'External ID': 'external_id', 'E-mail': 'email' },
  });
  expect(started.status, started.text).toBe(202);

  for (const rows of [2000, 7000]) {
    expect((await reaches(rows))?.['state']).toBe('running');
    await server.kill();
    server = await servers.begin();
  }
  const resumed = performance.now();
  const done = await reaches(ROWS + 1);
  console.log(`went on and ended ${((performance.now() - resumed) / 1000).toFixed(1)} s after the last start`);
  const failed = ROWS / 50;
  expect(done).toMatchObject({ state: 'done', processed: ROWS, created: ROWS - failed, failed });
  const { rows } = await database.superuser.query(
    `select count(*)::int as n, count(distinct external_id)::int as keys from t_acme.crm_contacts`,
  );
  expect(rows[0]).toEqual({ n: ROWS - failed, keys: ROWS - failed });
  const errors = await client(server.url, token).get(`${at}/errors.csv`);
  expect(errors.text.trim().split('\r\n')).toHaveLength(failed + 1);
  const left = await database.superuser.query('select count(*)::int as n from armature.import_chunk');
  expect(left.rows[0]?.n).toBe(0);
  await server.kill();
});
