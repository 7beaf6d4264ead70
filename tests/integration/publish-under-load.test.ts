/** People work while somebody publishes: nothing breaks, nothing is lost, and nobody waits for long. */
import { describe, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer, Client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

type Field = Readonly<Record<string, unknown>>;
const NAME: Field = { key: 'name', type: 'text', required: true };
const SIZE: Field = { key: 'size', type: 'decimal', scale: 1 };
const documents = (fields: readonly Field[], plural = 'crates') => [
  { kind: 'entity', key: 'crate', plural, label: 'Crate', title: '{name}', softDelete: true, history: true, fields },
  { kind: 'role', key: 'packer', label: 'Packer', inherits: ['member'] },
  {
    kind: 'permission',
    role: 'packer',
    entity: 'crate',
    actions: ['create', 'read', 'update'],
    // Column by column: what is published changes grants, too.
    fields: { read: { except: ['created_by'] } },
  },
];
const CRATES = '/api/custom/v1/crates';

const release = async (): Promise<number> => Number((await admin.get('/api/metadata/documents')).json.data?.release);
/** Milliseconds that a publish tries to have its locks. */
const PATIENCE = 20_000;
const tryToPublish = async (fields: readonly Field[], plural?: string): Promise<Answer> =>
  admin.post('/api/metadata/publish', {
    base: await release(),
    message: 'Under load',
    documents: documents(fields, plural),
  });
async function publish(fields: readonly Field[], plural?: string): Promise<void> {
  const answer = await tryToPublish(fields, plural);
  expect(answer.status, answer.text).toBeLessThan(300);
}

await publish([NAME, { key: 'note', type: 'text' }, SIZE]);
await hire(admin, { name: 'Pia Packer', email: 'pia@acme.example', roles: ['packer'] });
const packer = await app.as('acme', 'pia@acme.example');

/** Statuses that make sense while an address, a field or a value comes and goes. */
const SENSIBLE: ReadonlySet<number> = new Set([200, 201, 204, 400, 404, 412, 422, 503]);

interface Load {
  readonly seen: Map<number, number>;
  readonly odd: string[];
  /** Id → version of what was answered as written. */
  readonly written: Map<string, number>;
  /** Rounds that each worker has ended. */
  readonly rounds: number[];
}

/** Works as both people until `until` has come true; every worker makes and changes records of its own. */
async function underLoad(until: (load: Load) => Promise<unknown>): Promise<Load> {
  const load: Load = { seen: new Map(), odd: [], written: new Map(), rounds: [0, 0, 0, 0] };
  let running = true;
  const worker = async (client: Client, name: string, at: number) => {
    const ask = async (what: string, asked: Promise<Answer>): Promise<Answer> => {
      const answer = await asked;
      load.seen.set(answer.status, (load.seen.get(answer.status) ?? 0) + 1);
      if (!SENSIBLE.has(answer.status)) load.odd.push(`${what}: ${answer.status} ${answer.text}`);
      return answer;
    };
    for (let round = 0; running; round++) {
      const made = await ask('create', client.post(CRATES, { name: `${name} ${round}`, size: '1.5' }));
      const { id } = made.json.data ?? {};
      if (made.status !== 201 || id === undefined) continue;
      load.written.set(id, 1);
      const changed = await ask('change', client.patch(`${CRATES}/${id}`, { name: `${name} ${round} again` }));
      if (changed.status === 200) load.written.set(id, 2);
      await ask('one', client.get(`${CRATES}/${id}`));
      await ask('history', client.get(`${CRATES}/${id}/history`));
      await ask('list', client.get(`${CRATES}?$first=5`));
      await ask('old field', client.get(`${CRATES}?$first=5&$select=name,note`));
      await ask('new field', client.get(`${CRATES}?$first=5&$select=name,remark`));
      load.rounds[at] = (load.rounds[at] ?? 0) + 1;
    }
  };
  const workers = [worker(packer, 'a', 0), worker(packer, 'b', 1), worker(admin, 'c', 2), worker(admin, 'd', 3)];
  await until(load).finally(() => {
    running = false;
  });
  await Promise.all(workers);
  return load;
}

async function expectKept({ odd, written }: Load): Promise<void> {
  expect(odd).toEqual([]);
  const table = (
    await database.superuser.query<{ relname: string }>(
      `select relname from pg_class where relnamespace = 't_acme'::regnamespace and relname like 'custom\\_%' and relkind = 'r'`,
    )
  ).rows[0]?.relname;
  const { rows } = await database.superuser.query<{ id: string; version: unknown }>(
    `select id, version from "t_acme"."${table}"`,
  );
  const stored = new Map(rows.map((row) => [row.id, Number(row.version)]));
  const lost = [...written].filter(([id, version]) => stored.get(id) !== version);
  expect(lost.map(([id, version]) => `${id}: ${version} written, ${stored.get(id)} stored`)).toEqual([]);
  expect(written.size).toBeGreaterThan(3);
}

describe('while a release is published', () => {
  test('nobody is answered with our fault, and no write is lost', { timeout: 300_000 }, async () => {
    const load = await underLoad(async () => {
      await publish([NAME, { key: 'remark', type: 'text', was: 'note' }, SIZE]);
      expect((await packer.get(`${CRATES}?$select=remark`)).status).toBe(200);
      await publish([NAME, SIZE]);
      expect((await packer.get(`${CRATES}?$select=remark`)).json.code).toBe('unknown_field');
      // A column whose type changes: its prepared statements are refused.
      await publish([NAME, { ...SIZE, scale: 3 }, { key: 'remark', type: 'text', default: 'new' }]);
      const fresh = await packer.post(CRATES, { name: 'At once', size: '2.5' });
      expect([fresh.status, fresh.json.data?.['remark'], fresh.json.data?.['size']]).toEqual([201, 'new', '2.500']);
      await publish([
        NAME,
        { ...SIZE, scale: 3 },
        { key: 'double', type: 'formula', returns: 'decimal', expr: 'size * 2' },
      ]);
      await publish([NAME, SIZE], 'boxes');
      expect((await packer.get('/api/custom/v1/boxes?$first=1')).status).toBe(200);
      await publish([NAME, { key: 'note', type: 'text' }, SIZE]);
    });
    await expectKept(load);
    // Whoever meets it may be told to try again, but hardly anybody is.
    expect(load.seen.get(503) ?? 0).toBeLessThan(5);
  });

  test('reading and writing go on while it waits for a long read', { timeout: 300_000 }, async () => {
    const { superuser } = database;
    const waits = async () => {
      const { rowCount } = await superuser.query(
        `select from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = '"t_acme"."custom_crates"'::regclass`,
      );
      expect(rowCount).toBe(1);
    };
    await superuser.query('begin');
    await superuser.query('lock table "t_acme"."custom_crates" in access share mode');
    const from = performance.now();
    const published = tryToPublish([NAME, SIZE]);
    // It stands in the queue of the table and steps back, time after time: whoever works gets on before the read ends.
    const load = await underLoad(async ({ rounds }) => {
      await vi.waitFor(waits, { timeout: 60_000, interval: 10 });
      const before = [...rounds];
      // A round that was under way, and one that began afterwards.
      await vi.waitFor(() => expect(rounds.every((now, at) => now >= (before[at] ?? 0) + 2)).toBe(true), 60_000);
    });
    await superuser.query('commit');
    const { status, text } = await published;
    // Only after its own patience it may have given up.
    if (status !== 503 || performance.now() - from < PATIENCE) expect(status, text).toBe(201);
    await expectKept(load);
    expect(load.seen.get(503)).toBeUndefined();
  });
});
