/**
 * Crashes: server and Postgres are killed at random, and replies of commits are lost, while people write, a file is
 * imported and a release is published. Afterwards everything that was acknowledged is there, everything is there once,
 * and everything that was begun has ended. `ARMATURE_SEED=n npm test -- tests/faults` repeats a run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Installation } from './installation.ts';
import { install } from './installation.ts';
import { random, seedOf } from '#tests/support/random.ts';
import { persistent, type Tally, write, type Writers } from './workers.ts';

const WRITES = Number(process.env['ARMATURE_CRASH_WRITES'] ?? 5000);
const WRITERS = 8;
const IMPORTED = 2000;
const CRATES = '/api/custom/v1/crates';

const DOCUMENTS = (more: readonly object[] = []) => [
  {
    kind: 'entity',
    key: 'crate',
    plural: 'crates',
    label: 'Crate',
    title: '{name}',
    softDelete: true,
    history: true,
    fields: [{ key: 'name', type: 'text', required: true }, { key: 'batch', type: 'text' }, ...more],
  },
];

let there: Installation;
let token: string;
const seed = seedOf();
const dice = random(seed);
const tally: Tally = { acknowledged: 0, repeated: 0, replayed: 0, odd: [] };
const book: Writers['book'] = new Map();
const kills = { server: 0, postgres: 0, replies: 0 };

beforeAll(async () => {
  there = await install();
  await there.cli('tenant', 'create', 'acme', '--name', 'Acme', '--packs', '', '--admin-email', 'ada@acme.example');
  token = await there.cli('token', '--tenant', 'acme', '--user', 'ada@acme.example');
  const { status } = await publish(await release(), DOCUMENTS());
  expect(status).toBe(201);
}, 180_000);
afterAll(() => there?.close());

const ask = async (method: string, path: string, body: BodyInit | null, headers: Record<string, string> = {}) => {
  const response = await fetch(there.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : JSON.parse(text) };
};
/** Until there is an answer that is final. */
const untilAnswered = async <T extends { readonly status: number }>(what: () => Promise<T>): Promise<T> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const answer = await what().catch(() => null);
    if (answer && answer.status !== 503 && answer.status !== 504) return answer;
    await delay(150);
  }
  throw new Error('there was never an answer');
};
const release = async (): Promise<number> =>
  Number((await untilAnswered(() => ask('GET', '/api/metadata/documents', null))).json.data?.release);
const publish = (base: number, documents: readonly object[]) =>
  ask('POST', '/api/metadata/publish', JSON.stringify({ base, message: 'Crash', documents }), {
    'content-type': 'application/json',
  });

/** Releases that add a field each, until the work is done: each once, whatever was lost of it. */
async function publishThrough(done: () => boolean): Promise<{ readonly releases: number; readonly attempts: number }> {
  const fields: object[] = [];
  let attempts = 0;
  while (!done()) {
    fields.push({ key: `extra_${fields.length}`, type: 'decimal', scale: 1, index: true });
    const base = await release();
    expect(base).toBe(fields.length + 1);
    for (;;) {
      attempts += 1;
      const answer = await publish(base, DOCUMENTS(fields)).catch(() => null);
      if (answer && answer.status < 300) break;
      // Whoever was not answered looks whether it has happened.
      if ((await release()) > base) break;
      if (answer && answer.status !== 503 && answer.status !== 504 && answer.status !== 409)
        throw new Error(JSON.stringify(answer));
      await delay(100);
    }
    await delay(300);
  }
  return { releases: fields.length, attempts };
}

async function importThrough(): Promise<Record<string, unknown>> {
  const rows = Array.from({ length: IMPORTED }, (_, index) => `imported ${index},import`);
  const form = () => {
    const data = new FormData();
    data.set('file', new File([`Name,Batch\n${rows.join('\n')}\n`], 'crates.csv'));
    return data;
  };
  const upload = await untilAnswered(() => ask('POST', `${CRATES}/imports`, form()));
  expect(upload.status).toBe(201);
  const at = `${CRATES}/imports/${upload.json.data.id}`;
  await untilAnswered(async () => {
    const settings = JSON.stringify({ mapping: { Name: 'name', Batch: 'batch' } });
    const started = await ask('POST', `${at}/start`, settings, { 'content-type': 'application/json' });
    return started;
  });
  for (let attempt = 0; attempt < 1200; attempt += 1) {
    const { json } = await untilAnswered(() => ask('GET', at, null));
    if (json.data?.state === 'done' || json.data?.state === 'failed') return json.data;
    await delay(100);
  }
  throw new Error('the import never ended');
}

