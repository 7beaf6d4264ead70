/** Filters that a person makes in the editor of a list, beyond single values. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { letSignIn, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

beforeAll(async () => {
  await letSignIn(admin, 'admin@acme.example');
  const parent = await admin.post('/api/crm/v1/accounts', { name: 'Harbour Group' });
  await admin.post('/api/crm/v1/accounts', { name: 'Harbour Cranes', parent: parent.json.data?.id });
});

test('relative dates are chosen from a list and stand in the address', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page);
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
  await shot(page, 'filter-relative-date');
  await page.getByRole('option', { name: 'yesterday' }).click();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect.poll(() => decodeURIComponent(page.url())).toContain('created_at[within]=yesterday');
  await shot(page, 'filter-applied');
  expectClean();
});
