/** Every field type as people meet it: filled in, stored, and shown again, under the strict Content-Security-Policy. */
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
const SAMPLES = '/api/custom/v1/samples';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC',
  'base64',
);

beforeAll(async () => {
  const base = Number((await admin.get('/api/metadata/documents')).json.release ?? 1);
  const choices = ['red', 'green', 'blue'].map((key) => ({ key, color: key }));
  const published = await admin.post('/api/metadata/publish', {
    base,
    message: 'Samples',
    documents: [
      {
        kind: 'entity',
        key: 'sample',
        plural: 'samples',
        label: 'Sample',
        history: true,
        fields: [
          { key: 'name', type: 'text', required: true },
          { key: 'opens', type: 'time' },
          { key: 'lasts', type: 'duration' },
          { key: 'stars', type: 'rating' },
          { key: 'paint', type: 'colour' },
          { key: 'shades', type: 'multiple_choice', choices },
          { key: 'iban', type: 'encrypted', mask: true, label: 'IBAN' },
          { key: 'number', type: 'sequence', gapless: true, prefix: 'S-{yyyy}-' },
          { key: 'notes', type: 'rich_text' },
          { key: 'billing', type: 'address' },
          { key: 'contact', type: 'person_name' },
          { key: 'place', type: 'location' },
          { key: 'scan', type: 'file' },
          { key: 'photo', type: 'image' },
          { key: 'extra', type: 'json' },
        ],
      },
      {
        kind: 'menu',
        key: 'samples',
        label: 'Samples',
        items: [{ key: 'samples', label: 'Samples', entity: 'sample' }],
      },
    ],
  });
  expect(published.status, published.text).toBeLessThan(300);
  await letSignIn(admin, 'admin@acme.example');
});

test('a record of every type is filled in, saved and shown', async () => {
  const { page, expectClean } = await browser.open(app.url);
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  await signIn(page);
  await page.getByRole('link', { name: 'Samples' }).first().click();
  await page.getByRole('heading', { name: 'Samples' }).waitFor();
  const before = scripts.length;
  await page.goto(`${app.url}/custom/samples/new`);
  await page.getByLabel('Name').first().fill('Everything');
  await page.getByRole('textbox', { name: 'Notes' }).waitFor();
  // The editor comes when it is needed.
  expect(scripts.slice(before).some((url) => /rich-text-editor/.test(url))).toBe(true);
  await page.getByLabel('Opens').fill('09:30');
  await page.getByLabel('Lasts').fill('1h 30m');
  await page.getByLabel('Paint').fill('#3366cc');
  await page.getByLabel('IBAN').fill('DE00123456784321');
  await page.getByRole('textbox', { name: 'Notes' }).fill('Bring the ladder');
  await page.getByLabel('Street').fill('12 Example Lane');
  await page.getByLabel('City').fill('Sampleton');
  await page.getByLabel('Given name').fill('Ada');
  await page.getByLabel('Family name').fill('Example');
  await page.getByLabel('Latitude').fill('52.52');
  await page.getByLabel('Longitude').fill('13.405');
  await page.locator('[data-field="stars"] label').last().click();
  const [scan, photo] = [
    page.locator('[data-field="scan"] input[type="file"]'),
    page.locator('[data-field="photo"] input[type="file"]'),
  ];
  await scan.setInputFiles({ name: 'scan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 x') });
  await photo.setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: PNG });
  await page.getByText('photo.png').waitFor();
  await page.getByText('scan.pdf').waitFor();
  await shot(page, 'fields-form', { fullPage: true });
  await page
    .getByRole('button', { name: /^(Create|Save)/ })
    .last()
    .click();
  await page.getByText('12 Example Lane, Sampleton').first().waitFor();
  await page.getByText('Bring the ladder').first().waitFor();
  await page.getByRole('img', { name: 'photo.png' }).waitFor();
  await shot(page, 'fields-record', { fullPage: true });
  const { json } = await admin.get(`${SAMPLES}?$select=opens,lasts,paint,iban,number,notes,billing,contact,place,scan`);
  expect(json.data?.[0]).toMatchObject({
    opens: '09:30:00',
    lasts: 5400,
    paint: '#3366cc',
    iban: '••••4321',
    notes: '<p>Bring the ladder</p>',
    contact: 'Ada Example',
    place: '52.520000, 13.405000',
    scan: { name: 'scan.pdf', type: 'application/pdf' },
  });
  await page.getByRole('link', { name: 'Samples' }).first().click();
  await page.getByText('#3366cc').first().waitFor();
  await shot(page, 'fields-list');
  expectClean();
});
