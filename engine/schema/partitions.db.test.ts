/** An entity divided by month: written and read like any other, made ahead of its time, gone with its months. */
import { expect, test } from 'vitest';
import { fixedClock } from '#engine/clock.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import { keepPartitions } from './keep-partitions.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const clock = fixedClock(Date.UTC(2026, 0, 15, 12));
const lab = schemaLab(postgres, { clock, deferAbove: 10 });
const { superuser } = postgres;

type Json = Readonly<Record<string, unknown>>;
const reading = (more: Json = {}, ...fields: readonly Json[]): readonly TenantDocument[] => [
  { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
  {
    kind: 'permission',
    role: 'keeper',
    entity: 'reading',
    actions: ['create', 'read', 'update', 'delete'],
    conditions: { meter: 'mine' },
  },
  {
    kind: 'entity',
    key: 'reading',
    plural: 'readings',
    label: 'Reading',
    title: '{meter}',
    history: true,
    fields: [
      { key: 'meter', type: 'text' },
      { key: 'twice', type: 'formula', returns: 'text', expr: 'meter' },
      ...fields,
    ],
    ...more,
  },
];
const monthly = (keep?: number): Json => ({ partition: { by: 'created_at', every: 'month', ...(keep && { keep }) } });

let count = 0;
const organisation = async (documents: readonly TenantDocument[]): Promise<Organisation> => {
  count += 1;
  return lab.organisation(`plant${count}`, { documents });
};

const months = async ({ tenant }: Organisation): Promise<readonly string[]> => {
  const { rows } = await superuser.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where c.relnamespace = $1::regnamespace and c.relkind = 'r' order by 1`,
    [tenant.names.schema],
  );
  return rows.map(({ name }) => name.replace(/^p_e_[0-9a-f]+_/, ''));
};

test('records are written, read, changed and deleted under the same rights, whatever month they are of', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading(monthly()));
  expect(await months(made)).toEqual(['202601', '202602', '202603', '202604', 'rest']);
  const person = await made.person('keeper');
  const mine = await made.insert(person, 'custom_readings', { meter: 'mine' });
  await made.insert(await made.person(), 'custom_readings', { meter: 'other' });
  await expect(made.insert(person, 'custom_readings', { meter: 'other' })).rejects.toThrow('row-level security');
  clock.set(Date.UTC(2026, 2, 31, 23, 59, 59));
  const late = await made.insert(person, 'custom_readings', { meter: 'mine' });
  expect(await made.update(person, 'custom_readings', late, { meter: 'mine' })).toBe(1);
  expect(
    await made.sql(person, 'select id, twice, version, created_at::date from $custom_readings order by created_at'),
  ).toEqual([
    [mine, 'mine', '1', '2026-01-15'],
    [late, 'mine', '2', '2026-03-31'],
  ]);
  await expect(made.sql(person, `update $custom_readings set created_at = now()`)).rejects.toThrow('permission denied');
  // Nobody reaches a partition but through the whole.
  const { rows } = await superuser.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relnamespace = $1::regnamespace and c.relkind = 'r'`,
    [made.tenant.names.schema],
  );
  for (const { name } of rows) {
    for (const session of [person, await made.person()])
      await expect(made.sql(session, `select * from $${name}`)).rejects.toThrow('permission denied');
  }
  const open = await superuser.query(
    `select from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p')
     and not (relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = pg_class.oid))`,
    [made.tenant.names.schema],
  );
  expect(open.rowCount).toBe(0);
  expect(await made.sql(person, `delete from $custom_readings where id = '${mine}' returning id`)).toEqual([[mine]]);
  expect(await made.sql(await made.person(), 'select count(*) from $h_custom_readings')).not.toEqual([['0']]);
});

test('a question about a month reads that month alone', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading(monthly()));
  const plan = await made.sql(
    await made.person('keeper'),
    `explain select id from $custom_readings where created_at >= '2026-02-01Z' and created_at < '2026-03-01Z' order by created_at desc, id desc limit 50`,
  );
  const text = plan.flat().join('\n');
  expect(text).toMatch(/_202602/);
  expect(text).not.toMatch(/_20260[134]|_rest/);
});

