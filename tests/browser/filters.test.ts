/** Filters that a person makes in the editor of a list, beyond single values. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../rules/source.ts';
import { testApp } from '../support/app.ts';
import { testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const PASSWORD = 'correct horse battery';
const shots = join(ROOT, 'test-results');

beforeAll(async () => {
  await mkdir(shots, { recursive: true });
  const { json } = await admin.get('/api/core/v1/users?email=admin@acme.example');
  await admin.post(`/api/core/v1/users/${json.data?.[0]?.id}/actions/set_password`, { password: PASSWORD });
  const parent = await admin.post('/api/crm/v1/accounts', { name: 'Harbour Group' });
  await admin.post('/api/crm/v1/accounts', { name: 'Harbour Cranes', parent: parent.json.data?.id });
});

test('relative dates are chosen from a list and stand in the address', { timeout: 90_000 }, async () => {
  const { page, expectClean } = await browser.open(app.url);
  await page.getByLabel('E-mail').fill('admin@acme.example');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Accounts' }).first().click();
  await page.getByRole('link', { name: 'Harbour Cranes' }).waitFor();
  await page
    .getByRole('button', { name: /filter/i })
    .first()
    .click();
  await page.getByRole('combobox', { name: 'Field' }).click();
  await page.getByRole('option', { name: 'Created at', exact: true }).click();
  await page.getByRole('combobox', { name: 'Value' }).click();
  await page.getByRole('option', { name: 'yesterday' }).waitFor();
  await page.screenshot({ path: join(shots, 'filter-relative-date.png') });
  await page.getByRole('option', { name: 'yesterday' }).click();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect.poll(() => decodeURIComponent(page.url())).toContain('created_at[within]=yesterday');
  await page.screenshot({ path: join(shots, 'filter-applied.png') });
  expectClean();
});
