/** What is kept over parts is computed after the publish where there are many records, beside everybody's work. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { TenantDocument } from '../source.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 120_000 });
const postgres = await testDatabase();
/** Every table with more than ten records counts as a large one. */
const lab = schemaLab(postgres, { deferAbove: 10 });
const { superuser } = postgres;

type Json = Readonly<Record<string, unknown>>;
const rollup = (one: Json): Json => ({ type: 'rollup', of: 'stops', ...one });
const tours = (...rollups: readonly Json[]): readonly TenantDocument[] => having(...rollups.map(rollup));
const having = (...fields: readonly Json[]): readonly TenantDocument[] => [
  {
    kind: 'entity',
    key: 'tour',
    plural: 'tours',
    label: 'Tour',
    fields: [{ key: 'name', type: 'text', required: true }, { key: 'stops', type: 'children', of: 'stop' }, ...fields],
  },
  {
    kind: 'entity',
    key: 'stop',
    plural: 'stops',
    label: 'Stop',
    parent: 'tour',
    fields: [
      { key: 'tour', type: 'reference', to: 'tour', required: true, onDelete: 'cascade', index: true },
      { key: 'minutes', type: 'integer' },
    ],
  },
];
const COUNT = { key: 'stop_count', fn: 'count' };
const MINUTES = { key: 'minutes_sum', fn: 'sum', field: 'minutes' };

