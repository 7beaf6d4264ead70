/**
 * Long lists as files, from a server in a process of its own with a small heap: what it keeps of them would end it. Slow
 * readers, readers that stop, readers that go.
 */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import { addAccounts } from '../support/many-accounts.ts';
import { watchMemory } from '../support/memory.ts';
import { testDatabase } from '../support/postgres.ts';
import { serverProcesses, SMALL_HEAP } from '../support/server-process.ts';
import { makeTenant } from '../support/tenant.ts';

vi.setConfig({ testTimeout: 900_000 });
/** Rows of the list. */
const MANY = 200_000;
/** Megabytes the server may grow by: 10 to 40 are usual, and whoever kept the records or the text would need over 100. */
const GROWTH = 80;
const ACCOUNTS = '/api/crm/v1/accounts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const { token } = await app.app.services.identity.issueToken({ tenant: 'acme', user: { email: 'admin@acme.example' } });
await app.close();
const server = await (await serverProcesses(database, SMALL_HEAP)).begin();

beforeAll(async () => {
  await addAccounts(database, MANY);
  // Whatever is made once has been made.
  for (const format of ['ndjson', 'csv', 'xlsx'] as const)
    await (await open(`${ACCOUNTS}/$export?$format=${format}&name[starts]=Account+11`)).answer.toArray();
}, 600_000);

interface Opened {
  readonly answer: IncomingMessage;
  readonly client: ClientRequest;
}

function open(path: string): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const client = request(server.url + path, { agent: false, headers: { authorization: `Bearer ${token}` } });
    client.on('response', (answer) => resolve({ answer, client }));
    client.on('error', reject).end();
  });
}

/** What connections for exports are doing: `active ClientWrite`, `idle Client`. */
const exporting = async (): Promise<string[]> => {
  const { rows } = await database.superuser.query<{ doing: string }>(
    `select concat_ws(' ', state, wait_event) as doing from pg_stat_activity
     where datname = current_database() and application_name = 'armature exports' and state <> 'idle'`,
  );
  return rows.map(({ doing }) => doing);
};

/** Until something is so; the test fails when it is not within 60 seconds. */
async function becomes<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  await vi.waitFor(async () => expect(await look()).toEqual(wanted), { timeout: 60_000, interval: 50 });
}

test.each(['ndjson', 'csv', 'xlsx'] as const)(
  'a long list leaves as %s at flat memory, however slowly it is read',
  async (format) => {
    const started = performance.now();
    const watch = watchMemory(server.pid);
    const before = (await watch.now()) ?? 0;
    const { answer } = await open(`${ACCOUNTS}/$export?$format=${format}&$order=name`);
    expect(answer.statusCode).toBe(200);
    // Reads nothing at first: whoever buffers has to do it now.
    await delay(1000);
    await becomes(exporting, ['active ClientWrite']);
    let bytes = 0;
    let lines = 0;
    let chunks = 0;
    for await (const chunk of answer) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines += 1;
      chunks += 1;
      if (chunks % 20 === 0) await delay(1);
    }
    await watch.now();
    watch.stop();
    const growth = watch.lap() - before;
    console.log(
      `export ${format}: ${(bytes / 1e6).toFixed(0)} MB in ${((performance.now() - started) / 1000).toFixed(1)} s, memory ${before} MB +${growth} MB`,
    );
    if (format !== 'xlsx') expect(lines).toBeGreaterThanOrEqual(MANY);
    expect(growth).toBeLessThan(GROWTH);
    expect(server.running.child.exitCode).toBeNull();
    await becomes(exporting, []);
  },
);

test.each(['ndjson', 'csv', 'xlsx'] as const)(
  'a reader of %s who stops holds Postgres up and nothing else, and one who goes ends the query',
  async (format) => {
    const path = `${ACCOUNTS}/$export?$format=${format}`;
    // More often than an organisation may at once: each gives back what it had.
    for (let turn = 0; turn < 4; turn++) {
      const { answer, client } = await open(path);
      answer.on('error', () => {});
      await becomes(exporting, ['active ClientWrite']);
      client.destroy();
      await becomes(exporting, []);
    }
    const { answer } = await open(`${path}&name=Account+1`);
    expect((await answer.toArray()).length).toBeGreaterThan(0);
  },
);

test.each(['ndjson', 'csv', 'xlsx'] as const)(
  'a reader of %s who goes before the first record ends the query',
  async (format) => {
    const keeper = new pg.Client({ ...database.address, ...database.admin });
    await keeper.connect();
    try {
      await keeper.query('begin');
      await keeper.query('lock table t_acme.crm_accounts in access exclusive mode');
      const path = `${server.url}${ACCOUNTS}/$export?$format=${format}`;
      const client = request(path, { agent: false, headers: { authorization: `Bearer ${token}` } });
      client.on('error', () => {}).end();
      await becomes(exporting, ['active relation']);
      client.destroy();
      await becomes(exporting, []);
    } finally {
      await keeper.end();
    }
  },
);
