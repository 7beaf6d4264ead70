/** One organisation brings in very much; another one's file does not wait for it. */
import { expect, test } from 'vitest';
import type { Client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const CONTACTS = '/api/crm/v1/contacts';
/** Imports of the large organisation: several times as many as run together. */
const MANY = 10;
const ROWS = 8000;

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'large');
await makeTenant(app, 'small');
const large = await app.as('large', 'admin@large.example');
const small = await app.as('small', 'admin@small.example');

/** Where the uploaded file is to be found. */
async function upload(client: Client, mark: string, rows: number): Promise<string> {
  const form = new FormData();
  const lines = Array.from({ length: rows }, (_, row) => `Person ${row},${mark}-${row}`);
  form.set('file', new File([`Last name,External ID\n${lines.join('\n')}\n`], 'people.csv'));
  const answer = await client.send('POST', `${CONTACTS}/imports`, form);
  expect(answer.status, answer.text).toBe(201);
  return `${CONTACTS}/imports/${answer.json.data?.id}`;
}

async function start(client: Client, at: string): Promise<void> {
  const mapping = { 'Last name': 'last_name', 'External ID': 'external_id' };
  const answer = await client.post(`${at}/start`, { mapping });
  expect(answer.status, answer.text).toBe(202);
}

const status = async (client: Client, at: string) => (await client.get(at)).json.data;
const state = async (client: Client, at: string) => String((await status(client, at))?.['state']);

const ended = async (all: readonly string[]) =>
  (await Promise.all(all.map((one) => state(large, one)))).filter((one) => one === 'done').length;

test('an organisation with many imports keeps no other one waiting, and comes to its end', async () => {
  const all: string[] = [];
  for (let turn = 0; turn < MANY; turn++) all.push(await upload(large, `l${turn}`, ROWS));
  const at = await upload(small, 's', 500);
  for (const one of all) await start(large, one);
  const before = await ended(all);
  await start(small, at);
  await expect.poll(() => state(small, at), { timeout: 120_000 }).toBe('done');
  const meanwhile = (await ended(all)) - before;
  console.log(`while the small import ran, ${meanwhile} of ${MANY} large ones came to their end`);
  // One after the other, the small one would have waited for all but those that run together.
  expect(meanwhile).toBeLessThan(MANY / 2);
  for (const one of all) {
    await expect.poll(() => state(large, one), { timeout: 240_000, interval: 100 }).toMatch(/done|failed/u);
    expect(await status(large, one)).toMatchObject({ state: 'done', created: ROWS, failed: 0 });
  }
}, 500_000);
