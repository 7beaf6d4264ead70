/** Texts of a pack reach people in their own language beside the screens as well: in refusals, exports and imports. */
import { beforeAll, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const OPPORTUNITIES = '/api/crm/v1/opportunities';

let german: Client;
beforeAll(async () => {
  await hire(admin, { name: 'Gesine', email: 'gesine@acme.example', roles: ['administrator'], locale: 'de' });
  german = await app.as('acme', 'gesine@acme.example');
});

test('what a step asks for is said in the language of whoever takes it', async () => {
  const won = { name: 'Kran', amount: '0.00', close_date: '2026-03-01' };
  const made = await admin.post(OPPORTUNITIES, won);
  const address = `${OPPORTUNITIES}/${String(made.json.data?.['id'])}/actions`;
  await admin.post(`${address}/engage`, {});
  const told = async (client: Client) =>
    (await client.post(`${address}/win`, {})).json.errors?.map(({ message }) => message);
  expect(await told(german)).toEqual([
    'Eine gewonnene Verkaufschance hat einen Betrag über null und ein Abschlussdatum.',
  ]);
  expect(await told(admin)).toEqual(['A won opportunity has an amount above zero and a closing date.']);
});

test('a file has the labels of whoever exports it, and comes in under them', async () => {
  const select = '$select=name,amount,account(name)&$header=labels';
  const file = async (client: Client) => (await client.get(`${OPPORTUNITIES}/$export?${select}`)).text.split('\r\n')[0];
  expect(await file(german)).toBe('Name,Betrag,Firma: Name');
  expect(await file(admin)).toBe('Name,Amount,Account: Name');
  const form = new FormData();
  form.set('file', new Blob(['Name,Betrag,Stage,Unbekannt\nKran,1.00,,\n'], { type: 'text/csv' }), 'chancen.csv');
  const uploaded = await german.send('POST', `${OPPORTUNITIES}/imports`, form);
  expect(uploaded.json.data?.['mapping']).toEqual({ Name: 'name', Betrag: 'amount', Stage: 'stage', Unbekannt: null });
});

test('what records have in common that may be the same is said in the language of whoever asks', async () => {
  const lead = { last_name: 'Quince', company: 'Quince Ltd.', email: 'office@quince.example' };
  for (let twin = 0; twin < 2; twin += 1) await admin.post('/api/crm/v1/leads', lead);
  const alike = await german.post('/api/crm/v1/leads/$duplicates', lead);
  expect(JSON.stringify(alike.json.data)).toContain('"label":"Ähnlicher Name im selben Unternehmen"');
  const labels = async (client: Client) =>
    (await client.get('/api/crm/v1/leads/$duplicates')).json.data?.map(({ label }) => label);
  expect(await labels(german)).toEqual(['Gleiche E-Mail-Adresse']);
  expect(await labels(admin)).toEqual(['Same e-mail']);
  const form = new FormData();
  form.set('file', new Blob(['last_name,company,email\nQuince,Quince Ltd.,office@quince.example\n']), 'leads.csv');
  const uploaded = await german.send('POST', '/api/crm/v1/leads/imports', form);
  const at = `/api/crm/v1/leads/imports/${uploaded.json.data?.id}`;
  const mapping = Object.fromEntries(['last_name', 'company', 'email'].map((key) => [key, key]));
  await german.post(`${at}/start`, { mapping, duplicates: 'report', dryRun: true });
  const told = await vi.waitFor(
    async () => {
      const { data } = (await german.get(at)).json;
      expect(data).toMatchObject({ state: 'done' });
      return JSON.stringify(data?.['duplicates']);
    },
    { timeout: 60_000 },
  );
  expect(told).toContain('"Gleiche E-Mail-Adresse"');
});
