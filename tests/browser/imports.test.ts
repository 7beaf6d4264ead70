/** What an import says of rows that may be there already. */
import { beforeAll, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { expectAccessible, shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { letSignIn, makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
let cranes = '';

beforeAll(async () => {
  await letSignIn(admin, 'admin@acme.example');
  cranes = (await admin.post('/api/crm/v1/accounts', { name: 'Harbour Cranes Ltd' })).json.data?.id ?? '';
});

/** Opens the import with a file whose columns are mapped. */
async function opened(locale: string, rows: readonly string[]) {
  const { page, expectClean } = await browser.open(app.url, { locale });
  await signIn(page);
  await page.locator('nav').first().waitFor();
  await page.goto(`${app.url}/crm/accounts/import`);
  const buffer = Buffer.from(['Name', ...rows].join('\n'));
  await page.locator('input[type=file]').setInputFiles({ name: 'companies.csv', mimeType: 'text/csv', buffer });
  return { page, expectClean };
}

test('rows that may be there already are told, with links to what they resemble', async () => {
  const rows = ['Quarry Sample', 'harbour cranes', 'Lighthouse Sample', 'LIGHTHOUSE SAMPLE Ltd'];
  const { page, expectClean } = await opened('en', rows);
  expect(await page.getByRole('checkbox', { name: 'Look for records that may be there already' }).isChecked()).toBe(
    true,
  );
  await shot(page, 'import-look');
  await page.getByRole('button', { name: 'Check the file' }).click();
  const told = page.getByRole('region', { name: 'May be there already' });
  await told.getByText('Line 3').waitFor();
  await told.getByText('3 rows').waitFor();
  expect(await told.getByRole('listitem').allInnerTexts()).toEqual([
    expect.stringMatching(/^Line 3\s+Harbour Cranes Ltd Same name$/),
    expect.stringMatching(/^Line 4\s+“LIGHTHOUSE SAMPLE Ltd”, another row of this file Same name$/),
    expect.stringMatching(/^Line 5\s+“Lighthouse Sample”, another row of this file Same name$/),
  ]);
  // Nothing was saved, so only what was there before can be opened.
  expect(await told.getByRole('link').count()).toBe(1);
  expect(await told.getByRole('link').getAttribute('href')).toBe(`/crm/accounts/${cranes}`);
  await expectAccessible(page);
  await shot(page, 'import-duplicates');

  await page.getByRole('button', { name: 'Import for real' }).click();
  await page.getByText('Import finished').first().waitFor();
  await expect.poll(() => told.getByRole('link').count()).toBe(3);
  await shot(page, 'import-done');
  const [other] = await Promise.all([page.context().waitForEvent('page'), told.getByRole('link').first().click()]);
  await other.getByRole('heading', { name: 'Harbour Cranes Ltd' }).waitFor();
  expectClean();
});

test('nothing is looked for when nobody wants it', async () => {
  const { page, expectClean } = await opened('de', ['Harbour Cranes']);
  await page.getByRole('checkbox', { name: 'Nach Datensätzen suchen, die es schon geben könnte' }).uncheck();
  await page.getByRole('button', { name: 'Datei prüfen' }).click();
  await page.getByText('Prüfung beendet').first().waitFor();
  expect(await page.getByRole('region', { name: 'Vielleicht schon vorhanden' }).count()).toBe(0);
  expectClean();
});

test('in Arabic, from right to left', async () => {
  const { page, expectClean } = await opened('ar', ['Harbour Cranes', 'Quarry Sample Two']);
  await page.getByRole('button', { name: 'فحص الملف' }).click();
  await page.getByRole('region', { name: 'قد تكون موجودة من قبل' }).waitFor();
  await shot(page, 'import-duplicates-ar');
  expectClean();
});
