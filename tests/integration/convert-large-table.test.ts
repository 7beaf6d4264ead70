/** A text that becomes a reference on a large table, while people write it: they wait for it no longer than for a number. */
import { expect, test } from 'vitest';
import type { TenantDocument } from '#engine/schema/source.ts';
import { watchLocks } from '../support/lock-watch.ts';
import { testDatabase } from '../support/postgres.ts';
import { schemaLab } from '../support/schema-lab.ts';

const RECORDS = 100_000;
const CITIES = 50_000;
/** Milliseconds that nobody waits for what a publish has locked. */
const STALL = 250;
/** A machine that takes longer for all of it takes longer for each part of it: this part of the whole nobody waits for. */
const PART = 1 / 20;
/** Rows that one transaction converts, and holds until it has ended. */
const TOGETHER = 1000;

const database = await testDatabase();
const lab = schemaLab(database);
const { superuser } = database;

const documents = (place: Readonly<Record<string, unknown>>): readonly TenantDocument[] => [
  {
    kind: 'entity',
    key: 'shop',
    plural: 'shops',
    label: 'Shop',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'place', ...place },
    ],
  },
  {
    kind: 'entity',
    key: 'city',
    plural: 'cities',
    label: 'City',
    title: '{name}',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'number', type: 'integer', unique: true },
    ],
  },
];

test('nobody waits while 100,000 texts become references', { timeout: 900_000 }, async () => {
  const made = await lab.organisation('large', { documents: documents({ type: 'text' }) });
  const schema = `"${made.tenant.names.schema}"`;
  const fill = async (table: string, columns: string, values: string, count: number) => {
    await superuser.query(`alter table ${schema}.${table} disable trigger user`);
    await superuser.query(
      `insert into ${schema}.${table} (id, version, created_at, updated_at, ${columns}) select gen_random_uuid(), 1, now(), now(), ${values} from generate_series(1, ${count}) g`,
    );
    await superuser.query(`alter table ${schema}.${table} enable trigger user`);
    await superuser.query(`analyze ${schema}.${table}`);
  };
  await fill('custom_shops', 'name, place', `'shop ' || g, (g % ${CITIES} + 1)::text`, RECORDS);
  await fill('custom_cities', 'name, number', `'City ' || g, g`, CITIES);

  const system = await made.person();
  /** Beside somebody who writes: nobody waits for long, and no transaction has had many of the records. */
  const measure = async (place: Readonly<Record<string, unknown>>) => {
    const watch = await watchLocks(database);
    let running = true;
    let longest = 0;
    const writing = (async () => {
      for (let at = 0; running; at += 1) {
        const from = performance.now();
        await made.sql(system, `update $custom_shops set name = 'written' where name = 'shop ${at + 1}'`);
        longest = Math.max(longest, performance.now() - from);
      }
    })();
    const from = performance.now();
    await made.publish(documents(place)).finally(() => {
      running = false;
    });
    const took = performance.now() - from;
    await writing;
    const locks = await watch();
    console.log(
      `${String(place['type'])}: ${Math.round(took)} ms, longest wait for a lock ${Math.round(locks.longest)} ms, longest write ${Math.round(longest)} ms`,
    );
    expect(locks.surely).toBeLessThan(Math.max(STALL, took * PART));
    const { rows } = await superuser.query<{ most: number }>(
      `select max(n)::int as most from (select count(*) as n from ${schema}.custom_shops group by xmin::text) written`,
    );
    expect(rows[0]?.most).toBeLessThanOrEqual(TOGETHER);
    await lab.runner.drain(made.tenant.key);
  };
  await measure({ type: 'integer' });
  await made.rollback(2);
  await lab.runner.drain(made.tenant.key);
  await measure({ type: 'reference', to: 'city' });
  const { rows } = await superuser.query(
    `select count(*)::int as n from ${schema}.custom_shops s join ${schema}.custom_cities c on c.id = s.place`,
  );
  expect(rows).toEqual([{ n: RECORDS }]);
  // The foreign key has looked at them too.
  expect((await lab.steps.list(made.tenant.key)).filter(({ state }) => state !== 'done')).toEqual([]);
});
