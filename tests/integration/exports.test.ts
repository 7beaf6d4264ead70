/** Lists as files: the same records as the list shows, whole, as they are read, and never half without saying so. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Client } from '../support/http.ts';
import { testApp } from '../support/app.ts';
import { addAccounts } from '../support/many-accounts.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const ACCOUNTS = '/api/crm/v1/accounts';
const OPPORTUNITIES = '/api/crm/v1/opportunities';
/** Rows of the large list: more than fits between Postgres and a client. */
const MANY = 60_000;

let looker: Client;
let seller: Client;
beforeAll(async () => {
  const role = (key: string) => ({ kind: 'role', key, label: key, inherits: ['member'] });
  const documents = [
    role('looker'),
    role('exporter'),
    { kind: 'permission', role: 'looker', entity: 'crm.account', actions: ['read'] },
    { kind: 'permission', role: 'exporter', entity: 'crm.account', actions: ['read', 'create'] },
    {
      kind: 'permission',
      role: 'exporter',
      entity: 'crm.opportunity',
      actions: ['read', 'create', 'export'],
      conditions: { owner: 'self' },
      fields: { read: { except: ['description'] } },
    },
  ];
  const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Roles', documents });
  expect(published.status, published.text).toBe(201);
  await hire(admin, { name: 'Lou', email: 'lou@acme.example', roles: ['looker'] });
  await hire(admin, { name: 'Sal', email: 'sal@acme.example', roles: ['exporter'] });
  looker = await app.as('acme', 'lou@acme.example');
  seller = await app.as('acme', 'sal@acme.example');
  const [first, second] =
    (await admin.post(ACCOUNTS, [{ name: '=HYPERLINK("http://x")' }, { name: 'Müller, "Söhne"\n& Co' }])).json.data ??
    [];
  for (const [name, amount, account] of [
    ['@SUM(1)', '5.00', first?.id],
    ['+49 30 1', '1234567.89', second?.id],
    ["'=x", null, second?.id],
  ]) {
    const made = await admin.post(OPPORTUNITIES, { name, amount, account, close_date: '2026-02-28' });
    expect(made.status, made.text).toBe(201);
  }
  await seller.post(OPPORTUNITIES, { name: 'Mine', amount: '7.00' });
});
afterAll(() => database.superuser.query('select 1'));

const SELECT = '$select=name,amount,account(_title),close_date&$order=name';

test('CSV holds what the list shows, by keys and by labels, and nothing that a spreadsheet would run', async () => {
  const answer = await admin.get(`${OPPORTUNITIES}?${SELECT}&owner[null]=false`, { accept: 'text/csv' });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/csv');
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="opportunities.csv"');
  const rows: string[][] = parse(answer.text);
  expect(rows[0]).toEqual(['name', 'amount', 'account._title', 'close_date']);
  expect(rows.slice(1)).toEqual(
    expect.arrayContaining([
      ["''=x", '', 'Müller, "Söhne" & Co', '2026-02-28'],
      ["'+49 30 1", '1234567.89', 'Müller, "Söhne" & Co', '2026-02-28'],
      ["'@SUM(1)", '5.00', `'=HYPERLINK("http://x")`, '2026-02-28'],
      ['Mine', '7.00', '', ''],
    ]),
  );
  expect(rows).toHaveLength(5);
  const labelled = await admin.get(`${OPPORTUNITIES}/$export?${SELECT}&$header=labels&$bom=true&name=Mine`);
  const { token } = await app.app.services.identity.issueToken({
    tenant: 'acme',
    user: { email: 'admin@acme.example' },
  });
  const [marked] = await (await open(token, `${OPPORTUNITIES}/$export?$bom=true`)).toArray();
  expect(marked.subarray(0, 3)).toEqual(Buffer.from('\uFEFF'));
  const [header] = parse(labelled.text, { bom: true });
  expect(header).toContain('Account');
  expect(labelled.text.trim().split('\r\n')).toHaveLength(2);
});

test('a filter in the address beside a query in the body is refused, and not overlooked', async () => {
  const answer = await admin.post(`${OPPORTUNITIES}/$export?name=Mine&$format=csv`, { select: ['name'] });
  expect([answer.status, answer.json.code]).toEqual([400, 'unknown_parameter']);
});

test('what means a page is refused in a body as it is in an address', async () => {
  for (const part of ['first', 'last', 'offset']) {
    const answer = await admin.post(`${OPPORTUNITIES}/$export`, { select: ['name'], [part]: 1 });
    expect([part, answer.status, answer.json.errors?.[0]?.pointer]).toEqual([part, 400, `/${part}`]);
  }
});