let count = 0;
/** 2,500 tours, of which every second has three stops. */
async function company(wholes = 2500): Promise<Organisation> {
  count += 1;
  const made = await lab.organisation(`tours${count}`, { documents: tours() });
  const system = await made.person();
  await made.sql(
    system,
    `insert into $custom_tours (id, name) select gen_random_uuid(), 't' || g from generate_series(1, ${wholes}) g`,
  );
  await made.sql(
    system,
    `insert into $custom_stops (id, tour, minutes) select gen_random_uuid(), t.id, g from $custom_tours t cross join generate_series(1, 3) g where right(t.name, 1) in ('1', '3', '5', '7', '9')`,
  );
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_tours`);
  return made;
}

const steps = async ({ tenant }: Organisation) =>
  (await lab.steps.list(tenant.key)).toReversed().map(({ kind, state, done }) => [kind, state, done]);
const drain = ({ tenant }: Organisation) => lab.runner.drain(tenant.key);
const rows = async ({ tenant }: Organisation, sql: string): Promise<unknown[]> =>
  (await superuser.query(sql.replaceAll('$s', `"${tenant.names.schema}"`))).rows;
const WRONG = `select t.name from $s.custom_tours t cross join lateral
  (select count(*) as n, coalesce(sum(minutes), 0) as m from $s.custom_stops s where s.tour = t.id) s
  where t.stop_count is distinct from s.n or t.minutes_sum is distinct from s.m`;

test('a publish that brings rollups to a large table leaves computing them for afterwards', async () => {
  const made = await company();
  const plan = await made.plan(tours(COUNT, MINUTES));
  expect(plan.steps.filter(({ deferred }) => deferred).map(({ title, lock }) => [title, lock])).toEqual([
    ['Compute Stop count of Tour', 'none'],
    ['Compute Minutes sum of Tour', 'none'],
  ]);
  await made.publish(tours(COUNT, MINUTES));
  expect(await steps(made)).toEqual([
    ['rollup', 'waiting', 0],
    ['rollup', 'waiting', 0],
  ]);
  // Nobody is told a number that was never counted; what is written now has its own.
  expect(await rows(made, 'select count(stop_count)::int as known from $s.custom_tours')).toEqual([{ known: 0 }]);
  const system = await made.person();
  await made.sql(
    system,
    `insert into $custom_stops (id, tour, minutes) select gen_random_uuid(), id, 10 from $custom_tours where name = 't1'`,
  );
  await made.sql(system, `insert into $custom_tours (id, name) values (gen_random_uuid(), 'new')`);
  expect(
    await rows(made, `select name, stop_count::int as n from $s.custom_tours where stop_count is not null order by 1`),
  ).toEqual([
    { name: 'new', n: 0 },
    { name: 't1', n: 4 },
  ]);
  expect(await drain(made)).toBe('done');
  expect(await steps(made)).toEqual([
    ['rollup', 'done', 2501],
    ['rollup', 'done', 2501],
  ]);
  expect(await rows(made, WRONG)).toEqual([]);
  // No change of a record: no version, no event.
  expect(await rows(made, `select count(*)::int as n from $s.custom_tours where version > 1`)).toEqual([{ n: 0 }]);
});

test('whoever was writing parts when the release came is waited for', async () => {
  const made = await company();
  const { names, key } = made.tenant;
  const writer = new pg.Client({ ...postgres.address, ...postgres.admin });
  writer.on('error', () => {});
  await writer.connect();
  const [[tour] = []] = await made.sql(await made.person(), `select id from $custom_tours where name = 't1'`);
  await writer.query('begin');
  // It looks at no tour, so nothing of it is in the way of the publish.
  await writer.query(`update "${names.schema}".custom_stops set minutes = minutes + 7 where tour = $1`, [tour]);
  await made.publish(tours(COUNT, MINUTES));
  const drained = drain(made);
  for (let tries = 0; tries < 3; await delay(20)) {
    const [step] = await lab.steps.list(key).then((list) => list.toReversed());
    tries = step?.attempts ?? 0;
    expect(step?.state).not.toBe('done');
  }
  await writer.query('commit');
  await writer.end();
  expect(await drained).toBe('done');
  expect(await rows(made, WRONG)).toEqual([]);
});

test('a rollup that becomes another one while it is computed is computed as that', async () => {
  const made = await company();
  await made.publish(tours(COUNT, MINUTES));
  await made.publish(tours({ ...COUNT, where: { minutes: { gt: 1 } } }, { ...MINUTES, label: 'Time' }));
  expect(await steps(made)).toEqual([
    ['rollup', 'cancelled', 0],
    ['rollup', 'waiting', 0],
    ['rollup', 'waiting', 0],
  ]);
  await drain(made);
  expect(
    await rows(made, 'select distinct stop_count::int as n, minutes_sum::int as m from $s.custom_tours order by 1'),
  ).toEqual([
    { n: 0, m: 0 },
    { n: 2, m: 6 },
  ]);
  // One that was taken back is proposed anew by the next release.
  await made.publish(tours(COUNT, { ...MINUTES, label: 'Time' }));
  const [last] = await lab.steps.list(made.tenant.key);
  await lab.steps.cancel(made.tenant.key, last?.number ?? 0);
  await made.publish(tours(COUNT, MINUTES));
  expect((await steps(made)).slice(-2).map(([, state]) => state)).toEqual(['cancelled', 'waiting']);
  await drain(made);
  expect(await rows(made, WRONG)).toEqual([]);
});

test('many parts of few records are left for afterwards too', async () => {
  const made = await company(5);
  await made.sql(
    await made.person(),
    `insert into $custom_stops (id, tour, minutes) select gen_random_uuid(), t.id, g from $custom_tours t cross join generate_series(1, 10) g`,
  );
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_stops`);
  await made.publish(tours(COUNT, MINUTES));
  expect((await steps(made)).length).toBe(2);
  await drain(made);
  expect(await rows(made, WRONG)).toEqual([]);
});

/** One with everything that hangs on a column: an index, a computed field, a permission's condition and fields. */
const measured = (one: Json, key = 'measure'): readonly TenantDocument[] => [
  ...having(
    rollup({ key, label: 'Measure', index: true, ...one }),
    { key: 'guide', type: 'text' },
    {
      key: 'half',
      type: 'formula',
      returns: 'decimal',
      scale: 2,
      expr: `${key} / 2`,
    },
  ),
  { kind: 'role', key: 'guide', label: 'Guide' },
  {
    kind: 'permission',
    role: 'guide',
    entity: 'tour',
    actions: ['read'],
    fields: { read: { only: ['name', key, 'half'] } },
    condition: { fact: key, operator: 'greaterThan', value: 1 },
  },
];
const AVERAGE = { fn: 'avg', field: 'minutes' };
const file = async (made: Organisation) => rows(made, `select pg_relation_filenode('$s.custom_tours') as file`);