/** Kills and brings back, until the work is done. */
async function disturb(done: () => boolean): Promise<void> {
  while (!done()) {
    await delay(150 + dice.below(700));
    if (done()) break;
    const what = dice.below(4);
    if (what === 0) {
      kills.server += 1;
      await there.killServer();
      await delay(dice.below(300));
      await there.startServer();
    } else if (what === 1) {
      kills.postgres += 1;
      await there.killPostgres();
      await delay(dice.below(300));
      await there.startPostgres();
    } else {
      there.proxy.drop(1 + dice.below(3));
    }
  }
  kills.replies = there.proxy.dropped();
}

test('lose nothing, do nothing twice, and leave nothing half-done', { timeout: 600_000 }, async () => {
  const send = persistent(() => there.url, token, tally);
  let done = false;
  const disturbing = disturb(() => done);
  const from = performance.now();
  const publishing = publishThrough(() => done);
  const [imported] = await Promise.all([
    importThrough(),
    ...Array.from({ length: WRITERS }, (_, index) =>
      write(`w${index}`, CRATES, Math.ceil(WRITES / WRITERS), random(seed + index + 1), send, book),
    ),
  ]).finally(() => {
    done = true;
  });
  await disturbing;
  const published = await publishing;
  const seconds = (performance.now() - from) / 1000;
  console.log(
    `seed ${seed}: ${tally.acknowledged} writes acknowledged, ${tally.repeated} repeated, ${tally.replayed} answered from an earlier try; ` +
      `${kills.server} × server and ${kills.postgres} × Postgres killed, ${kills.replies} replies lost; ` +
      `${published.releases} releases in ${published.attempts} tries; ${seconds.toFixed(0)} s`,
  );
  expect(tally.odd).toEqual([]);
  expect(tally.acknowledged).toBe(WRITERS * Math.ceil(WRITES / WRITERS));
  expect(kills.server + kills.postgres).toBeGreaterThan(1);
  expect(imported).toMatchObject({ state: 'done', created: IMPORTED, failed: 0 });
  expect(await release()).toBe(published.releases + 2);
  await look();
});

/** Past the server, into the tables. */
async function look(): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: there.postgresPort(),
    user: 'postgres',
    password: 'superuser',
    database: 'postgres',
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string; name: string; version: number; deleted: boolean }>(
      `select id, name, version::int, deleted_at is not null as deleted from t_acme.custom_crates where batch is null`,
    );
    const found = new Map(rows.map(({ id, ...rest }) => [id, rest]));
    expect(found.size).toBe(book.size);
    for (const [id, { name, changes, deleted }] of book)
      expect(found.get(id), id).toEqual({ name, deleted, version: changes + 1 });
    const one = async (sql: string): Promise<number> => Number((await client.query(sql)).rows[0]?.n);
    const changes = [...book.values()].reduce((sum, record) => sum + record.changes, 0);
    // One event for each write, those of the import among them.
    expect(
      await one(`select count(*) n from armature.outbox o where o.record_id in (select id from t_acme.custom_crates)`),
    ).toBe(book.size + changes + IMPORTED);
    expect(await one(`select count(distinct name) n from t_acme.custom_crates where batch = 'import'`)).toBe(IMPORTED);
    expect(await one(`select count(*) n from t_acme.custom_crates where batch = 'import'`)).toBe(IMPORTED);
    expect(await one(`select count(*) n from armature.release`)).toBe(await release());
    expect(await one(`select count(*) n from pg_prepared_xacts`)).toBe(0);
  } finally {
    await client.end();
  }
}
