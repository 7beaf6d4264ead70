/** What a publish leaves for afterwards: done beside everybody's work, and whatever happens meanwhile. */
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { TenantDocument } from '../source.ts';
import { kill } from '../testing/half-way.ts';
import { StepRunner } from './runner.ts';
import type { Step } from './store.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 180_000 });
const postgres = await testDatabase();
/** Every table with more than ten records counts as a large one. */
const lab = schemaLab(postgres, { deferAbove: 10 });
const { superuser } = postgres;

type Json = Readonly<Record<string, unknown>>;
const NAME: Json = { key: 'name', type: 'text', required: true };
const plant = (...fields: readonly Json[]): readonly TenantDocument[] => [
  { kind: 'entity', key: 'plant', plural: 'plants', label: 'Plant', fields: [NAME, ...fields] },
];
const region: Json = { key: 'region', type: 'text', label: 'Region' };

let count = 0;
/** An organisation with 3,000 plants. */
async function garden(...fields: readonly Json[]): Promise<Organisation> {
  count += 1;
  const made = await lab.organisation(`garden${count}`, { documents: plant(...fields) });
  await made.sql(
    await made.person(),
    `insert into $custom_plants (id, name) select gen_random_uuid(), 'n' || g from generate_series(1, 3000) g`,
  );
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_plants`);
  return made;
}

const stepsOf = async ({ tenant }: Organisation): Promise<readonly Step[]> =>
  (await lab.steps.list(tenant.key)).toReversed();
const states = async (made: Organisation) => (await stepsOf(made)).map(({ kind, state }) => [kind, state]);
const drain = ({ tenant }: Organisation) => lab.runner.drain(tenant.key);
const look = async ({ tenant }: Organisation, sql: string): Promise<unknown[]> =>
  (await superuser.query(sql.replaceAll('$schema', `'"${tenant.names.schema}"'::regnamespace`))).rows;

const INDEXES = `select i.indisvalid as valid, i.indisunique as unique from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = $schema and c.relname like any (array['ix\\_f%', 'uq\\_%']) and i.indrelid::regclass::text like '%custom_plants'
    and pg_get_indexdef(i.indexrelid) like '%region%' order by 2`;
const CONSTRAINTS = `select contype as kind, convalidated as valid from pg_constraint c where connamespace = $schema
  and conrelid::regclass::text like '%custom_plants' and pg_get_constraintdef(oid) ~* 'region|number|amount' order by 1, 2`;

test('a field with a default, required, bounded, unique and indexed costs the transaction nothing', async () => {
  const made = await garden();
  const documents = plant(
    { ...region, required: true, default: 'north', max: 20, index: true },
    { key: 'number', type: 'sequence', prefix: 'P-' },
  );
  const plan = await made.plan(documents);
  const long = plan.steps.filter(({ seconds, lock }) => seconds !== undefined && lock !== 'none');
  expect(long).toEqual([]);
  expect(plan.steps.filter(({ deferred }) => deferred).map(({ title, lock, rows }) => [title, lock, rows])).toEqual([
    ['Fill Number of Plant', 'none', 3000],
    ['Go through Region of Plant once', 'none', 3000],
    ['Index Region, ID on Plant', 'none', 3000],
    ['Keep Number unique on Plant', 'none', 3000],
  ]);
  await made.publish(documents);
  expect(await states(made)).toEqual([
    ['fill', 'waiting'],
    ['validate', 'waiting'],
    ['index', 'waiting'],
    ['index', 'waiting'],
  ]);
  // What is written meanwhile is held to the rules, and has its number.
  const person = await made.person();
  await expect(
    made.sql(person, `insert into $custom_plants (id, name, region) values (gen_random_uuid(), 'x', repeat('x', 21))`),
  ).rejects.toThrow('check');
  expect(await drain(made)).toBe('done');
  expect((await stepsOf(made)).map(({ state, done, total }) => [state, done, total])).toEqual(
    Array.from({ length: 4 }, () => ['done', 3000, 3000]),
  );
  expect(await look(made, INDEXES)).toEqual([{ valid: true, unique: false }]);
  expect(await look(made, CONSTRAINTS)).not.toContainEqual(expect.objectContaining({ valid: false }));
  expect(await made.sql(person, 'select count(distinct number), count(distinct region) from $custom_plants')).toEqual([
    ['3000', '1'],
  ]);
});

test('a field that becomes required is filled in batches, and required from then on', async () => {
  const made = await garden(region);
  await made.publish(plant({ ...region, required: true, default: 'north' }));
  expect(await states(made)).toEqual([
    ['fill', 'waiting'],
    ['require', 'waiting'],
  ]);
  // Somebody who knows nothing of it yet.
  await made.sql(
    await made.person(),
    `insert into $custom_plants (id, name, region) values (gen_random_uuid(), 'x', null)`,
  );
  await drain(made);
  expect(await states(made)).toEqual([
    ['fill', 'done'],
    ['require', 'done'],
  ]);
  expect(await made.sql(await made.person(), 'select count(*) from $custom_plants where region is null')).toEqual([
    ['0'],
  ]);
  expect(await look(made, CONSTRAINTS)).toContainEqual({ kind: 'n', valid: true });
});

test('duplicates that come before a unique index is built make the step fail, with their number, until they are gone', async () => {
  const made = await garden(region);
  const person = await made.person();
  await made.publish(plant({ ...region, unique: true }));
  await made.sql(person, `update $custom_plants set region = 'same' where name in ('n1', 'n2')`);
  await drain(made);
  expect(await stepsOf(made)).toMatchObject([
    {
      state: 'failed',
      error: '1 values of Region are used by several records of Plant. Change them, then try the step again.',
    },
  ]);
  expect(await look(made, INDEXES)).toEqual([]);
  await made.sql(person, `update $custom_plants set region = null where name = 'n2'`);
  const [step] = await stepsOf(made);
  await lab.steps.retry(made.tenant.key, step?.number ?? 0);
  await drain(made);
  expect(await states(made)).toEqual([['index', 'done']]);
  expect(await look(made, INDEXES)).toEqual([{ valid: true, unique: true }]);
  await expect(lab.steps.retry(made.tenant.key, step?.number ?? 0)).rejects.toThrow('The step is done.');
  await expect(lab.steps.cancel(made.tenant.key, 9_999_999)).rejects.toMatchObject({ code: 'not_found' });
});

test('a release that wants it differently takes a step back; one that still wants it lets it be', async () => {
  const made = await garden(region);
  await made.publish(plant({ ...region, index: true, max: 30 }));
  expect(await states(made)).toEqual([
    ['validate', 'waiting'],
    ['index', 'waiting'],
  ]);
  // A rename changes neither: both are found by id when they run.
  await made.publish(plant({ ...region, key: 'area', was: 'region', index: true, max: 30 }));
  expect(await states(made)).toEqual([
    ['validate', 'waiting'],
    ['index', 'waiting'],
  ]);
  const plan = await made.plan(plant({ ...region, key: 'area', max: 30 }));
  expect(plan.steps.map(({ title }) => title)).toEqual(['Stop “Index Region, ID on Plant”']);
  await made.publish(plant({ ...region, key: 'area', max: 30 }));
  expect((await stepsOf(made)).map(({ kind, state, supersededBy }) => [kind, state, supersededBy])).toEqual([
    ['validate', 'waiting', null],
    ['index', 'cancelled', 5],
  ]);
  await drain(made);
  await made.rollback(3);
  await made.rollback(2);
  expect(await drain(made)).toBe('done');
  expect((await states(made)).filter(([, state]) => state !== 'done')).toEqual([
    ['index', 'cancelled'],
    // The rollback to the first release took the rule away with the step that would have gone through the values.
    ...(await states(made)).filter(([, state]) => state === 'cancelled').slice(1),
  ]);
  expect(await look(made, INDEXES)).toEqual([]);
});

test('what somebody cancelled is proposed again by the next publish', async () => {
  const made = await garden(region);
  const indexed = plant({ ...region, index: true });
  await made.publish(indexed);
  const [step] = await stepsOf(made);
  await lab.steps.cancel(made.tenant.key, step?.number ?? 0);
  expect(await drain(made)).toBe('done');
  expect(await look(made, INDEXES)).toEqual([]);
  expect((await made.plan(indexed)).steps.map(({ title }) => title)).toContain('Index Region, ID on Plant');
  await made.publish(indexed);
  await drain(made);
  expect(await look(made, INDEXES)).toEqual([{ valid: true, unique: false }]);
});

/** Somebody's transaction, as long as it takes. Of a connection of its own: inside one, Postgres tells of others what was once. */
async function beside(begun: string, during: () => Promise<void>): Promise<void> {
  const somebody = new pg.Client({ ...postgres.address, ...postgres.admin });
  await somebody.connect();
  try {
    await somebody.query(begun);
    await during();
  } finally {
    await somebody.end();
  }
}

/** Holds a share of the table, so that a step which needs more stands before it. */
const standing = ({ tenant }: Organisation, lock: string, during: () => Promise<void>): Promise<void> =>
  beside(`begin; lock table "${tenant.names.schema}".custom_plants in ${lock} mode`, during);

/** Of the step that stands before a lock. */
async function backendOf(made: Organisation): Promise<number> {
  let backend = 0;
  const look = async () => {
    const { rows } = await superuser.query<{ backend: number }>(
      `select s.backend from armature.schema_step s join pg_stat_activity a on a.pid = s.backend and a.wait_event_type = 'Lock'
       where s.tenant_id = $1 and s.state = 'running'`,
      [made.tenant.id],
    );
    backend = rows[0]?.backend ?? 0;
    return backend;
  };
  await expect.poll(look, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
  return backend;
}

test.each([
  // An index waits for those who write; the others for whoever holds what they need.
  ['index', 'row exclusive', plant({ ...region, index: true })],
  ['validate', 'share update exclusive', plant({ ...region, max: 30 })],
  ['fill', 'share', plant({ ...region, required: true, default: 'north' })],
] as const)('killed in the middle of a step (%s), it is begun anew and done', async (kind, lock, documents) => {
  const made = await garden(region);
  await made.publish(documents);
  await standing(made, lock, async () => {
    const dying = drain(made).then(
      () => 'lived',
      () => 'died',
    );
    await kill(postgres, await backendOf(made));
    expect(await dying).toBe('died');
  });
  expect((await stepsOf(made))[0]).toMatchObject({ kind, state: 'running' });
  expect(await drain(made)).toBe('done');
  expect((await states(made)).map(([, state]) => state)).not.toContain('running');
  expect((await stepsOf(made))[0]).toMatchObject({ kind, state: 'done' });
  expect(await look(made, CONSTRAINTS)).not.toContainEqual(expect.objectContaining({ valid: false }));
  expect(await look(made, INDEXES)).not.toContainEqual(expect.objectContaining({ valid: false }));
});

test('a publish that needs the table does not wait for the index that is being built on it', async () => {
  const made = await garden(region);
  await made.publish(plant({ ...region, index: true }));
  let building: Promise<unknown> = Promise.resolve();
  // Somebody who looked at the records as they were before the index and goes on: the build has to wait for the end of it.
  await beside('begin isolation level repeatable read; select count(*) from pg_class', async () => {
    building = drain(made);
    await backendOf(made);
    // That end comes after it: who waited for the build would never come back.
    await made.publish(plant({ ...region, index: true }, { key: 'soil', type: 'text' }));
  });
  expect(await building).toBe('done');
  expect(await look(made, INDEXES)).toEqual([{ valid: true, unique: false }]);
});

test('two runners do not get in each other’s way, and a step that meets a lock goes on when it is free', async () => {
  const made = await garden(region);
  await made.publish(plant({ ...region, max: 30 }));
  const other = new StepRunner({ database: lab.database, pause: 10 });
  const impatient = new StepRunner({ database: lab.database, patience: 300, pause: 10 });
  let first: Promise<unknown> = Promise.resolve();
  await standing(made, 'share update exclusive', async () => {
    expect(await impatient.drain(made.tenant.key)).toBe('blocked');
    first = drain(made);
    await backendOf(made);
    expect(await other.drain(made.tenant.key)).toBe('busy');
  });
  expect(await first).toBe('done');
  expect(await states(made)).toEqual([['validate', 'done']]);
});

test('what was removed goes for good when its time is over, and comes back until then', async () => {
  const made = await garden(region, { key: 'number', type: 'sequence', prefix: 'P-' });
  const both = await made.release();
  await made.publish(plant());
  expect(await lab.steps.setAside(made.tenant.key, 90)).toEqual([]);
  expect((await lab.steps.setAside(made.tenant.key, 0)).map(({ original, column }) => [original, column])).toEqual(
    expect.arrayContaining([
      ['region', true],
      ['number', true],
    ]),
  );
  expect(await lab.steps.purge(made.tenant.key, 90)).toBe(0);
  expect(await lab.steps.purge(made.tenant.key, 0)).toBe(2);
  expect(await lab.steps.purge(made.tenant.key, 0)).toBe(0);
  // Somebody wants it back before it is gone.
  await made.rollback(both);
  expect((await states(made)).filter(([kind]) => kind === 'purge')).toEqual([
    ['purge', 'cancelled'],
    ['purge', 'cancelled'],
  ]);
  await made.publish(plant());
  await lab.steps.purge(made.tenant.key, 0);
  expect(await drain(made)).toBe('done');
  expect(await lab.steps.setAside(made.tenant.key, 0)).toEqual([]);
  expect(
    await look(
      made,
      `select attname from pg_attribute a join pg_class c on c.oid = a.attrelid where relnamespace = $schema and attname like 'zz\\_%'`,
    ),
  ).toEqual([]);
  // Afterwards it comes back empty, and numbered anew.
  await made.rollback(both);
  await drain(made);
  expect(await made.sql(await made.person(), 'select count(region), count(number) from $custom_plants')).toEqual([
    ['0', '3000'],
  ]);
  await made.publish([]);
  await lab.steps.purge(made.tenant.key, 0);
  await drain(made);
  expect(
    await look(
      made,
      `select relname from pg_class where relnamespace = $schema and relname like 'zz\\_%' and relkind = 'r'`,
    ),
  ).toEqual([]);
  await made.publish(plant());
  expect(await made.sql(await made.person(), 'select count(*) from $custom_plants')).toEqual([['0']]);
});
