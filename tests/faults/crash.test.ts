/**
 * Crashes: server and Postgres are killed at random, and replies of commits are lost, while people write, a file is
 * imported and a release is published. Afterwards everything that was acknowledged is there, everything is there once,
 * and everything that was begun has ended. `ARMATURE_SEED=n npm test -- tests/faults` repeats a run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Administrator, administrator } from './administrator.ts';
import { disturb, inside, Kills } from './disturb.ts';
import type { Installation } from './installation.ts';
import { install } from './installation.ts';
import { random, seedOf } from '#tests/support/random.ts';
import { persistent, type Tally, write, type Writers } from './workers.ts';

const WRITES = Number(process.env['ARMATURE_CRASH_WRITES'] ?? 5000);
const WRITERS = 8;
const IMPORTED = 2000;
/** On a machine where everything takes long, what needs some time in one piece comes to its end after them. */
const DISTURBANCES = 60;
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
let admin: Administrator;
const seed = seedOf();
const tally: Tally = { acknowledged: 0, repeated: 0, replayed: 0, odd: [] };
const book: Writers['book'] = new Map();

beforeAll(async () => {
  there = await install();
  admin = await administrator(there);
  await admin.publish(await admin.release(), DOCUMENTS());
}, 180_000);
afterAll(() => there?.close());

/** Releases that add a field each, until the work is done: each once, whatever was lost of it. */
async function publishThrough(done: () => boolean): Promise<{ readonly releases: number; readonly attempts: number }> {
  const fields: object[] = [];
  let attempts = 0;
  while (!done()) {
    fields.push({ key: `extra_${fields.length}`, type: 'decimal', scale: 1, index: true });
    const base = await admin.release();
    expect(base).toBe(fields.length + 1);
    attempts += await admin.publish(base, DOCUMENTS(fields));
    await delay(300);
  }
  return { releases: fields.length, attempts };
}

async function importThrough(): Promise<Record<string, unknown>> {
  const { ask, untilAnswered } = admin;
  const rows = Array.from({ length: IMPORTED }, (_, index) => `imported ${index},import`);
  const form = () => {
    const data = new FormData();
    data.set('file', new File([`Name,Batch\n${rows.join('\n')}\n`], 'crates.csv'));
    return data;
  };
  const upload = await untilAnswered(() => ask('POST', `${CRATES}/imports`, form()));
  expect(upload.status).toBe(201);
  const at = `${CRATES}/imports/${String(upload.json.data?.['id'])}`;
  await untilAnswered(async () => {
    const settings = JSON.stringify({ mapping: { Name: 'name', Batch: 'batch' } });
    const started = await ask('POST', `${at}/start`, settings, { 'content-type': 'application/json' });
    return started;
  });
  for (let attempt = 0; attempt < 6000; attempt += 1) {
    const { json } = await untilAnswered(() => ask('GET', at, null));
    if (json.data?.['state'] === 'done' || json.data?.['state'] === 'failed') return json.data;
    await delay(100);
  }
  throw new Error('the import never ended');
}

test('lose nothing, do nothing twice, and leave nothing half-done', { timeout: 1_200_000 }, async () => {
  const send = persistent(() => there.url, admin.token, tally);
  let done = false;
  const kills = new Kills();
  const disturbing = disturb(there, random(seed), kills, () => done, DISTURBANCES);
  const from = performance.now();
  const publishing = publishThrough(() => done);
  const work = Promise.all([
    importThrough(),
    ...Array.from({ length: WRITERS }, (_, index) =>
      write(
        `w${index}`,
        CRATES,
        Math.ceil(WRITES / WRITERS),
        random(seed + index + 1),
        send,
        book,
        () => done || kills.both,
      ),
    ),
  ]);
  // What cannot be brought back ends the test: everybody else would wait for it.
  const [imported, ...sent] = await Promise.race([work, disturbing.then(() => work)]).finally(() => {
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
  expect(tally.acknowledged).toBe(sent.reduce((sum, one) => sum + one, 0));
  expect(tally.acknowledged).toBeGreaterThanOrEqual(WRITES);
  expect(kills.both).toBe(true);
  expect(imported).toMatchObject({ state: 'done', created: IMPORTED, failed: 0 });
  expect(await admin.release()).toBe(published.releases + 2);
  await look();
});

/** Past the server, into the tables. */
async function look(): Promise<void> {
  await inside(there, async (client) => {
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
    expect(await one(`select count(*) n from armature.release`)).toBe(await admin.release());
    expect(await one(`select count(*) n from pg_prepared_xacts`)).toBe(0);
  });
}
