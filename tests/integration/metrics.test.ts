/** Every metric of the CRM against figures that were worked out by hand. */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Client } from '../support/http.ts';
import { ApiDocument } from '../support/openapi.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

// Wednesday, 13 May 2026, 14:00 in Berlin: the second quarter, and a working day.
const NOW = Date.parse('2026-05-13T12:00:00Z');
let now = NOW;
const database = await testDatabase();
const app = await testApp(database, { clock: { now: () => now } });
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

async function add(entity: string, body: Readonly<Record<string, unknown>>): Promise<string> {
  const { json, text, status } = await admin.post(`/api/crm/v1/${entity}`, body);
  expect(status, text).toBe(201);
  return json.data?.id ?? '';
}

const account = await add('accounts', { name: 'Fictional Ferries' });
const product = await add('products', { name: 'Bolt' });
for (const [stage, amount, probability, close_date] of [
  ['prospecting', '100.00', '10', null],
  ['engaging', '50.50', '50', null],
  ['prospecting', null, null, null],
  ['won', '70.00', null, '2026-04-01'],
  ['won', '30.25', null, '2026-06-30'],
  ['won', '999.00', null, '2026-03-31'],
  ['won', '999.00', null, '2026-07-01'],
  ['lost', '20.00', null, '2026-05-01'],
  ['lost', '20.00', null, '2025-05-01'],
] as const)
  await add('opportunities', {
    name: `${stage} ${amount}`,
    stage,
    account,
    ...(amount !== null && { amount }),
    ...(probability !== null && { probability }),
    ...(close_date !== null && { close_date, engage_date: '2025-01-01' }),
    ...(stage === 'lost' && { loss_reason: 'price' }),
  });
now = Date.parse('2026-04-30T12:00:00Z');
await add('leads', { last_name: 'Old' });
now = NOW;
for (const last_name of ['New', 'Newer']) await add('leads', { last_name });
for (const [status, quantity, price, interval] of [
  ['active', 2, '10.00', 'month'],
  ['active', 1, '120.00', 'year'],
  ['past_due', 1, '30.00', 'quarter'],
  ['trial', 5, '100.00', 'month'],
  ['cancelled', 5, '100.00', 'month'],
] as const)
  await add('subscriptions', {
    account,
    product,
    status,
    quantity,
    price,
    interval,
    starts_on: '2026-01-01',
    ...(status === 'cancelled' && { cancelled_on: '2026-02-01' }),
  });
const sla = await add('slas', { name: 'Gold', resolution_high: 60, resolution_low: 6000 });
const ticket = (status: string, priority: string, opened_at: string) =>
  add('tickets', {
    subject: `${status} ${priority}`,
    status,
    priority,
    sla,
    opened_at,
    ...(status === 'solved' && { solution: 'x' }),
  });
await ticket('open', 'high', '2026-05-13T11:00:00Z'); // due at this very moment: not past it
await ticket('open', 'high', '2026-05-13T10:59:00Z'); // a minute late
await ticket('new', 'low', '2026-05-13T07:00:00Z');
await ticket('solved', 'high', '2026-05-12T07:00:00Z');
// Opened half an hour ago, it waits since then: nothing is due, however long that takes.
const waiting = await ticket('open', 'high', '2026-05-13T11:30:00Z');
expect((await admin.post(`/api/crm/v1/tickets/${waiting}/actions/wait`, {})).status).toBe(200);
const spring = await add('campaigns', { name: 'Spring', kind: 'email' });
const summer = await add('campaigns', { name: 'Summer', kind: 'email' });
for (const [campaign, status] of [
  [spring, 'responded'],
  [spring, 'converted'],
  [spring, 'sent'],
  [summer, 'declined'],
] as const) {
  const contact = await add('contacts', { first_name: 'Pat', last_name: `${campaign} ${status}` });
  await add('campaign_members', { campaign, contact, status });
}

const euros = (value: string) => [{ value, currency: 'EUR', by_currency: [{ currency: 'EUR', value }] }];

const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  active_subscription_count: [{ value: 2 }],
  breached_tickets: [{ value: 1 }],
  campaign_responses: [{ campaign: spring, value: 2 }],
  decided_this_quarter: [{ value: 3 }],
  // 100 × 10 % + 50.50 × 50 %
  expected_value: euros('35.25'),
  // 20 + 120 / 12 + 30 / 3
  mrr: euros('40.00'),
  new_leads_this_month: [{ value: 2 }],
  open_ticket_count: [
    { priority: 'high', value: 3 },
    { priority: 'low', value: 1 },
  ],
  pipeline_value: euros('150.50'),
  won_count_this_quarter: [{ value: 2 }],
  won_this_quarter: euros('100.25'),
};

const figuresOf = async (client: Client, name: string) =>
  (await client.get(`/api/metrics/crm.${name}`)).json.data?.['figures'];

test('every metric of the CRM has the right figures', async () => {
  const listed = (await admin.get('/api/metrics')).json.data?.map(({ metric }) => String(metric).replace('crm.', ''));
  expect(listed?.toSorted()).toEqual(Object.keys(EXPECTED).sort());
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(EXPECTED)) found[name] = await figuresOf(admin, name);
  expect(found).toEqual(EXPECTED);
});

test('a ticket that waits becomes late when it goes on and is not solved', async () => {
  now = Date.parse('2026-05-15T07:00:00Z');
  expect(await figuresOf(admin, 'breached_tickets')).toEqual([{ value: 2 }]);
  expect((await admin.post(`/api/crm/v1/tickets/${waiting}/actions/resume`, {})).status).toBe(200);
  // Half an hour was left, from 9:00 on in Berlin.
  now = Date.parse('2026-05-15T07:30:00Z');
  expect(await figuresOf(admin, 'breached_tickets')).toEqual([{ value: 2 }]);
  now = Date.parse('2026-05-15T07:31:00Z');
  expect(await figuresOf(admin, 'breached_tickets')).toEqual([{ value: 3 }]);
  now = NOW;
});