test('months are made ahead, take what was written before them, and go when they are over', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading(monthly(2)));
  const person = await made.person('keeper');
  await made.insert(person, 'custom_readings', { meter: 'mine' });
  // Nobody kept house for months: what has no partition yet is kept all the same.
  clock.set(Date.UTC(2026, 5, 10));
  await made.insert(person, 'custom_readings', { meter: 'mine' });
  await made.insert(person, 'custom_readings', { meter: 'mine' });
  const schema = made.tenant.names.schema;
  const inRest = async () =>
    (await superuser.query(`select from "${schema}"."p_${(await made.entity('custom.reading')).id}_rest"`)).rowCount;
  expect(await inRest()).toBe(2);
  const kept = await keepPartitions(lab.database, clock.now());
  expect(kept.dropped.map((name) => name.slice(-6))).toEqual(['202601', '202602', '202603']);
  expect(await months(made)).toEqual(['202604', '202606', '202607', '202608', '202609', 'rest']);
  expect(await inRest()).toBe(0);
  expect(await made.sql(person, 'select version, created_at::date from $custom_readings')).toEqual([
    ['1', '2026-06-10'],
    ['1', '2026-06-10'],
  ]);
  expect((await keepPartitions(lab.database, clock.now())).made).toEqual([]);
  await made.insert(person, 'custom_readings', { meter: 'mine' });
});

const NOTE = { key: 'note', type: 'text' };

test('what a month said goes with it: history, shares and the hold of files', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading({ ...monthly(1), history: true, sharing: true, owner: true }, NOTE));
  const person = await made.person('keeper');
  const old = await made.insert(person, 'custom_readings', { meter: 'mine' });
  await made.update(person, 'custom_readings', old, { meter: 'mine', note: 'private' });
  clock.set(Date.UTC(2026, 3, 15, 12));
  const later = await made.insert(person, 'custom_readings', { meter: 'mine' });
  await made.update(person, 'custom_readings', later, { meter: 'mine', note: 'kept' });
  const [schema, entity] = [made.tenant.names.schema, await made.entity('custom.reading')];
  await superuser.query(
    `set session_replication_role = replica;
     insert into "${schema}".shares (id, entity, record, "user", level, created_at)
       select gen_random_uuid(), '${entity.id}', r, gen_random_uuid(), 'read', now() from unnest(array['${old}', '${later}']::uuid[]) r;
     insert into armature.file (id, tenant_id, entity_id, field_id, record_id, name, type, size, sha256, created_by, created_at)
       select gen_random_uuid(), '${made.tenant.id}', '${entity.id}', 'f_000000000000', r, 'a.txt', 'text/plain', 1, repeat('0', 64), gen_random_uuid(), now() from unnest(array['${old}', '${later}']::uuid[]) r;
     reset session_replication_role`,
  );
  await keepPartitions(lab.database, clock.now());
  const records = async (table: string, column: string) =>
    (
      await superuser.query<{ record: string }>(
        `select distinct ${column}::text as record from ${table} where ${column} is not null`,
      )
    ).rows.map(({ record }) => record);
  expect(await records(`"${schema}".custom_readings`, 'id')).toEqual([later]);
  expect(await records(`"${schema}".h_custom_readings`, 'record_id')).toEqual([later]);
  expect(await records(`"${schema}".shares`, 'record')).toEqual([later]);
  expect(await records('armature.file', 'record_id')).toEqual([later]);
});

test('a plan says that a shorter time deletes for good', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading(monthly(12)));
  const plan = await made.plan(reading(monthly(2)));
  expect(plan.steps).toMatchObject([
    { kind: 'change_retention', title: 'Keep records of Reading for 2 months', risk: 'high', reversible: false },
  ]);
  expect(plan.warnings).toEqual([expect.stringContaining('Keep records of Reading for 2 months')]);
  await made.publish(reading(monthly(2)));
  expect((await made.plan(reading(monthly()))).steps).toMatchObject([
    { title: 'Keep records of Reading for ever', risk: 'none' },
  ]);
  for (const keep of [0, -1, 1.5, 1201, '3'])
    expect((await refusal(made.publish(reading({ partition: { by: 'created_at', every: 'month', keep } })))).code).toBe(
      'invalid_document',
    );
});

