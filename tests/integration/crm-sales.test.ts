/** The crm-sales data set, looked for beside the project, through the public API, seen by everybody who works with it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import type { Report } from '../../demo/crm-sales/bring-in.ts';
import { bringIn } from '../../demo/crm-sales/bring-in.ts';
import { winRate } from '../../demo/crm-sales/figures.ts';
import { ROOT } from '../../engine/config.ts';

const directory = join(ROOT, '..', 'shared', 'data', 'crm-sales');
const present = existsSync(directory);
if (!present) console.warn(`Skipped: there is no crm-sales data set beside the project (${directory}).`);

const testing = await testApp(await testDatabase());
const { app, url } = testing;
const errors = await mkdtemp(join(tmpdir(), 'armature-crm-sales-'));
afterAll(() => rm(errors, { recursive: true, force: true }));

describe.skipIf(!present)('the crm-sales data set', () => {
  let report: Report;

  beforeAll(async () => {
    report = await bringIn({ services: app.services, url, directory, tenant: 'crm_sales', errors, say: () => {} });
  }, 900_000);

  test('comes in whole: every row of every file', () => {
    for (const { title, rows, result } of report.steps) {
      expect({ title, failed: result.failed, done: result.created + result.updated }).toEqual({
        title,
        failed: 0,
        done: rows,
      });
    }
  });

  test('gives the administrator the known totals', () => {
    const [administrator] = report.people;
    expect(administrator).toMatchObject({ role: 'administrator' });
    expect(administrator?.found).toEqual({ opportunities: 8800, won: 4238, lost: 2473, wonAmount: '10005534.00' });
    expect(administrator && winRate(administrator.found)).toBe('63.15');
  });

  test('gives each of the 6 managers exactly the own team, and each of the 35 agents exactly the own opportunities', () => {
    const roles = Map.groupBy(report.people, ({ role }) => role);
    expect([roles.get('manager')?.length, roles.get('sales_rep')?.length]).toEqual([6, 35]);
    for (const { email, expected, found } of report.people) expect({ email, ...found }).toEqual({ email, ...expected });
    const sum = (role: string) => (roles.get(role) ?? []).reduce((total, { found }) => total + found.opportunities, 0);
    expect([sum('manager'), sum('sales_rep')]).toEqual([8800, 8800]);
    expect((roles.get('sales_rep') ?? []).filter(({ found }) => found.opportunities === 0)).toHaveLength(5);
    expect(report.complete).toBe(true);
  });

  test('keeps what is missing missing and repairs the two spellings', async () => {
    const client = await testing.as('crm_sales', 'admin@crm-sales.example');
    const count = async (entity: string, filter: string) =>
      (await client.get(`/api/crm/v1/${entity}?${filter}&$select=id&$first=1&$count=exact`)).json.count?.value;
    expect(await count('opportunities', 'account[null]=true')).toBe(1425);
    expect(await count('opportunities', 'engage_date[null]=true')).toBe(500);
    expect(await count('opportunities', 'product[null]=true')).toBe(0);
    expect(await count('opportunities', 'product.name=GTX%20Pro')).toBe(1480);
    expect(await count('accounts', 'sector=technology')).toBe(12);
    expect(await count('accounts', 'parent[null]=false')).toBe(15);
    const revenue = await client.get('/api/crm/v1/accounts?external_id=Acme%20Corporation&$select=annual_revenue');
    expect(revenue.json.data?.[0]?.['annual_revenue']).toBe('1100040000.00');
  });

  test('lets everybody sign in with the password that was set', async () => {
    for (const email of [
      'admin@crm-sales.example',
      'dustin.brinkmann@crm-sales.example',
      'moses.frase@crm-sales.example',
    ]) {
      const { principal } = await app.services.identity.signIn({ email, password: report.password });
      expect(principal.email).toBe(email);
    }
  });
});

test('a row that cannot come in is counted, explained in a file, and makes the whole not complete', async () => {
  const small = join(errors, 'small');
  await mkdir(small);
  const write = (name: string, ...lines: string[]) =>
    writeFile(join(small, `${name}.csv`), `${lines.join('\r\n')}\r\n`);
  await write(
    'accounts',
    'account,sector,year_established,revenue,employees,office_location,subsidiary_of',
    'Acme,technolgy,1996,1.04,2,Kenya,',
  );
  await write('products', 'product,series,sales_price', 'GTX Pro,GTX,4821');
  await write('sales_teams', 'sales_agent,manager,regional_office', 'Ann Bee,Cy Dee,West');
  await write(
    'sales_pipeline',
    'opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value',
    'A1,Ann Bee,GTXPro,Acme,Won,2016-10-20,2017-03-01,1054',
    'A2,Ann Bee,GTX Pro,Nobody Ltd,Won,2016-10-20,2017-03-01,10',
    'A3,Ann Bee,GTX Pro,,Shelved,2016-10-20,,',
  );
  const report = await bringIn({
    services: app.services,
    url,
    directory: small,
    tenant: 'small',
    errors,
    say: () => {},
  });
  expect(report.complete).toBe(false);
  const last = report.steps.at(-1);
  expect(last?.result).toMatchObject({ total: 3, created: 1, failed: 2 });
  const file = await readFile(last?.errorFile ?? '', 'utf8');
  expect(file).toMatch(/A2.*Nobody Ltd/);
  expect(file).toMatch(/A3.*Shelved/);
  expect(report.people[0]).toMatchObject({
    expected: { opportunities: 3 },
    found: { opportunities: 1, wonAmount: '1054.00' },
  });

  const again = bringIn({ services: app.services, url, directory: small, tenant: 'small', errors, say: () => {} });
  await expect(again).rejects.toThrow('There is an organisation "small" already. Nothing was imported');
  const elsewhere = bringIn({ services: app.services, url, directory: errors, tenant: 'other', errors, say: () => {} });
  await expect(elsewhere).rejects.toThrow(/accounts\.csv cannot be read/);
});
