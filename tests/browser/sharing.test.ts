/** Assigning, sharing, duplicates, merging and the bin, as people meet them. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { expectAccessible, shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, letSignIn, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const ids = new Map<string, string>();

beforeAll(async () => {
  const team = (await admin.post('/api/core/v1/teams', { name: 'North' })).json.data?.id;
  for (const [name, email, role] of [
    ['Mona Marsh', 'mona@acme.example', 'manager'],
    ['Rosa Reyes', 'rosa@acme.example', 'sales_rep'],
    ['Theo Thorne', 'theo@acme.example', 'sales_rep'],
  ] as const) {
    const user = await hire(admin, { name, email, roles: [role], ...(name !== 'Theo Thorne' && team && { team }) });
    await letSignIn(admin, email);
    ids.set(name, user.id);
  }
  const rosa = await app.as('acme', 'rosa@acme.example');
  for (const body of [
    { name: 'Harbour Cranes', sector: 'manufacturing', phone: '+493012345678', tags: ['north'] },
    { name: 'Harbour Cranes Ltd.', website: 'https://cranes.example', employees: 40, tags: ['key'] },
    { name: 'Gone Fishing' },
  ]) {
    const { json } = await rosa.post('/api/crm/v1/accounts', body);
    ids.set(body.name, json.data?.id ?? '');
  }
  const mona = await app.as('acme', 'mona@acme.example');
  await mona.delete(`/api/crm/v1/accounts/${ids.get('Gone Fishing')}`);
});

async function open(email: string, path: string, locale = 'en') {
  const opened = await browser.open(app.url, { locale });
  const { page } = opened;
  await signIn(page, email);
  await page.getByRole('navigation').first().waitFor();
  await page.goto(app.url + path);
  return opened;
}

test('a record is shared with a colleague, who then sees it', async () => {
  const address = `/crm/accounts/${ids.get('Harbour Cranes')}`;
  const { page, expectClean } = await open('rosa@acme.example', address);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Share…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Who has access').waitFor();
  await dialog.getByPlaceholder('Type to search').fill('Theo');
  await page.getByRole('option', { name: 'Theo Thorne' }).click();
  await dialog.getByText('Can edit', { exact: true }).first().click();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('While I am on leave');
  await dialog.getByRole('button', { name: 'Share', exact: true }).click();
  await dialog.getByText('shared by').waitFor();
  await shot(page, 'share');
  await expectAccessible(page);
  expectClean();
  const other = await open('theo@acme.example', address);
  await other.page.getByRole('heading', { name: 'Harbour Cranes' }).waitFor();
  await other.page.getByRole('button', { name: 'Edit' }).waitFor();
  await other.page.getByRole('button', { name: 'More actions' }).click();
  await other.page.getByRole('menuitem').first().waitFor();
  expect(await other.page.getByRole('menuitem', { name: 'Share…' }).count()).toBe(0);
  await dialog.getByRole('button', { name: 'End the share with Theo Thorne' }).click();
  await dialog.getByText('Earlier shares').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByText(/Rosa Reyes.* shared this with .*Theo Thorne/).waitFor();
  await page.getByText(/Rosa Reyes.* ended the share with .*Theo Thorne/).waitFor();
  await shot(page, 'share-history');
  await expectAccessible(page);
});

test('a form warns of a duplicate, and the two are merged side by side', async () => {
  const { page, expectClean } = await open('mona@acme.example', '/crm/accounts/new');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('HARBOUR cranes');
  await page.getByText('This may be here already').waitFor();
  await shot(page, 'duplicate-warning');
  await expectAccessible(page);
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('');
  const winner = ids.get('Harbour Cranes');
  const { page: second, expectClean: clean } = await open('mona@acme.example', `/crm/accounts/${winner}`);
  await second.getByRole('button', { name: 'More actions' }).click();
  await second.getByRole('menuitem', { name: 'Find duplicates…' }).click();
  await second.getByRole('button', { name: 'Merge…' }).waitFor();
  await shot(second, 'duplicates');
  await second.getByRole('button', { name: 'Merge…' }).click();
  await second.getByRole('heading', { name: 'Merge Accounts' }).waitFor();
  await second.getByRole('radio', { name: 'Name of “Harbour Cranes Ltd.”' }).check();
  await shot(second, 'merge');
  await expectAccessible(second);
  await second.getByRole('button', { name: 'Merge', exact: true }).click();
  await second.getByRole('heading', { name: 'Harbour Cranes Ltd.' }).waitFor();
  await second.getByText('cranes.example').waitFor();
  clean();
  expectClean();
  const { json } = await (await app.as('acme', 'mona@acme.example')).get(`/api/crm/v1/accounts/${winner}`);
  expect(json.data).toMatchObject({ employees: 40, phone: '+493012345678', tags: ['north', 'key'] });
});

test('a record is given away, and its giver is back in the list', async () => {
  const { page, expectClean } = await open('rosa@acme.example', `/crm/accounts/${ids.get('Harbour Cranes')}`);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Assign…' }).click();
  await page.getByRole('dialog').getByPlaceholder('Type to search').fill('Theo');
  await page.getByRole('option', { name: 'Theo Thorne' }).click();
  await shot(page, 'assign');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Assign', exact: true }).click();
  await page.getByText('Assigned to').waitFor();
  await page.waitForURL('**/crm/accounts');
  expectClean();
});

test('the bin gives back and forgets', async () => {
  const { page, expectClean } = await open('mona@acme.example', '/crm/accounts');
  await page.getByRole('button', { name: 'Bin' }).click();
  await page.getByRole('checkbox', { name: 'Gone Fishing' }).check();
  await shot(page, 'bin');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Restore' }).click();
  await page.getByText('1 record is back').waitFor();
  await page.getByRole('checkbox', { name: 'Gone Fishing' }).waitFor({ state: 'detached' });
  await page.getByRole('checkbox', { name: 'Harbour Cranes Ltd.' }).check();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('1 record deleted for good').waitFor();
  await page.getByText('The bin is empty').waitFor();
  expectClean();
});
