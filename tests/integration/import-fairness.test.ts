/** One organisation brings in very much; another one's file does not wait for it. */
import { setTimeout as delay } from 'node:timers/promises';
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

async function begin(client: Client, mark: string, rows: number): Promise<string> {
  const form = new FormData();
  const lines = Array.from({ length: rows }, (_, row) => `Person ${row},${mark}-${row}`);
  form.set('file', new File([`Last name,External ID\n${lines.join('\n')}\n`], 'people.csv'));
  const upload = await client.send('POST', `${CONTACTS}/imports`, form);
  expect(upload.status, upload.text).toBe(201);
  const at = `${CONTACTS}/imports/${upload.json.data?.id}`;
  const mapping = { 'Last name': 'last_name', 'External ID': 'external_id' };
  const started = await client.post(`${at}/start`, { mapping });
  expect(started.status, started.text).toBe(202);
  return at;
}

const status = async (client: Client, at: string) => (await client.get(at)).json.data;
const state = async (client: Client, at: string) => String((await status(client, at))?.['state']);

test('an organisation with many imports keeps no other one waiting, and comes to its end', async () => {
  const all: string[] = [];
  for (let turn = 0; turn < MANY; turn++) all.push(await begin(large, `l${turn}`, ROWS));
  const at = await begin(small, 's', 500);
  const began = performance.now();
  while ((await state(small, at)) !== 'done') {
    expect(performance.now() - began).toBeLessThan(60_000);
    await delay(50);
  }
  const waited = performance.now() - began;
  const states = await Promise.all(all.map((one) => state(large, one)));
  const done = states.filter((one) => one === 'done').length;
  console.log(`the small import took ${(waited / 1000).toFixed(1)} s, ${done} of ${MANY} large ones were done by then`);
  expect(done).toBeLessThan(MANY / 2);
  expect(states.filter((one) => one === 'running').length).toBeGreaterThan(0);
  for (const one of all) {
    for (let left = 240_000; ; left -= 100) {
      const now = await status(large, one);
      expect(now?.['state'], JSON.stringify(now)).not.toBe('failed');
      if (now?.['state'] === 'done') {
        expect(now).toMatchObject({ created: ROWS, failed: 0 });
        break;
      }
      expect(left).toBeGreaterThan(0);
      await delay(100);
    }
  }
}, 300_000);
