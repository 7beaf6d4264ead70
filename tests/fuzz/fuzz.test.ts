/**
 * Structured garbage on every route and in every kind of document: no defect of ours, no stack trace, nothing of
 * Postgres's words, no memory that grows without bound, and nothing changed where an error was answered.
 * `ARMATURE_FUZZ=500000 ARMATURE_SEED=n npm test -- tests/fuzz` runs longer, or again.
 */
import { expect, test } from 'vitest';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { testApp } from '#tests/support/app.ts';
import { watchMemory } from '#tests/support/memory.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { random, seedOf } from '#tests/support/random.ts';
import { serverProcesses, SMALL_HEAP } from '#tests/support/server-process.ts';
import { hire, makeTenant } from '#tests/support/tenant.ts';
import { FLEET } from '../integration/fleet.ts';
import { allOperations } from './operations.ts';
import { requestOf } from './requests.ts';

const REQUESTS = Number(process.env['ARMATURE_FUZZ'] ?? 50_000);
const WORKERS = 4;
/**
 * Megabytes that the server, a process of its own, may still hold when all is answered. What grows in its small heap ends
 * it; this is for what grows beside the heap. At most 280 are usual meanwhile, and 310 in 240,000 requests.
 */
const CEILING = 400;

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
/** What is fuzzed; the application here only hires and looks. */
const server = await (await serverProcesses(database, SMALL_HEAP)).begin();

/** What must never be in an answer: places in our source, Postgres's words, its codes. */
const OURS =
  /\n\s+at |node:internal|\/engine\/|node_modules|relation "|column "|violates |syntax error|pg_catalog|search_path|SQLSTATE/;

test('is answered with a problem, and changes nothing', { timeout: 3_600_000 }, async () => {
  const seed = seedOf();
  const documents = [
    ...FLEET,
    ...(await loadShippedPacks()).flatMap(({ documents: of }) => of.slice(0, 12).map(({ document }) => document)),
  ];
  const { json } = await admin.get('/api/metadata/documents');
  const operations = await allOperations(admin, documents, Number(json.data?.['release']));
  const ids = new Map<string, string[]>();
  for (const [plural, body] of [
    ['accounts', { name: 'Fuzzed' }],
    ['contacts', { last_name: 'Fuzzed' }],
    ['leads', { last_name: 'Fuzzed', company: 'Fuzzed' }],
    ['opportunities', { name: 'Fuzzed' }],
    ['activities', { subject: 'Fuzzed', type: 'task' }],
    ['products', { name: 'Fuzzed' }],
  ] as const) {
    const path = `/api/crm/v1/${plural}`;
    const made: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      const { json: answer } = await admin.post(path, body);
      if (answer.data) made.push(answer.data.id);
    }
    if (made.length > 0) ids.set(path, made);
  }
  const fields = [
    'id',
    'name',
    'owner',
    'account',
    'amount',
    'stage',
    'lines',
    'created_at',
    'version',
    'tags',
    'email',
    'parent',
    'nothing',
  ];
  const statuses = new Map<number, number>();
  const odd: string[] = [];
  const memory = watchMemory(server.pid);
  /** The most of each fifth of the requests. */
  const fifths: number[] = [];
  let sent = 0;

  const worker = async (index: number): Promise<void> => {
    const dice = random(seed + index);
    const email = `fuzz${index}@acme.example`;
    const { id } = await hire(admin, { name: `Fuzz ${index}`, email, roles: ['administrator'] });
    const { identity } = app.app.services;
    const issue = async () => (await identity.issueToken({ tenant: 'acme', user: { id } })).token;
    let token = await issue();
    /** Events that this person has caused since the last look. */
    let seen = 0;
    const events = async (): Promise<number> => {
      const { rows } = await database.superuser.query<{ last: string | null }>(
        'select max(id) as last from armature.outbox where actor = $1 and id > $2',
        [id, seen],
      );
      const last = Number(rows[0]?.last ?? 0);
      const more = last > seen;
      seen = Math.max(seen, last);
      return more ? 1 : 0;
    };
    await events();
    while (sent < REQUESTS && odd.length < 20) {
      sent += 1;
      const { method, path, headers, body } = requestOf(dice, operations, { ids, fields });
      const what = `${method} ${path.slice(0, 400)} ${typeof body === 'string' ? body.slice(0, 600) : ''} ${JSON.stringify(headers)}`;
      let response: Response;
      let answered: string;
      try {
        response = await fetch(server.url + path, {
          method,
          headers: { ...headers, authorization: `Bearer ${token}` },
          body,
          redirect: 'manual',
          signal: AbortSignal.timeout(120_000),
        });
        // Events never end by themselves.
        const endless = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
        if (endless) await response.body?.cancel();
        answered = endless ? '' : await response.text();
      } catch (error) {
        odd.push(`no answer: ${what}: ${String(error)}`);
        continue;
      }
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      // What a plan would do is SQL.
      const planned = response.ok && path.startsWith('/api/metadata/');
      if (response.status >= 500 || (!planned && OURS.test(answered)))
        odd.push(`${response.status} ${answered.slice(0, 500)} ← ${what}`);
      if (response.status >= 400 && method !== 'HEAD') {
        const problem =
          response.headers.get('content-type')?.includes('application/problem+json') && /"code":"\w+"/.test(answered);
        if (!problem) odd.push(`not a problem: ${response.status} ${answered.slice(0, 300)} ← ${what}`);
      }
      // It has signed itself out.
      if (response.status === 401) token = await issue();
      // Housekeeping of imports may change the import, and nothing else does by itself.
      if (response.status >= 400) {
        if (method !== 'GET' && method !== 'HEAD' && (await events()) > 0)
          odd.push(`changed something: ${response.status} ← ${what}`);
      } else if (method !== 'GET') await events();
      if (sent >= (REQUESTS / 5) * (fifths.length + 1)) fifths.push(memory.lap());
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: WORKERS }, (_, index) => worker(index)));
  const seconds = (performance.now() - from) / 1000;
  memory.stop();
  if (fifths.length < 5) fifths.push(memory.lap());
  const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  console.log(
    `seed ${seed}: ${sent} requests on ${operations.length} operations in ${seconds.toFixed(0)} s: ${counts.join(', ')}; ` +
      `memory by fifths ${fifths.join(', ')} MB`,
  );
  expect(odd).toEqual([]);
  expect(server.running.child.exitCode, server.running.err()).toBeNull();
  // What many requests hold at once is given back, and goes sooner or later; what has grown stays.
  await expect.poll(async () => (await memory.now()) ?? 0, { timeout: 60_000 }).toBeLessThan(CEILING);
  // A request that succeeds now and then shows that the garbage gets somewhere.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(sent / 100);
});
