/** Files in and out, and what others change, in a real browser. */
import { writeXlsx } from 'hucre/xlsx';
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
  for (const name of ['Harbour Cranes', 'Lighthouse Foods', 'Quarry & Sons'])
    await admin.post('/api/crm/v1/accounts', { name });
});

async function open(path: string) {
  const opened = await browser.open(app.url + path);
  await signIn(opened.page);
  return opened;
}

test('a list leaves as a file, and shows what others change', async () => {
  const { page, expectClean } = await open('/crm/accounts');
  await page.getByRole('link', { name: 'Harbour Cranes' }).waitFor();
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: 'CSV' }).first().waitFor();
  await shot(page, 'export');
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'CSV' }).first().click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('accounts.csv');
  const text = Buffer.concat(await (await file.createReadStream()).toArray()).toString();
  expect(text).toContain('Quarry & Sons');

  const { json } = await admin.post('/api/crm/v1/accounts', { name: 'Appeared Meanwhile' });
  await page.getByRole('link', { name: 'Appeared Meanwhile' }).waitFor();
  await page.getByRole('link', { name: 'Appeared Meanwhile' }).click();
  await page.getByRole('heading', { name: 'Appeared Meanwhile' }).waitFor();
  await admin.patch(`/api/crm/v1/accounts/${json.data?.id}`, { name: 'Renamed Meanwhile' });
  await page.getByRole('heading', { name: 'Renamed Meanwhile' }).waitFor();
  expectClean();
});

test('what changes after the first read and before anybody listens is shown', async () => {
  const { page, expectClean } = await browser.open(`${app.url}/crm/accounts`);
  const listening = Promise.withResolvers<void>();
  await page.route('**/api/$events**', async (route) => {
    await listening.promise;
    await route.continue();
  });
  await signIn(page);
  await page.getByRole('link', { name: 'Lighthouse Foods' }).waitFor();
  await admin.post('/api/crm/v1/accounts', { name: 'Between The Two' });
  listening.resolve();
  await page.getByRole('link', { name: 'Between The Two' }).waitFor();
  expectClean();
});

test('a sheet of a workbook is chosen, mapped and brought in', async () => {
  const workbook = await writeXlsx({
    sheets: [
      { name: 'Notes', rows: [['Remark'], ['Nothing to import']] },
      {
        name: 'Companies',
        rows: [
          ['Name', 'Employees'],
          ['From Excel Ltd', 12],
          ['Another Sheet Inc', 40],
        ],
      },
    ],
  });
  const { page, expectClean } = await open('/crm/accounts/import');
  await page.getByText('Choose a CSV file or an Excel workbook').waitFor();
  await page.locator('input[type=file]').setInputFiles({
    name: 'companies.xlsx',
    mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    buffer: Buffer.from(workbook),
  });
  await page.getByRole('combobox', { name: 'Sheet' }).click();
  await page.getByRole('option', { name: 'Companies' }).click();
  await page.getByText('From Excel Ltd').waitFor();
  await shot(page, 'import-xlsx');
  await page.getByText('Try first').click();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('Import finished').first().waitFor();
  expect((await admin.get('/api/crm/v1/accounts?name=From+Excel+Ltd&$select=employees')).json.data).toHaveLength(1);
  expectClean();
});