test('NDJSON is the list’s own JSON, a record a line, parts included', async () => {
  const query = `$select=id,name,amount,account(id,name)&$order=name`;
  const lines = await admin.get(`${OPPORTUNITIES}?${query}`, { accept: 'application/x-ndjson' });
  const list = await admin.get(`${OPPORTUNITIES}?${query}`);
  expect(
    lines.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(list.json.data);
  const body = await admin.send(
    'QUERY',
    `${OPPORTUNITIES}/$export?$format=ndjson`,
    JSON.stringify({ where: { name: 'Mine' }, select: ['name'] }),
    {
      'content-type': 'application/json',
    },
  );
  expect(body.text).toBe('{"name":"Mine"}\n');
});

test('only those may export who may, and only what they see', async () => {
  expect((await looker.get(`${ACCOUNTS}/$export`)).json).toMatchObject({ code: 'forbidden' });
  expect((await looker.get(`${OPPORTUNITIES}/$export`)).status).toBe(404);
  const own = await seller.get(`${OPPORTUNITIES}/$export?$format=ndjson&$select=name`);
  expect(own.text).toBe('{"name":"Mine"}\n');
  expect((await seller.get(`${OPPORTUNITIES}/$export?$select=description`)).json).toMatchObject({
    code: 'unknown_field',
  });
  // Another entity's records do not leave through a reference, their names do.
  expect((await seller.get(`${OPPORTUNITIES}/$export?$select=name,account(name)`)).json).toMatchObject({
    code: 'forbidden',
  });
  expect((await seller.get(`${OPPORTUNITIES}/$export?$select=name,account(id,_title)`)).status).toBe(200);
});

test.each(['$first=5', '$after=x', '$group=stage', '$count=exact', '$format=pdf', '$header=x', 'nope=1'])(
  'refuses %s with a sentence',
  async (query) => {
    const answer = await admin.get(`${OPPORTUNITIES}/$export?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json.errors?.[0]?.parameter ?? '').not.toBe('');
  },
);

test('values cannot break out of the statement', async () => {
  const nasty = `x'); drop table t; -- \\' $1 $$ \\x02`;
  const made = await admin.post(ACCOUNTS, { name: nasty });
  expect(made.status, made.text).toBe(201);
  const found = await admin.get(`${ACCOUNTS}/$export?$format=ndjson&$select=name&name=${encodeURIComponent(nasty)}`);
  expect(JSON.parse(found.text)).toEqual({ name: nasty });
  const searched = await admin.get(
    `${ACCOUNTS}/$export?$format=ndjson&$select=name&$search=${encodeURIComponent(`'); drop`)}`,
  );
  expect(JSON.parse(searched.text)).toEqual({ name: nasty });
});

/** A request whose answer is read by hand. */
function open(client: string, path: string) {
  return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request(app.url + path, { headers: { authorization: `Bearer ${client}` } }, resolve)
      .on('error', reject)
      .end();
  });
}

/** The end of an answer as it came over the wire, read when `read` says so: a client that tidies up would not show it. */
function wire(path: string, token: string, read: Promise<void>): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  let text = '';
  socket.on('data', (chunk) => {
    text = (text + chunk.toString('utf8')).slice(-4000);
  });
  socket.pause();
  void read.then(() => socket.resume());
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

test('what fails half-way does not look complete', async () => {
  await addAccounts(database, MANY);
  const { token } = await app.app.services.identity.issueToken({
    tenant: 'acme',
    user: { email: 'admin@acme.example' },
  });
  for (const format of ['ndjson', 'csv']) {
    const broken = Promise.withResolvers<void>();
    const ended = wire(`${ACCOUNTS}/$export?$format=${format}`, token, broken.promise);
    await vi.waitFor(async () => {
      const { rowCount } = await database.superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'armature exports' and wait_event = 'ClientWrite'`,
      );
      expect(rowCount).toBe(1);
    }, 60_000);
    broken.resolve();
    const text = await ended;
    // The last chunk is the one that says that it is the last.
    expect(text.endsWith('0\r\n\r\n'), format).toBe(false);
    if (format === 'ndjson') expect(text).toMatch(/\n\{"error":\{.*"code":"unavailable"/);
  }
}, 300_000);

test('an export ends when its reader’s rights do', async () => {
  const { token } = await app.app.services.identity.issueToken({
    tenant: 'acme',
    user: { email: 'admin@acme.example' },
  });
  const answer = await open(token, `${ACCOUNTS}/$export?$format=ndjson`);
  const exporting = async () =>
    (
      await database.superuser.query<{ doing: string }>(
        `select wait_event as doing from pg_stat_activity
         where datname = current_database() and application_name = 'armature exports' and state = 'active'`,
      )
    ).rows.map(({ doing }) => doing);
  // Nothing is read yet: Postgres waits for its reader, and the end is far away.
  await vi.waitFor(async () => expect(await exporting()).toEqual(['ClientWrite']), 60_000);
  await app.app.services.identity.signOut(token);
  // Long before a reader who takes nothing is let go.
  await vi.waitFor(async () => expect(await exporting()).toEqual([]), 40_000);
  const broken = answer.toArray().then(
    () => false,
    () => true,
  );
  expect(await broken, 'it came to its end').toBe(true);
}, 180_000);