test('a table that is held by somebody keeps nobody else’s waiting', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const [held, free] = [await organisation(reading(monthly(1))), await organisation(reading(monthly(1)))];
  clock.set(Date.UTC(2026, 6, 15, 12));
  await superuser.query(`begin; lock table "${held.tenant.names.schema}".custom_readings in access share mode`);
  try {
    await expect(keepPartitions(lab.database, clock.now(), { patience: 200 })).rejects.toThrow(AggregateError);
  } finally {
    await superuser.query('commit');
  }
  expect(await months(free)).toContain('202610');
  await keepPartitions(lab.database, clock.now());
  expect(await months(held)).toEqual(await months(free));
});

test('a release changes it like another one: fields, rules, indexes beside the work of others, types, renames, and back', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading(monthly()));
  const person = await made.person('keeper');
  for (let at = 0; at < 20; at += 1) await made.insert(person, 'custom_readings', { meter: 'mine' });
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_readings`);
  const size = { key: 'size', type: 'text', required: true, default: '5', index: true, max: 10 };
  const larger = reading({ ...monthly(), plural: 'values' }, size);
  expect((await made.plan(larger)).steps.filter(({ deferred }) => deferred).map(({ kind }) => kind)).toEqual([
    'change_checks',
    'change_indexes',
  ]);
  await made.publish(larger);
  expect(await lab.runner.drain(made.tenant.key)).toBe('done');
  expect((await lab.steps.list(made.tenant.key)).map(({ state }) => state)).toEqual(['done', 'done']);
  const { rows } = await superuser.query(
    `select from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace and not i.indisvalid`,
    [made.tenant.names.schema],
  );
  expect(rows).toEqual([]);
  await made.publish(reading({ ...monthly(12), plural: 'values' }, { ...size, type: 'integer', default: 6, max: 100 }));
  await lab.runner.drain(made.tenant.key);
  expect(await made.sql(person, 'select distinct size from $custom_values')).toEqual([['5']]);
  await made.rollback(2);
  expect(await made.sql(person, 'select count(*) from $custom_readings')).toEqual([['20']]);
  clock.set(Date.UTC(2026, 1, 15, 12));
  await keepPartitions(lab.database, clock.now());
  await made.insert(person, 'custom_readings', { meter: 'mine' });
});

test('only an entity without records is divided, or put together again', async () => {
  clock.set(Date.UTC(2026, 0, 15, 12));
  const made = await organisation(reading());
  const person = await made.person('keeper');
  await made.publish(reading(monthly()));
  const id = await made.insert(person, 'custom_readings', { meter: 'mine' });
  expect((await refusal(made.publish(reading()))).errors[0]).toMatchObject({
    code: 'records_there',
    params: { count: 1 },
  });
  await made.sql(person, `delete from $custom_readings where id = '${id}'`);
  await made.publish(reading());
  await made.insert(person, 'custom_readings', { meter: 'mine' });
  expect((await refusal(made.rollback(3))).errors[0]).toMatchObject({
    code: 'records_there',
    document: 'custom/reading.entity.json',
  });
});

test('what Postgres could not keep is refused in the document', async () => {
  const other = {
    kind: 'entity',
    key: 'note',
    plural: 'notes',
    label: 'Note',
    fields: [{ key: 'reading', type: 'reference', to: 'reading' }],
  };
  const unique = await refusal(organisation(reading(monthly(), { key: 'number', type: 'text', unique: true })));
  expect(unique.errors[0]).toMatchObject({ pointer: '/partition', message: expect.stringContaining('number') });
  const referred = await refusal(organisation([...reading(monthly()), other]));
  expect(referred.errors[0]).toMatchObject({ pointer: '/partition', params: { found: 'custom.note.reading' } });
  const wrong = await refusal(organisation(reading({ partition: { by: 'updated_at', every: 'day' } })));
  expect(wrong.code).toBe('invalid_document');
});
