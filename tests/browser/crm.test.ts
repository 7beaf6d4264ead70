/** The screens as people meet them: a real browser, the real server, the strict Content-Security-Policy. */
import { beforeAll, describe, expect, test } from 'vitest';
import { FLEET } from '../integration/fleet.ts';
import { testApp } from '../support/app.ts';
import { atRest, expectAccessible, shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, letSignIn, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

beforeAll(async () => {
  for (const [name, email, role] of [
    ['Rosa Reyes', 'rosa@acme.example', 'sales_rep'],
    ['Sam Support', 'sam@acme.example', 'support'],
  ] as const) {
    await hire(admin, { name, email, roles: [role] });
    await letSignIn(admin, email);
  }
  await letSignIn(admin, 'admin@acme.example');
  const rosa = await app.as('acme', 'rosa@acme.example');
  const account = await rosa.post('/api/crm/v1/accounts', { name: 'Harbour Cranes', sector: 'manufacturing' });
  for (const [index, stage] of ['prospecting', 'engaging', 'engaging', 'lost'].entries()) {
    await rosa.post('/api/crm/v1/opportunities', {
      name: `Crane ${index + 1}`,
      stage,
      amount: `${(index + 1) * 1000}.00`,
      account: account.json.data?.id,
    });
  }
  await admin.post('/api/crm/v1/opportunities', { name: 'Not for Rosa', amount: '1.00' });
});

describe('a sales representative', () => {
  test('signs in, after a wrong password is refused', async () => {
    const { page, expectClean } = await browser.open(app.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await expectAccessible(page);
    await signIn(page, 'rosa@acme.example', 'wrong password');
    await page.getByText('E-mail or password is wrong').waitFor();
    await signIn(page, 'rosa@acme.example');
    await page.getByRole('link', { name: 'Opportunities' }).first().waitFor();
    expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
    expectClean();
  });

  test('sees the own records alone, sorts and filters them on the server', async () => {
    const { page, expectClean } = await browser.open(app.url);
    const calls: string[] = [];
    await signIn(page, 'rosa@acme.example');
    await page.getByRole('link', { name: 'Accounts' }).first().waitFor();
    // The page listens for changes, so the network is never idle.
    await page.waitForTimeout(700);
    await page.getByRole('link', { name: 'Accounts' }).first().click();
    await page.getByRole('link', { name: 'Harbour Cranes' }).waitFor();
    page.on('request', (request) => calls.push(new URL(request.url()).pathname));
    await page.getByRole('link', { name: 'Opportunities' }).first().click();
    const names = page.locator('.ag-row .ag-cell[col-id="name"]');
    await page.getByText('Crane 1').first().waitFor();
    expect(await page.getByText('Not for Rosa').count()).toBe(0);
    // Opening a list is one request.
    // The page listens for changes, so the network is never idle.
    await page.waitForTimeout(700);
    expect(calls.filter((path) => path.startsWith('/api/crm/v1/'))).toHaveLength(1);
    const amount = page.getByRole('columnheader', { name: 'Amount' });
    const cranes = ['Crane 1', 'Crane 2', 'Crane 3', 'Crane 4'];
    for (const [way, order] of [
      ['ascending', cranes],
      ['descending', cranes.toReversed()],
    ] as const) {
      await amount.click();
      await expect.poll(() => amount.getAttribute('aria-sort')).toBe(way);
      await expect.poll(() => names.allTextContents()).toEqual(order);
    }
    await expectAccessible(page);
    await shot(page, 'list');
    await page.goto(`${page.url().split('?')[0]}?stage[in]=engaging`);
    // A whole page is loaded anew.
    await expect.poll(async () => (await names.allTextContents()).sort()).toEqual(['Crane 2', 'Crane 3']);
    expectClean();
  });

  test('opens a record, changes it, adds a line, and takes it through its lifecycle', async () => {
    const { page, expectClean } = await browser.open(app.url);
    await signIn(page, 'rosa@acme.example');
    await page.getByRole('link', { name: 'Opportunities' }).first().click();
    await page.getByRole('link', { name: 'Crane 1' }).click();
    await page.getByRole('heading', { name: 'Crane 1' }).waitFor();
    await shot(page, 'record');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Name', { exact: false }).first().fill('Crane one');
    await page.getByRole('button', { name: 'Add row' }).click();
    await page.getByRole('textbox', { name: 'Description, row 1' }).fill('Boom');
    await page.getByRole('textbox', { name: 'Quantity, row 1' }).fill('2');
    await page.getByRole('textbox', { name: 'Unit price, row 1' }).first().fill('250');
    await shot(page, 'form');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Crane one' }).waitFor();
    await page.getByText('500.00').waitFor();

    await page.getByRole('button', { name: 'Engage' }).click();
    await page.getByRole('button', { name: 'Engage' }).waitFor({ state: 'detached' });
    await page.getByText('Engaging').first().waitFor();
    // What the role may not do is not there.
    expect(await page.getByRole('button', { name: 'Reopen' }).count()).toBe(0);
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('Crane one').nth(1).waitFor();
    // A step that needs a value asks for it.
    await page.getByRole('button', { name: 'Lose', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Lose' });
    await dialog.getByRole('combobox', { name: 'Lost because' }).click();
    await page.getByRole('option').first().click();
    await shot(page, 'step');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Lose', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Lost', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Win', exact: true }).waitFor({ state: 'detached' });
    expectClean();
  });

  test('is told beside the field what is wrong', async () => {
    const { page, expectClean } = await browser.open(app.url);
    await signIn(page, 'rosa@acme.example');
    await page.getByRole('link', { name: 'Accounts' }).first().click();
    await page
      .getByRole('link', { name: 'New' })
      .or(page.getByRole('button', { name: 'New' }))
      .first()
      .click();
    await page.getByLabel('E-mail').fill('no address');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('Fill this in').first().waitFor();
    await shot(page, 'errors');
    expectClean();
  });
});

test('support finds no button it may not press', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page, 'sam@acme.example');
  await page.getByRole('link', { name: 'Opportunities' }).first().click();
  await page.getByText('Crane 2').first().waitFor();
  expect(await page.getByText('Amount').count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Import' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Crane 2' }).click();
  await page.getByRole('heading', { name: 'Crane 2' }).waitFor();
  for (const name of ['Edit', 'Win', 'Lose', 'Engage'])
    expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
  // Of one's own record more may be changed than of a colleague's.
  for (const [email, heading, editable] of [
    ['rosa@acme.example', 'Rosa Reyes', 0],
    ['sam@acme.example', 'Sam Support', 1],
  ] as const) {
    const { json } = await admin.get(`/api/core/v1/users?email=${email}`);
    await page.goto(`${app.url}/core/users/${json.data?.[0]?.id}`);
    await page.getByRole('heading', { name: heading }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Edit' }).count(), { message: email }).toBe(editable);
  }
  expectClean();
});

describe('an administrator', () => {
  test('imports a file and is told about the row that failed', async () => {
    const { page, expectClean } = await browser.open(app.url);
    await signIn(page, 'admin@acme.example');
    await page.getByRole('link', { name: 'Accounts' }).first().click();
    await page
      .getByRole('button', { name: 'Import' })
      .or(page.getByRole('link', { name: 'Import' }))
      .first()
      .click();
    const csv = 'Name,Employees,Sector\nQuay One,12,Retail\nQuay Two,many,Retail\nQuay Three,7,Medical\n';
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'accounts.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByText('3 rows in accounts.csv').waitFor();
    await shot(page, 'import-mapping');
    await expectAccessible(page);
    // Tried first: nothing is saved, and the row that will fail is named.
    await page.getByRole('button', { name: 'Check the file' }).click();
    await page.getByText('Line 3').waitFor();
    await shot(page, 'import-check');
    expect((await admin.get('/api/crm/v1/accounts?name[starts]=Quay')).json.data).toEqual([]);
    await page.getByRole('button', { name: /^Import/ }).click();
    await page.getByRole('heading', { name: 'Import finished' }).waitFor();
    await page.getByText('Line 3').waitFor();
    await shot(page, 'import-result');
    expectClean();
  });

  test('deletes a record, and takes that back', async () => {
    const { json } = await admin.post('/api/crm/v1/accounts', { name: 'Gone by mistake' });
    const { page, expectClean } = await browser.open(`${app.url}/crm/accounts/${json.data?.id}`);
    await signIn(page, 'admin@acme.example');
    await page.getByRole('heading', { name: 'Gone by mistake' }).waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    // It goes after some seconds, but not from under the hand.
    await page.getByRole('button', { name: 'Undo' }).hover();
    expect((await admin.get('/api/crm/v1/accounts?name=Gone by mistake')).json.data).toEqual([]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Gone by mistake' }).waitFor();
    expectClean();
  });

  test('uses an entity in the browser right after it was published, without a restart', async () => {
    const { page, expectClean } = await browser.open(app.url);
    await signIn(page, 'admin@acme.example');
    await page.getByRole('link', { name: 'Opportunities' }).first().waitFor();
    const { json } = await admin.get('/api/metadata/documents');
    const published = await admin.post('/api/metadata/publish', {
      base: json.release ?? json.data?.release,
      message: 'Vehicles',
      documents: FLEET,
    });
    expect(published.status, published.text).toBeLessThan(300);
    await page.reload();
    await page.getByRole('link', { name: 'Vehicles' }).first().click();
    await page
      .getByRole('button', { name: 'New Vehicle' })
      .or(page.getByRole('link', { name: 'New Vehicle' }))
      .first()
      .click();
    await page.getByLabel('Plate').fill('HB-AR 9');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'HB-AR 9' }).waitFor();
    await page.getByRole('button', { name: 'Deliver' }).waitFor();
    await shot(page, 'vehicle');
    expectClean();
  });
});

test('in Arabic the whole page reads from right to left', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page, 'rosa@acme.example');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByText('العربية').click();
  await expect.poll(() => page.evaluate(() => document.documentElement.dir)).toBe('rtl');
  await page.getByRole('link', { name: 'الفرص' }).first().click();
  await page.getByText('Crane 2').first().waitFor();
  await shot(page, 'arabic');
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Crane 2' }).click();
  await page.getByRole('heading', { name: 'Crane 2' }).waitFor();
  await page.getByRole('button', { name: 'تعديل' }).click();
  await page.getByRole('button', { name: 'حفظ' }).waitFor();
  await shot(page, 'arabic-form');
  await expectAccessible(page);
  expectClean();
});

test('on a phone the list and the record are usable', async () => {
  const { page, expectClean } = await browser.open(app.url, { viewport: { width: 390, height: 844 } });
  await signIn(page, 'rosa@acme.example');
  await page.getByRole('button', { name: 'Open navigation' }).click();
  await page.getByRole('link', { name: 'Opportunities' }).first().click();
  await page.getByText('Crane 2').first().waitFor();
  await shot(page, 'phone-list');
  const expectNoOverflow = async () => {
    await atRest(page);
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
  };
  await expectNoOverflow();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Crane 2' }).click();
  await page.getByRole('heading', { name: 'Crane 2' }).waitFor();
  await shot(page, 'phone-record');
  await expectNoOverflow();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('button', { name: 'Add row' }).click();
  await expectNoOverflow();
  expectClean();
});