test('each answers what the OpenAPI document says of it, and nobody else’s are described', async () => {
  const document = new ApiDocument({ ...(await admin.get('/api/openapi.json')).json });
  for (const name of Object.keys(EXPECTED)) {
    const { json } = await admin.get(`/api/metrics/crm.${name}`);
    const schema = { $ref: `#/components/schemas/Metric_crm_${name}` };
    expect(document.follow(schema)).toMatchObject({ properties: { metric: { const: `crm.${name}` } } });
    expect(document.faults(schema, json.data)).toEqual([]);
    expect(document.faults(schema, { ...Object(json.data), figures: [{ worth: 1 }] })).not.toEqual([]);
  }
  await hire(admin, { name: 'Sue', email: 'sue@acme.example', roles: ['support'] });
  const support = await app.as('acme', 'sue@acme.example');
  const names = (await support.get('/api/metrics')).json.data?.map(({ metric }) => metric);
  expect(names).toContain('crm.open_ticket_count');
  expect(names).not.toContain('crm.pipeline_value');
  const text = (await support.get('/api/openapi.json')).text;
  expect(text).toContain('Metric_crm_open_ticket_count');
  expect(text).not.toContain('pipeline_value');
});

test('amounts of several currencies are told by currency and never added up', async () => {
  await add('opportunities', { name: 'Tokyo', amount: '1000000', amount_currency: 'JPY', account });
  await add('opportunities', { name: 'Boston', amount: '1000000', amount_currency: 'USD', account });
  const by_currency = [
    { currency: 'EUR', value: '150.50' },
    { currency: 'JPY', value: '1000000.00' },
    { currency: 'USD', value: '1000000.00' },
  ];
  expect(await figuresOf(admin, 'pipeline_value')).toEqual([{ value: null, currency: null, by_currency }]);
  const document = new ApiDocument({ ...(await admin.get('/api/openapi.json')).json });
  const { json } = await admin.get('/api/metrics/crm.pipeline_value');
  expect(document.faults({ $ref: '#/components/schemas/Metric_crm_pipeline_value' }, json.data)).toEqual([]);
  const aggregate = '$agg=total:sum(amount),most:max(amount),n:count()';
  const ask = async (query: string) => (await admin.get(`/api/crm/v1/opportunities?${query}`)).json.data;
  expect(await ask(`${aggregate}&name[in]=Tokyo,Boston`)).toEqual([
    { total: null, total_currency: null, most: null, most_currency: null, n: 2 },
  ]);
  expect(await ask(`${aggregate}&$group=amount_currency&name[in]=Tokyo,Boston`)).toEqual([
    {
      amount_currency: 'JPY',
      total: '1000000.00',
      total_currency: 'JPY',
      most: '1000000.00',
      most_currency: 'JPY',
      n: 1,
    },
    {
      amount_currency: 'USD',
      total: '1000000.00',
      total_currency: 'USD',
      most: '1000000.00',
      most_currency: 'USD',
      n: 1,
    },
  ]);
  // What has no sum is not compared with any, and stands last.
  const stages = await ask(`$agg=total:sum(amount)&$group=stage&$order=-total&$having=total[gte]:10`);
  expect(stages).toEqual([
    { stage: 'won', total: '2098.25', total_currency: 'EUR' },
    { stage: 'engaging', total: '50.50', total_currency: 'EUR' },
    { stage: 'lost', total: '40.00', total_currency: 'EUR' },
  ]);
  expect((await ask(`$agg=total:sum(amount)&$group=stage&$order=-total`))?.at(-1)).toEqual({
    stage: 'prospecting',
    total: null,
    total_currency: null,
  });
});

test('a metric in money has a figure for each group, with what it is in', async () => {
  const documents = [
    {
      kind: 'metric',
      key: 'by_stage',
      label: 'By stage',
      entity: 'crm.opportunity',
      aggregate: 'sum(amount)',
      group: ['stage'],
      filter: { name: { in: ['Tokyo', 'Boston', 'won 70.00', 'prospecting null'] } },
      format: 'money',
    },
    {
      kind: 'metric',
      key: 'nothing',
      label: 'Nothing',
      entity: 'crm.opportunity',
      aggregate: 'max(amount)',
      filter: { name: 'nobody' },
      format: 'money',
    },
  ];
  const { status, text } = await admin.post('/api/metadata/publish', { base: 1, message: 'Metrics', documents });
  expect(status, text).toBe(201);
  const ask = async (name: string) => (await admin.get(`/api/metrics/custom.${name}`)).json.data?.['figures'];
  const dollars = { currency: 'USD', value: '1000000.00' };
  expect(await ask('by_stage')).toEqual([
    {
      stage: 'prospecting',
      value: null,
      currency: null,
      by_currency: [{ currency: 'JPY', value: '1000000.00' }, dollars],
    },
    { stage: 'won', value: '70.00', currency: 'EUR', by_currency: [{ currency: 'EUR', value: '70.00' }] },
  ]);
  expect(await ask('nothing')).toEqual([{ value: null, currency: null, by_currency: [] }]);
  const named = { ...documents[0], key: 'named', group: ['stage', 'source', 'product', 'contact'] };
  const refused = await admin.post('/api/metadata/publish', { base: 2, message: 'More', documents: [named] });
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('at most 3 groups')]);
});
