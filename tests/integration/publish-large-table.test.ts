/** A release for a table of a million records, while people read and write it and a long report runs. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { type Answer, client as programOf, type Client } from '../support/http.ts';
import { watchLocks } from '../support/lock-watch.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const RECORDS = 1_000_000;
/** Milliseconds that the issue allows: nobody waits longer for what a publish has locked. */
const STALL = 250;

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

type Field = Readonly<Record<string, unknown>>;
const NAME: Field = { key: 'name', type: 'text', required: true };
const documents = (...fields: readonly Field[]) => [
  { kind: 'entity', key: 'crate', plural: 'crates', label: 'Crate', history: true, fields: [NAME, ...fields] },
];
const CRATES = '/api/custom/v1/crates';
const TABLE = '"t_acme"."custom_crates"';

async function publish(...fields: readonly Field[]): Promise<number> {
  const base = Number((await admin.get('/api/metadata/documents')).json.data?.['release']);
  const from = performance.now();
  const answer = await admin.post('/api/metadata/publish', { base, message: 'Large', documents: documents(...fields) });
  expect(answer.status, answer.text).toBe(201);
  return performance.now() - from;
}

const steps = async (): Promise<readonly Record<string, unknown>[]> =>
  (await admin.get('/api/metadata/steps')).json.data ?? [];

/** Until every step is done. */
async function drained(): Promise<void> {
  for (;;) {
    const open = (await steps()).filter(({ state }) => state !== 'done');
    expect(open.filter(({ state }) => state === 'failed')).toEqual([]);
    if (open.length === 0) return;
    await delay(100);
  }
}

interface Work {
  readonly times: { readonly read: number[]; readonly write: number[] };
  readonly odd: string[];
}

/** Two who read and two who write until `until` has come true. */
async function atWork(program: Client, until: Promise<unknown>): Promise<Work> {
  const work: Work = { times: { read: [], write: [] }, odd: [] };
  let running = true;
  const ask = async (kind: 'read' | 'write', asked: Promise<Answer>, expected: number): Promise<Answer> => {
    const from = performance.now();
    const answer = await asked;
    work.times[kind].push(performance.now() - from);
    if (answer.status !== expected) work.odd.push(`${answer.status} ${answer.text}`);
    return answer;
  };
  const reader = async () => {
    while (running) {
      const list = await ask('read', program.get(`${CRATES}?$first=20&$select=id,name`), 200);
      await ask('read', program.get(`${CRATES}/${list.json.data?.[0]?.id}`), 200);
    }
  };
  const writer = async () => {
    while (running) {
      const made = await ask('write', program.post(CRATES, { name: 'new' }), 201);
      await ask('write', program.patch(`${CRATES}/${made.json.data?.id}`, { name: 'changed' }), 200);
    }
  };
  const workers = [reader(), reader(), writer(), writer()];
  await until.finally(() => {
    running = false;
  });
  await Promise.all(workers);
  return work;
}

const longest = (times: readonly number[]): number => Math.round(Math.max(...times));

test('nobody waits for a field, its rules and its index on 1,000,000 records', { timeout: 240_000 }, async () => {
  await publish();
  const { superuser } = database;
  await superuser.query(`alter table ${TABLE} disable trigger user`);
  await superuser.query(
    `insert into ${TABLE} (id, name, version, created_at, updated_at)
     select gen_random_uuid(), 'crate ' || g, 1, now() - g * interval '1 second', now() from generate_series(1, ${RECORDS}) g`,
  );
  await superuser.query(`alter table ${TABLE} enable trigger user`);
  await superuser.query(`analyze ${TABLE}`);
  // The server hears of the publish like any other: what the same process computes for it is not the database's doing.
  const program = programOf(
    app.url,
    (
      await app.app.services.identity.issueToken({
        tenant: 'acme',
        user: { email: 'admin@acme.example' },
        label: 'load',
      })
    ).token,
  );

  const quiet = await atWork(program, delay(2000));

  const watch = await watchLocks(database);
  const report = new pg.Client({ ...database.address, ...database.admin });
  await report.connect();
  let published = 0;
  const load = await atWork(
    program,
    (async () => {
      // A report that began before and reads the table for two seconds.
      await report.query('begin');
      await report.query(`select count(*) from ${TABLE}`);
      const publishing = publish(
        { key: 'region', type: 'text', max: 40, required: true, default: 'north', index: true },
        { key: 'size', type: 'decimal', index: true },
      );
      await delay(2000);
      await report.query('commit');
      published = await publishing;
      await drained();
    })(),
  );
  const watched = await watch();
  await report.end();

  console.log(
    [
      `1,000,000 records; published in ${Math.round(published)} ms beside a report of 2 s, ${(await steps()).length} steps afterwards`,
      `longest wait for a lock ${Math.round(watched.longest)} ms (${watched.waits} waits in ${watched.looks} looks)`,
      `longest read ${longest(load.times.read)} ms of ${load.times.read.length}, write ${longest(load.times.write)} ms of ${load.times.write.length}`,
      `without a publish: read ${longest(quiet.times.read)} ms, write ${longest(quiet.times.write)} ms`,
    ].join('\n'),
  );
  expect(load.odd).toEqual([]);
  expect(watched.looks).toBeGreaterThan(100);
  expect(watched.longest).toBeLessThan(STALL);
  // What the machine adds is in these: as much as it added before, at least.
  expect(longest(load.times.read)).toBeLessThan(Math.max(2 * STALL, 4 * longest(quiet.times.read)));
  expect(longest(load.times.write)).toBeLessThan(Math.max(2 * STALL, 4 * longest(quiet.times.write)));

  const { rows } = await superuser.query<{ valid: boolean; name: string }>(
    `select indexrelid::regclass::text as name, indisvalid as valid from pg_index where indrelid = '${TABLE}'::regclass`,
  );
  expect(rows.filter(({ valid }) => !valid)).toEqual([]);
  expect(rows.length).toBeGreaterThanOrEqual(4);
  const found = await program.get(`${CRATES}?region=north&$first=1&$count=capped`);
  expect(found.status).toBe(200);
});
