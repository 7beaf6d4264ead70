/** The server is killed in the middle of an import, twice; the import goes on and every row is there once. */
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { serverProcesses } from '../support/server-process.ts';
import { makeTenant } from '../support/tenant.ts';

const ROWS = 20_000;
const CONTACTS = '/api/crm/v1/contacts';
const SOON = { timeout: 120_000, interval: 20 };

const database = await testDatabase();
const servers = await serverProcesses(database);

/** Somebody who has made a contact of this key and not committed it: an import waits there, in the middle of its rows. */
async function holdAt(row: number): Promise<pg.Client> {
  const holder = new pg.Client({ ...database.address, ...database.admin });
  await holder.connect();
  await holder.query('begin');
  await holder.query(
    `insert into t_acme.crm_contacts (id, last_name, external_id) values (gen_random_uuid(), 'Held', $1)`,
    [`C-${row}`],
  );
  return holder;
}

test('an import survives the end of its server', { timeout: 900_000 }, async () => {
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
  const holders = [await holdAt(2500), await holdAt(7500)];
  const started = await client(server.url, token).post(`${at}/start`, {
    mapping: { 'Last name': 'last_name', 'External ID': 'external_id', 'E-mail': 'email' },
  });
  expect(started.status, started.text).toBe(202);

  for (const [at, holder] of holders.entries()) {
    await vi.waitFor(async () => {
      expect(await state()).toMatchObject({ state: 'running', processed: [2000, 7000][at] });
      const { rowCount } = await database.superuser.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBeGreaterThan(0);
    }, SOON);
    await server.kill();
    await holder.end();
    server = await servers.begin();
  }
  const resumed = performance.now();
  const failed = ROWS / 50;
  await vi.waitFor(async () => {
    const expected = { state: 'done', processed: ROWS, created: ROWS - failed, failed };
    expect(await state()).toMatchObject(expected);
  }, SOON);
  console.log(`went on and ended ${((performance.now() - resumed) / 1000).toFixed(1)} s after the last start`);
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
