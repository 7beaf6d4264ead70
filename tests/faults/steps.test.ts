/**
 * Crashes while what publishes leave for afterwards is worked off: indexes, validations, fills, rollups, a type that
 * changes and a purge, each broken off wherever it is. Afterwards every step has ended, its work is done once, and
 * nothing half made is left. `ARMATURE_SEED=n npm test -- tests/faults` repeats a run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random, seedOf } from '#tests/support/random.ts';
import { type Administrator, administrator } from './administrator.ts';
import { disturb, inside, Kills } from './disturb.ts';
import { type Installation, install } from './installation.ts';
import { persistent, type Tally } from './workers.ts';

/** So many that a publish goes through none of them, and a step meets its end in the middle. */
const PLANTS = 8000;
/** Together with the crashes of the other file, all of them stay below two minutes. */
const DISTURBANCES = 9;
const PLANTS_PATH = '/api/custom/v1/plants';

type Json = Readonly<Record<string, unknown>>;
const NAME: Json = { key: 'name', type: 'text', required: true };
const LEAVES: Json = { key: 'leaves', type: 'children', of: 'leaf' };
const CODE: Json = { key: 'code', type: 'text' };
const SIZE: Json = { key: 'size', type: 'text' };
const KIND: Json = { key: 'kind', type: 'text' };
const GONE: Json = { key: 'gone', type: 'text' };
const REGION: Json = { key: 'region', type: 'text', required: true, default: 'north', max: 20, index: true };
const NUMBER: Json = { key: 'number', type: 'sequence', prefix: 'P-' };
const documents = (...fields: readonly Json[]): readonly Json[] => [
  {
    kind: 'entity',
    key: 'plant',
    plural: 'plants',
    label: 'Plant',
    title: '{name}',
    history: true,
    fields: [NAME, LEAVES, ...fields],
  },
  {
    kind: 'entity',
    key: 'leaf',
    plural: 'leaves',
    label: 'Leaf',
    title: '{weight}',
    parent: 'plant',
    fields: [
      { key: 'plant', type: 'reference', to: 'plant', required: true, onDelete: 'cascade', index: true },
      { key: 'weight', type: 'integer' },
    ],
  },
];
const UNIQUE = { ...CODE, unique: true };
const ROLLUPS: readonly Json[] = [
  { key: 'leaf_count', type: 'rollup', of: 'leaves', fn: 'count' },
  { key: 'weight', type: 'rollup', of: 'leaves', fn: 'sum', field: 'weight', index: true },
];
const INTEGER = { ...SIZE, type: 'integer', min: 0, index: true };
/** Release by release, what each leaves for afterwards. */
const RELEASES = [
  documents(UNIQUE, SIZE, KIND, GONE, REGION, NUMBER, ...ROLLUPS),
  documents(UNIQUE, INTEGER, KIND, GONE, REGION, NUMBER, ...ROLLUPS),
  documents(UNIQUE, INTEGER, { ...KIND, required: true, default: 'tree', max: 10 }, REGION, NUMBER, ...ROLLUPS),
];

let there: Installation;
let admin: Administrator;
const seed = seedOf();
const tally: Tally = { acknowledged: 0, repeated: 0, replayed: 0, odd: [] };

beforeAll(async () => {
  there = await install();
  admin = await administrator(there);
  await admin.publish(await admin.release(), documents(CODE, SIZE, KIND, GONE));
  await inside(there, async (client) => {
    // Past the triggers: what is written from here on is told from it by its events.
    await client.query(`
      set session_replication_role = replica;
      insert into t_acme.custom_plants (id, version, created_at, updated_at, name, code, size, kind, gone)
        select gen_random_uuid(), 1, now(), now(), 'n' || g, 'c' || g, g::text, case when g % 2 = 0 then 'bush' end, 'x' from generate_series(1, ${PLANTS}) g;
      insert into t_acme.custom_leaves (id, version, created_at, updated_at, plant, weight)
        select gen_random_uuid(), 1, now(), now(), id, 3 from t_acme.custom_plants;
      analyze t_acme.custom_plants, t_acme.custom_leaves`);
  });
}, 180_000);
afterAll(() => there?.close());

const one = (sql: string): Promise<Json> =>
  inside(there, async (client) => (await client.query<Json>(sql)).rows[0] ?? {}).catch(async () => {
    await delay(50);
    return one(sql);
  });
const OPEN = `select count(*)::int as n from armature.schema_step where state in ('waiting', 'running')`;
const untilNone = async (sql: string): Promise<void> => {
  for (let tries = 0; tries < 10_000; tries += 1) {
    if ((await one(sql))['n'] === 0) return;
    await delay(50);
  }
  throw new Error(`there is always something of: ${sql}`);
};

/** One leaf after the other, for plants by the dice. @returns how many */
async function grow(plants: readonly { readonly id: string }[], done: () => boolean): Promise<number> {
  const dice = random(seed + 1);
  const send = persistent(() => there.url, admin.token, tally);
  let leaves = 0;
  for (; !done(); leaves += 1) {
    const id = plants[dice.below(plants.length)]?.id ?? '';
    await send('PATCH', `${PLANTS_PATH}/${id}`, { leaves: { create: [{ weight: 3 }] } }, `leaf-${leaves}`);
    await delay(10);
  }
  return leaves;
}

