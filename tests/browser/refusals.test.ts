/** What the server refuses is said in the language of the screens, beside the field it is about. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { expectAccessible, shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { letSignIn, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

beforeAll(async () => {
  await letSignIn(admin, 'admin@acme.example');
  await admin.post('/api/crm/v1/products', { name: 'Crane', code: 'CR-1' });
});

test('a German reads in German what only the server can know', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page, 'admin@acme.example');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByText('Deutsch').click();
  await page.goto(`${app.url}/crm/products/new`);
  await page.getByLabel('Name').fill('Kran');
  await page.getByLabel('Code').fill('CR-1');
  await page.getByRole('button', { name: 'Anlegen' }).click();
  await page.getByText('Das hat schon ein anderer Datensatz.').waitFor();
  await page.getByText('1 Wert ist zu prüfen').waitFor();
  expect(await page.getByLabel('Code').getAttribute('aria-invalid')).toBe('true');
  expect(await page.getByText(/already|another record/).count()).toBe(0);
  await shot(page, 'refusal-german');
  await expectAccessible(page);
  expectClean();
});
