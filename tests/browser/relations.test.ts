/** Links, references to one of several entities, lookups and rollups as people meet them. */
import { beforeAll, expect, test } from 'vitest';
import { TOURS } from '../integration/tours.ts';
import { testApp } from '../support/app.ts';
import { expectAccessible, shot, signIn, testBrowser } from '../support/browser.ts';
import { testDatabase } from '../support/postgres.ts';
import { letSignIn, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
const browser = await testBrowser();
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
let tour = '';
let guild = '';

/** Guilds with guilds below them, found after the errands that nobody has run. */
const GUILDS = [
  {
    kind: 'entity',
    key: 'errand',
    plural: 'errands',
    label: 'Errand',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'guild', type: 'reference', to: 'guild' },
      { key: 'paid_by', type: 'reference', to: 'guild' },
    ],
  },
  {
    kind: 'entity',
    key: 'guild',
    plural: 'guilds',
    label: 'Guild',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'parent', type: 'reference', to: 'guild', inverse: 'daughters', inverseLabel: 'Daughter guilds' },
      { key: 'guest_of', type: 'reference', to: 'guild' },
    ],
  },
];

beforeAll(async () => {
  const view = {
    kind: 'view',
    key: 'tours',
    label: 'Tours',
    entity: 'tour',
    columns: ['name', 'city', 'places', 'regarding', 'stop_count', 'fees', 'seats'],
    order: ['-fees'],
  };
  const menu = {
    kind: 'menu',
    key: 'guide',
    label: 'Guide',
    items: ['tour', 'place', 'booking'].map((key) => ({ key, entity: key })),
  };
  const published = await admin.post('/api/metadata/publish', {
    base: 1,
    message: 'Tours',
    documents: [...TOURS, ...GUILDS, view, menu],
  });
  if (published.status >= 300) throw new Error(published.text);
  await letSignIn(admin, 'admin@acme.example');
  const places: string[] = [];
  for (const [name, city] of [
    ['Harbour', 'Bremen'],
    ['Museum', 'Bremen'],
    ['Lighthouse', 'Cuxhaven'],
    ['Town hall', 'Bremen'],
  ])
    places.push((await admin.post('/api/custom/v1/places', { name, city, cost: '4.00' })).json.data?.id ?? '');
  const made = await admin.post('/api/custom/v1/tours', {
    name: 'Old town',
    start: places[0],
    places: places.slice(0, 2),
    regarding: { entity: 'custom.place', id: places[2] },
    stops: [
      { name: 'Square', minutes: 20, fee: '2.50', kind: 'walk' },
      { name: 'Lunch', minutes: 60, fee: '18.00', kind: 'meal' },
    ],
  });
  tour = made.json.data?.id ?? '';
  await admin.post('/api/custom/v1/tours', { name: 'By the river', start: places[2], places: [places[3]] });
  await admin.post('/api/custom/v1/bookings', { name: 'Family Sample', tour, seats: 4, paid: '80.00' });
  guild = (await admin.post('/api/custom/v1/guilds', { name: 'Coopers' })).json.data?.id ?? '';
  await admin.post('/api/custom/v1/guilds', { name: 'Barrel makers', parent: guild });
});

test('a person links records, points at one of several kinds, and reads what they come to', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page);
  await page.goto(`${app.url}/custom/tours`);
  await page.getByText('Old town').first().waitFor();
  await page.getByText('Harbour').first().waitFor();
  await shot(page, 'relations-list');

  await page.goto(`${app.url}/custom/tours/${tour}`);
  await page.getByText('Lighthouse').first().waitFor();
  await shot(page, 'relations-record');

  await page.getByRole('button', { name: 'Edit' }).click();
  const places = page.getByLabel('Places', { exact: true }).first();
  await places.click();
  await places.fill('Town');
  await page.getByRole('option', { name: 'Town hall' }).click();
  await page.getByRole('button', { name: 'Remove Harbour' }).click();
  await page.keyboard.press('Escape');
  await page.getByLabel('Regarding: kind of record').first().click();
  await page.getByRole('option', { name: 'Booking' }).click();
  const regarding = page.getByRole('combobox', { name: 'Regarding', exact: true });
  await regarding.fill('Fam');
  await page.getByRole('option', { name: 'Family Sample' }).click();
  await shot(page, 'relations-edit');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Edit' }).waitFor();
  const { json } = await admin.get(`/api/custom/v1/tours/${tour}?$select=places(name),regarding`);
  expect(json.data).toMatchObject({
    places: expect.arrayContaining([{ name: 'Museum' }, { name: 'Town hall' }]),
    regarding: { entity: 'custom.booking', _title: 'Family Sample' },
  });
  expectClean();
});

test('what refers to a record stands under the name it has there, the lists with records first', async () => {
  const { page, expectClean } = await browser.open(app.url);
  await signIn(page);
  await page.goto(`${app.url}/custom/guilds/${guild}`);
  await page.getByRole('tab', { name: 'Related' }).click();
  const related = page.getByRole('tabpanel', { name: 'Related' });
  await related.getByRole('region', { name: 'Daughter guilds' }).getByText('Barrel makers').waitFor();
  await shot(page, 'relations-related');
  expect(await related.getByRole('heading').allTextContents()).toEqual([
    'Daughter guilds',
    'Errands · Guild',
    'Errands · Paid by',
    'Guilds · Guest of',
  ]);
  expectClean();
});

test('in Arabic, from right to left', async () => {
  const { page, expectClean } = await browser.open(app.url, { locale: 'ar' });
  await signIn(page);
  await page.locator('nav').first().waitFor();
  await page.goto(`${app.url}/custom/tours/${tour}`);
  await page.getByText('Museum').first().waitFor();
  await page.getByRole('button', { name: 'تعديل' }).first().click();
  await page.getByText('Museum').first().waitFor();
  await shot(page, 'relations-arabic');
  expectClean();
});