test('every step ends, is done once, and leaves nothing half made', { timeout: 1_200_000 }, async () => {
  let done = false;
  const kills = new Kills();
  const { rows: plants } = await inside(there, (client) =>
    client.query<{ id: string }>('select id from t_acme.custom_plants order by name limit 50'),
  );
  const disturbing = disturb(there, random(seed), kills, () => done, DISTURBANCES);
  const growing = grow(plants, () => done);
  const from = performance.now();
  let sent = 0;
  const publishing = async (): Promise<void> => {
    for (const [index, release] of RELEASES.entries()) {
      while (index === RELEASES.length - 1 && !kills.both) await delay(20);
      sent += await admin.publish(await admin.release(), release);
      // Not until the end: the next release meets what is still to be done.
      await delay(random(seed + sent).below(1500));
    }
    await untilNone(OPEN);
    // Asked for in a process of its own, which meets the same.
    for (let purged = false; !purged; ) {
      await there.cli('purge', '--tenant', 'acme', '--days', '0', '--yes').catch(() => '');
      purged = (await one('select count(*)::int as n from armature.set_aside'))['n'] === 0;
    }
    await untilNone(OPEN);
  };
  const work = publishing();
  // What cannot be brought back ends the test: everybody else would wait for it.
  await Promise.race([work, disturbing.then(() => work)]).finally(() => {
    done = true;
  });
  const [leaves] = await Promise.all([growing, disturbing]);
  const seconds = (performance.now() - from) / 1000;
  const { steps, attempts } = await one(
    `select count(*)::int as steps, sum(attempts)::int as attempts from armature.schema_step`,
  );
  console.log(
    `seed ${seed}: ${String(steps)} steps of ${RELEASES.length} releases in ${String(attempts)} attempts, releases sent ${sent} times, ${leaves} leaves meanwhile; ` +
      `${kills.server} × server and ${kills.postgres} × Postgres killed, ${kills.replies} replies lost; ${seconds.toFixed(0)} s`,
  );
  expect(tally.odd).toEqual([]);
  expect(kills.both).toBe(true);
  await look(leaves);
});

/** Past the server, into the tables. */
async function look(leaves: number): Promise<void> {
  await inside(there, async (client) => {
    const all = async (sql: string): Promise<Json[]> => (await client.query<Json>(sql)).rows;
    expect(
      await all(`select kind, title, state, error from armature.schema_step
                 where state not in ('done') and superseded_by is null or error is not null and superseded_by is null`),
    ).toEqual([]);
    expect(
      await all(
        `select kind from armature.schema_step where superseded_by is null group by kind, release, work having count(*) > 1`,
      ),
    ).toEqual([]);
    const kinds = await all(`select distinct kind from armature.schema_step where state = 'done' order by kind`);
    const steps = await all(
      `select number, release, kind, state, attempts, superseded_by, error, title from armature.schema_step order by number`,
    );
    expect(
      kinds.map(({ kind }) => kind),
      JSON.stringify(steps, null, 1),
    ).toEqual(['convert', 'fill', 'index', 'purge', 'require', 'rollup', 'validate']);
    // Nothing half made.
    expect(
      await all(`select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
                 where c.relnamespace = 't_acme'::regnamespace and not (i.indisvalid and i.indisready and i.indislive)`),
    ).toEqual([]);
    expect(
      await all(`select conname from pg_constraint where connamespace = 't_acme'::regnamespace and not convalidated`),
    ).toEqual([]);
    const columns =
      await all(`select attname as name from pg_attribute where attrelid = 't_acme.custom_plants'::regclass
                               and attnum > 0 and not attisdropped order by 1`);
    expect(columns.map(({ name }) => name)).toEqual(
      'code created_at created_by id kind leaf_count name number region size updated_at updated_by version weight'.split(
        ' ',
      ),
    );
    const indexed =
      await all(`select a.attname as name, i.indisunique as only from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                               where i.indrelid = 't_acme.custom_plants'::regclass and not i.indisprimary order by 1`);
    for (const found of [
      { name: 'code', only: true },
      { name: 'number', only: true },
      { name: 'region', only: false },
      { name: 'size', only: false },
      { name: 'weight', only: false },
    ])
      expect(indexed.filter(({ name }) => name === found.name)).toEqual([found]);
    // Everything done, and once.
    expect(
      await all(`select count(*)::int as plants, count(distinct number)::int as numbers, sum(size)::bigint::text as sizes,
                   count(*) filter (where region = 'north')::int as regions, count(*) filter (where kind = 'tree')::int as trees,
                   count(*) filter (where size::text is distinct from substr(name, 2))::int as wrong from t_acme.custom_plants`),
    ).toEqual([
      {
        plants: PLANTS,
        numbers: PLANTS,
        sizes: String((PLANTS * (PLANTS + 1)) / 2),
        regions: PLANTS,
        trees: PLANTS / 2,
        wrong: 0,
      },
    ]);
    expect(
      await all(`select p.name from t_acme.custom_plants p cross join lateral
                   (select count(*) as n, sum(weight) as w from t_acme.custom_leaves l where l.plant = p.id) l
                 where (p.leaf_count, p.weight) is distinct from (l.n, l.w)`),
    ).toEqual([]);
    // A value that was filled in is a change of the record, and was made once. What is computed or converted is none.
    const filled = PLANTS + PLANTS / 2;
    expect(
      await all(`select (select count(*) from t_acme.custom_leaves)::int as leaves, (select sum(version - 1) from t_acme.custom_plants)::int as changes,
                   (select count(*) from t_acme.h_custom_plants)::int as history,
                   (select count(distinct (record_id, version)) from armature.outbox where version > 1)::int as events,
                   (select count(*) from pg_prepared_xacts)::int as prepared`),
    ).toEqual([
      { leaves: PLANTS + leaves, changes: leaves + filled, history: filled, events: leaves + filled, prepared: 0 },
    ]);
  });
  expect(await admin.release()).toBe(RELEASES.length + 2);
}
