/** Whatever happens to the parts, in whatever order and at once: what is kept over them is what they come to. */
import fc from 'fast-check';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { TOURS, withFields } from './tours.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const published = await admin.post('/api/metadata/publish', { base: 1, message: 'Tours', documents: TOURS });
if (published.status >= 300) throw new Error(published.text);

const TOUR = '/api/custom/v1/tours';

/** Tours whose columns differ from a fresh aggregate over their stops. */
async function wrong(): Promise<readonly unknown[]> {
  const { rows } = await database.superuser.query(
    `select t.name, t.stop_count, t.fees, t.fees_currency, t.walking, t.longest, s.*
     from t_acme.custom_tours t cross join lateral (
       select count(*) as n, case when count(distinct x.fee_currency) filter (where x.fee is not null) <= 1 then coalesce(sum(x.fee), 0) end as f,
              case when count(distinct x.fee_currency) filter (where x.fee is not null) = 1 then min(x.fee_currency) filter (where x.fee is not null) end as c,
              coalesce(sum(x.minutes) filter (where x.kind = 'walk'), 0) as w, max(x.minutes) as l
       from t_acme.custom_stops x where x.tour = t.id) s
     where (t.stop_count, t.fees, t.fees_currency, t.walking, t.longest) is distinct from (s.n, s.f, s.c, s.w, s.l)`,
  );
  return rows;
}

async function connected(): Promise<pg.Client> {
  const one = new pg.Client({ ...database.address, ...database.admin });
  await one.connect();
  await one.query(`set deadlock_timeout = '20ms'`);
  return one;
}

/** Resolves once so many statements wait for a lock. */
async function blocked(count: number): Promise<void> {
  await vi.waitFor(async () => {
    const { rows } = await database.superuser.query(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows[0].n).toBeGreaterThanOrEqual(count);
  }, 20_000);
}

const stopArbitrary = fc.record(
  {
    name: fc.constant('s'),
    minutes: fc.option(fc.integer({ min: -1000, max: 1000 })),
    fee: fc.option(fc.integer({ min: -99_999, max: 99_999 }).map((cents) => (cents / 100).toFixed(2))),
    fee_currency: fc.constantFrom('EUR', 'EUR', 'EUR', 'USD'),
    kind: fc.option(fc.constantFrom('walk', 'meal')),
  },
  { requiredKeys: ['name'] },
);
const commandArbitrary = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      stops: fc.array(stopArbitrary, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('update' as const), which: fc.nat(), stop: stopArbitrary }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bin' as const) }) },
);

test('after any sequence of writes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commandArbitrary, { maxLength: 8 }), async (commands) => {
      const made = await admin.post(TOUR, { name: 't' });
      const id = made.json.data?.id ?? '';
      for (const command of commands) {
        const { json } = await admin.get(`${TOUR}/${id}?$select=stops(id)`);
        const listed = json.data?.['stops'];
        const stops: { id: string }[] = Array.isArray(listed) ? listed : [];
        const stop = 'which' in command ? stops[command.which % Math.max(stops.length, 1)] : undefined;
        if (command.do === 'create') await admin.patch(`${TOUR}/${id}`, { stops: { create: command.stops } });
        else if (command.do === 'bin') {
          await admin.delete(`${TOUR}/${id}`);
          await admin.post(`${TOUR}/${id}/actions/restore`, {});
        } else if (!stop) continue;
        else if (command.do === 'update')
          await admin.patch(`${TOUR}/${id}`, { stops: { update: [{ id: stop.id, ...command.stop }] } });
        else await admin.patch(`${TOUR}/${id}`, { stops: { delete: [stop.id] } });
      }
      expect(await wrong()).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('and when many write at once, parts of the same wholes', async () => {
  const tours = await Promise.all(
    [0, 1, 2].map(async (n) => (await admin.post(TOUR, { name: `c${n}` })).json.data?.id ?? ''),
  );
  const added = Array.from({ length: 60 }, async (_, n) => {
    const answer = await admin.patch(`${TOUR}/${tours[n % 3]}`, {
      stops: { create: [{ name: `${n}`, fee: '1.00', minutes: n }] },
    });
    return answer.status;
  });
  expect(new Set(await Promise.all(added))).toEqual(new Set([200]));
  expect(await wrong()).toEqual([]);

  // Parts alone, by connections of their own, so that nothing but the trigger locks the wholes.
  const clients = await Promise.all(Array.from({ length: 6 }, () => connected()));
  let committed = 0;
  const working = clients.map(async (one, n) => {
    for (let round = 0; round < 25; round += 1) {
      const [from, to] = [tours[(n + round) % 3], tours[(n * 2 + round) % 3]];
      await one.query('begin');
      await one
        .query(
          `insert into t_acme.custom_stops (id, tour, name, minutes) values (gen_random_uuid(), '${from}', 'x', 1)`,
        )
        .then(() =>
          one.query(
            `update t_acme.custom_stops set tour = '${to}', minutes = minutes + 1 where id in (select id from t_acme.custom_stops where tour = '${from}' order by random() limit 2)`,
          ),
        )
        .then(() => one.query('commit'))
        .then(() => {
          committed += 1;
        })
        .catch(async (error: unknown) => {
          // Two that wait for each other: Postgres sends one of them away.
          if (!(error instanceof Error && 'code' in error && error.code === '40P01')) throw error;
          await one.query('rollback');
        });
    }
  });
  await Promise.all(working);
  await Promise.all(clients.map((one) => one.end()));
  expect(await wrong()).toEqual([]);
  const { rows } = await database.superuser.query(
    `select sum(stop_count)::int as n from t_acme.custom_tours where id = any($1)`,
    [tours],
  );
  // Of two that wait for each other one goes on.
  expect(committed).toBeGreaterThan(0);
  expect(rows[0].n).toBe(60 + committed);
});

test('a part that waits for another sees it', async () => {
  const tour = (await admin.post(TOUR, { name: 'w' })).json.data?.id ?? '';
  const insert = `insert into t_acme.custom_stops (id, tour, name, minutes) values (gen_random_uuid(), '${tour}', 'x', 1)`;
  const [one, other] = await Promise.all([connected(), connected()]);
  await one.query('begin');
  await one.query(insert);
  const waiting = other.query(insert);
  await blocked(1);
  await one.query('commit');
  await waiting;
  await Promise.all([one.end(), other.end()]);
  expect(await wrong()).toEqual([]);
});

test('a publish that brings them waits for parts that are being written', async () => {
  const tour = (await admin.post(TOUR, { name: 'p', stops: [{ name: '0', minutes: 1 }] })).json.data?.id ?? '';
  // Without any of them, nothing but the publish itself makes the two wait for each other.
  const without = withFields('tour', (fields) => fields.filter(({ key, of }) => of !== 'stops' && key !== 'hours'));
  const bare = await admin.post('/api/metadata/publish', { base: 2, message: 'None', documents: without });
  expect(bare.status, bare.text).toBe(201);
  // What is written now is written by the triggers of before: they know of no such rollup.
  const one = await connected();
  await one.query('begin');
  await one.query(`update t_acme.custom_stops set minutes = 77 where tour = '${tour}'`);
  const publishing = admin.post('/api/metadata/publish', { base: 3, message: 'Time', documents: TOURS });
  await blocked(1);
  await one.query('commit');
  await one.end();
  const answer = await publishing;
  expect(answer.status, answer.text).toBe(201);
  expect(await wrong()).toEqual([]);
});