test.each([2500, 5])('one that becomes another kind of number is another column, of %s records', async (wholes) => {
  const made = await company(wholes);
  const large = wholes > 10;
  await made.publish(measured({ fn: 'count' }));
  await drain(made);
  const before = await file(made);
  const plan = await made.plan(measured(AVERAGE));
  expect(plan.steps.filter(({ kind, deferred }) => kind === 'change_type' && !deferred)).toMatchObject([
    { title: 'Change field Measure of Tour from bigint to numeric(38,2)', ...(large && { sql: { length: 2 } }) },
  ]);
  await made.publish(measured(AVERAGE));
  // Nothing was written anew.
  expect(await file(made)).toEqual(before);
  if (large)
    expect(await rows(made, 'select count(measure)::int as known from $s.custom_tours')).toEqual([{ known: 0 }]);
  await drain(made);
  const figures = `select distinct measure::text, half::text from $s.custom_tours order by 1`;
  expect(await rows(made, figures)).toEqual([
    { measure: '2.00', half: '1.00' },
    { measure: null, half: null },
  ]);
  const guide = await made.person('guide');
  expect(await made.sql(guide, 'select distinct measure from $custom_tours')).toEqual([['2.00']]);
  await expect(made.sql(guide, 'select guide from $custom_tours')).rejects.toThrow('permission');
  expect(await rows(made, `select count(*)::int as n from $s.custom_tours where version > 1`)).toEqual([{ n: 0 }]);
  // Parts written from now on are counted as that; and back, under another key.
  await made.sql(await made.person(), `update $custom_stops set minutes = 5 where minutes = 3`);
  expect((await rows(made, figures))[0]).toEqual({ measure: '2.67', half: '1.34' });
  await made.publish(measured({ fn: 'count', was: 'measure' }, 'stop_number'));
  await drain(made);
  expect(await rows(made, 'select distinct stop_number::int as n from $s.custom_tours order by 1')).toEqual([
    { n: 0 },
    { n: 3 },
  ]);
  await made.rollback(4);
  await drain(made);
  expect((await rows(made, figures))[0]).toEqual({ measure: '2.67', half: '1.34' });
  expect(
    await rows(
      made,
      `select attname from pg_attribute where attrelid = '$s.custom_tours'::regclass and attname like 'zz%'`,
    ),
  ).toEqual([]);
});

test('even while the first kind is still to be computed', async () => {
  const made = await company();
  await made.publish(measured({ fn: 'count' }));
  await made.publish(measured(AVERAGE));
  expect((await steps(made)).filter(([kind]) => kind === 'rollup')).toEqual([
    ['rollup', 'cancelled', 0],
    ['rollup', 'waiting', 0],
  ]);
  await drain(made);
  expect(await rows(made, 'select distinct measure::text from $s.custom_tours order by 1')).toEqual([
    { measure: '2.00' },
    { measure: null },
  ]);
});

test('what people have written does not become a rollup', async () => {
  const made = await company(5);
  await made.publish(having({ key: 'minutes_sum', type: 'integer' }));
  await expect(made.publish(tours(MINUTES))).rejects.toThrow('cannot become computed');
});

test('one that is removed before it is computed leaves nothing to do, and is computed when it comes back', async () => {
  const made = await company();
  await made.publish(tours(COUNT, MINUTES));
  await made.publish(tours());
  expect((await steps(made)).map(([, state]) => state)).toEqual(['cancelled', 'cancelled']);
  await made.rollback(3);
  expect(await drain(made)).toBe('done');
  expect(await rows(made, WRONG)).toEqual([]);
});

test('or comes back as the other kind of number that it was before', async () => {
  const made = await company();
  await made.publish(measured(AVERAGE));
  await made.publish(measured({ fn: 'count' }));
  await made.publish(tours());
  await made.rollback(3);
  expect(await drain(made)).toBe('done');
  expect(await rows(made, 'select distinct measure::text from $s.custom_tours order by 1')).toEqual([
    { measure: '2.00' },
    { measure: null },
  ]);
});
