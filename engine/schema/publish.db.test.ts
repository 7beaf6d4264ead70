/** Publishing keeps every value, one release at a time, and gets out of the way of those who work. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { Problem } from '#engine/problem.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import { Publisher } from './publish.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);

type Json = Readonly<Record<string, unknown>>;
const keeper: TenantDocument = { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] };
const may = (entity: string): TenantDocument => ({
  kind: 'permission',
  role: 'keeper',
  entity,
  actions: ['create', 'read', 'update', 'delete'],
});
const plant = (fields: readonly Json[], more: Json = {}): readonly TenantDocument[] => [
  keeper,
  may('plant'),
  {
    kind: 'entity',
    key: 'plant',
    plural: 'plants',
    label: 'Plant',
    title: '{name}',
    history: true,
    softDelete: true,
    fields: [{ key: 'name', type: 'text', required: true }, ...fields],
    ...more,
  },
];
const region = { key: 'region', type: 'text', label: 'Region', max: 40 };

/** A stored field and two that are computed from it. */
const parts = (key: string, scale: number): readonly Json[] => [
  { key, type: 'decimal', scale, ...(key === 'length' ? {} : { was: 'length' }) },
  { key: 'double', type: 'formula', returns: 'decimal', scale: 2, expr: `${key} * 2` },
  { key: 'fourfold', type: 'formula', returns: 'decimal', scale: 2, expr: 'double * 2' },
];

let count = 0;
async function organisation(documents: readonly TenantDocument[]): Promise<Organisation> {
  count += 1;
  return lab.organisation(`garden${count}`, { documents });
}

async function refusal(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error('not refused', { cause: error });
  return error;
}

const titles = async (garden: Organisation, documents: readonly TenantDocument[]) =>
  (await garden.plan(documents)).steps.map((step) => step.title);

describe('a field', () => {
  test('that is added is empty on old records and writable at once', async () => {
    const garden = await organisation(plant([]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy' });
    expect(await titles(garden, plant([region]))).toEqual([
      'Add field Region to Plant',
      'Change what is checked and kept when Plant is written',
      'Change who may see and change Plant',
    ]);
    await garden.publish(plant([region]));
    expect(await garden.sql(person, 'select name, region from $custom_plants')).toEqual([['Ivy', null]]);
    expect(await garden.update(person, 'custom_plants', id, { region: 'north' })).toBe(1);
  });

  test('that is renamed keeps its values, its history and its rights', async () => {
    const garden = await organisation(plant([{ ...region, index: true, unique: true }]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north' });
    await garden.update(person, 'custom_plants', id, { region: 'south' });
    const territory = plant([
      { ...region, key: 'territory', label: 'Territory', was: 'region', index: true, unique: true },
    ]);
    const plan = await garden.plan(territory);
    expect(plan.steps[0]).toMatchObject({
      title: 'Rename field Region to Territory on Plant',
      kind: 'rename_column',
      risk: 'low',
      reversible: true,
    });
    // Neither a check nor an index is made anew.
    expect(plan.steps.flatMap((step) => step.sql).filter((sql) => /index|check \(/.test(sql))).toEqual([]);
    await garden.publish(territory);
    expect(await garden.sql(person, 'select territory, version from $custom_plants')).toEqual([['south', '2']]);
    const field = await garden.field('custom.plant', 'territory');
    expect(await garden.sql(person, 'select old, new from $h_custom_plants where field_id = $1', [field.id])).toEqual([
      ['"north"', '"south"'],
    ]);
    expect(await garden.update(person, 'custom_plants', id, { territory: 'east' })).toBe(1);
  });

  test('that is removed is out of reach, and a rollback brings it back with every value', async () => {
    const garden = await organisation(
      plant([region, { key: 'height', type: 'decimal', required: true, default: '1.00' }]),
    );
    const person = await garden.person('keeper');
    const first = await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north', height: '2.50' });
    const removed = await garden.publish(plant([]));
    expect(removed.plan.steps.map((step) => step.title)).toContain('Remove field Region from Plant');
    await expect(garden.sql(person, 'select region from $custom_plants')).rejects.toThrow('does not exist');
    expect((await postgres.superuser.query('select original from armature.set_aside order by original')).rows).toEqual([
      { original: 'height' },
      { original: 'region' },
    ]);
    const second = await garden.insert(person, 'custom_plants', { name: 'Fern' });
    const back = await garden.rollback(2);
    expect(back.number).toBe(4);
    expect(await garden.sql(person, 'select id, region, height from $custom_plants order by name desc')).toEqual([
      [first, 'north', '2.50'],
      [second, null, '1.00'],
    ]);
    expect((await postgres.superuser.query('select from armature.set_aside')).rowCount).toBe(0);
  });

  test('that is removed and added again under its key is another field without the old values', async () => {
    const garden = await organisation(plant([region]));
    const person = await garden.person('keeper');
    await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north' });
    const { id } = await garden.field('custom.plant', 'region');
    await garden.publish(plant([]));
    await garden.publish(plant([region]));
    expect((await garden.field('custom.plant', 'region')).id).not.toBe(id);
    expect(await garden.sql(person, 'select region from $custom_plants')).toEqual([[null]]);
    // The first one is still there, for the release that had it.
    await garden.rollback(2);
    expect(await garden.sql(person, 'select region from $custom_plants')).toEqual([['north']]);
  });

  test('exchanges its key with another', async () => {
    const garden = await organisation(plant([region, { key: 'soil', type: 'text' }]));
    const person = await garden.person('keeper');
    await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north', soil: 'clay' });
    const [a, b] = [await garden.field('custom.plant', 'region'), await garden.field('custom.plant', 'soil')];
    await garden.publish(
      plant([
        { key: 'soil', type: 'text', max: 40, id: a.id },
        { key: 'region', type: 'text', id: b.id },
      ]),
    );
    expect(await garden.sql(person, 'select region, soil from $custom_plants')).toEqual([['clay', 'north']]);
  });

  test('that takes the key of one that goes has the policies and formulas that were written with it', async () => {
    const guest: readonly TenantDocument[] = [
      { kind: 'role', key: 'guest', label: 'Guest' },
      { kind: 'permission', role: 'guest', entity: 'plant', actions: ['read'], conditions: { region: 'north' } },
    ];
    const twice = { key: 'twice', type: 'formula', returns: 'text', expr: 'region' };
    const garden = await organisation([...plant([region, { key: 'soil', type: 'text' }, twice]), ...guest]);
    await garden.insert(await garden.person(), 'custom_plants', { name: 'Ivy', region: 'north', soil: 'south' });
    await garden.insert(await garden.person(), 'custom_plants', { name: 'Fern', region: 'south', soil: 'north' });
    const { id } = await garden.field('custom.plant', 'soil');
    await garden.publish([...plant([{ ...region, id }, twice]), ...guest]);
    const person = await garden.person('guest');
    expect(await garden.sql(person, 'select name, region, twice from $custom_plants')).toEqual([
      ['Fern', 'north', 'north'],
    ]);
  });

  test('that is computed follows the fields it reads through renames and new sizes', async () => {
    const garden = await organisation([
      ...plant(parts('length', 2)),
      { kind: 'role', key: 'guest', label: 'Guest' },
      {
        kind: 'permission',
        role: 'guest',
        entity: 'plant',
        actions: ['read'],
        fields: { read: { only: ['length', 'double'] } },
      },
    ]);
    const person = await garden.person('keeper');
    await garden.insert(person, 'custom_plants', { name: 'Ivy', length: '1.25' });
    const guestMay = [
      { kind: 'role', key: 'guest', label: 'Guest' },
      {
        kind: 'permission',
        role: 'guest',
        entity: 'plant',
        actions: ['read'],
        fields: { read: { only: ['size', 'double'] } },
      },
    ];
    await garden.publish([...plant(parts('size', 2)), ...guestMay]);
    await garden.publish([...plant(parts('size', 4)), ...guestMay]);
    expect(await garden.sql(person, 'select size, double, fourfold from $custom_plants')).toEqual([
      ['1.2500', '2.50', '5.00'],
    ]);
    const guest = await garden.person('guest');
    expect(await garden.sql(guest, 'select size, double from $custom_plants')).toEqual([['1.2500', '2.50']]);
    await expect(garden.sql(guest, 'select fourfold from $custom_plants')).rejects.toThrow('permission denied');
    await garden.publish(plant([{ key: 'size', type: 'decimal', scale: 4 }]));
    await garden.rollback(2);
    expect(await garden.sql(person, 'select length, fourfold from $custom_plants')).toEqual([['1.25', '5.00']]);
  });

  test('is refused where records are in the way, with their number and the place in the document', async () => {
    const garden = await organisation(plant([{ ...region, max: 40 }]));
    const person = await garden.person('keeper');
    for (const name of ['Ivy', 'Fern', 'Moss'])
      await garden.insert(person, 'custom_plants', { name, region: name === 'Moss' ? null : 'somewhere' });
    const attempts: readonly (readonly [Json, Json])[] = [
      [
        { ...region, required: true },
        {
          code: 'values_missing',
          params: { count: 1 },
          pointer: '/fields/1/required',
          document: 'custom/plant.entity.json',
          message: '1 records have no Region of Plant. Fill them, or give the field a default.',
        },
      ],
      [
        { ...region, max: 4 },
        { code: 'values_not_allowed', params: { count: 2 }, pointer: '/fields/1' },
      ],
      [
        { ...region, unique: true },
        { code: 'values_not_unique', params: { count: 1 }, pointer: '/fields/1/unique' },
      ],
      [
        { key: 'region', type: 'sequence', prefix: 'R-' },
        { code: 'type_change', pointer: '/fields/1' },
      ],
    ];
    for (const [field, error] of attempts) {
      const problem = await refusal(garden.publish(plant([field])));
      expect(problem.code).toBe('invalid_document');
      expect(problem.errors[0]).toMatchObject(error);
      expect((await refusal(garden.plan(plant([field])))).errors).toEqual(problem.errors);
    }
    const added = await refusal(
      garden.publish(plant([region, { key: 'soil', type: 'text', label: 'Soil', required: true }])),
    );
    expect(added.errors[0]).toMatchObject({
      code: 'values_missing',
      params: { count: 3 },
      pointer: '/fields/2/required',
    });
    expect(await garden.release()).toBe(2);
    await garden.publish(
      plant([
        { ...region, required: true, default: 'nowhere' },
        { key: 'soil', type: 'text', required: true, default: 'clay' },
        { key: 'number', type: 'sequence', prefix: 'P-' },
      ]),
    );
    expect(await garden.sql(person, 'select name, region, soil, version from $custom_plants order by name')).toEqual([
      ['Fern', 'somewhere', 'clay', '1'],
      ['Ivy', 'somewhere', 'clay', '1'],
      ['Moss', 'nowhere', 'clay', '2'],
    ]);
    expect(new Set((await garden.sql(person, 'select number from $custom_plants')).flat())).toEqual(
      new Set(['P-00001', 'P-00002', 'P-00003']),
    );
  });

  test('may become wider, and narrower only as far as its values allow', async () => {
    const garden = await organisation(plant([{ key: 'price', type: 'decimal', precision: 10, scale: 2 }]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy', price: '1234.50' });
    await garden.publish(plant([{ key: 'price', type: 'decimal', precision: 12, scale: 4 }]));
    expect(await garden.sql(person, 'select price::text from $custom_plants')).toEqual([['1234.5000']]);
    await garden.update(person, 'custom_plants', id, { price: '1234.5678' });
    expect((await refusal(garden.rollback(2))).errors[0]).toMatchObject({ code: 'values_lost', params: { count: 1 } });
    await garden.update(person, 'custom_plants', id, { price: '1234.5' });
    await garden.rollback(2);
    expect(await garden.sql(person, 'select price::text from $custom_plants')).toEqual([['1234.50']]);
  });
});

describe('an entity', () => {
  test('that is removed comes back with its records, its history and its parts', async () => {
    const pot = [
      may('pot'),
      {
        kind: 'entity',
        key: 'pot',
        plural: 'pots',
        label: 'Pot',
        title: '{name}',
        history: true,
        fields: [
          { key: 'name', type: 'text', required: true },
          { key: 'plant', type: 'reference', to: 'plant' },
          { key: 'shards', type: 'children', of: 'shard' },
        ],
      },
      {
        kind: 'entity',
        key: 'shard',
        plural: 'shards',
        label: 'Shard',
        title: '{size}',
        parent: 'pot',
        fields: [
          { key: 'pot', type: 'reference', to: 'pot', required: true },
          { key: 'size', type: 'text' },
        ],
      },
    ];
    const garden = await organisation([...plant([]), ...pot]);
    const person = await garden.person('keeper');
    const ivy = await garden.insert(person, 'custom_plants', { name: 'Ivy' });
    const clay = await garden.insert(person, 'custom_pots', { name: 'Clay', plant: ivy });
    await garden.insert(person, 'custom_shards', { pot: clay, size: 'big' });
    await garden.update(person, 'custom_pots', clay, { name: 'Old clay' });
    const removed = await garden.publish(plant([]));
    expect(removed.plan.steps.map(({ title, risk }) => [title, risk])).toContainEqual(['Remove Pot', 'high']);
    await expect(garden.sql(person, 'select * from $custom_pots')).rejects.toThrow('does not exist');
    // What was set aside holds on to nothing.
    await garden.sql(await garden.person(), 'update $custom_plants set deleted_at = now()');
    await garden.rollback(2);
    expect(await garden.sql(person, 'select name from $custom_pots')).toEqual([['Old clay']]);
    expect(await garden.sql(person, 'select size from $custom_shards')).toEqual([['big']]);
    expect(await garden.sql(person, 'select old, new from $h_custom_pots')).toEqual([['"Clay"', '"Old clay"']]);
    await expect(garden.insert(person, 'custom_pots', { name: 'x', plant: randomUUID() })).rejects.toThrow(
      'foreign key',
    );
  });

  test('that is renamed keeps everything', async () => {
    const garden = await organisation(plant([region]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north' });
    await garden.update(person, 'custom_plants', id, { region: 'south' });
    const herb = plant([region], { key: 'herb', plural: 'herbs', label: 'Herb', was: 'plant' }).map((document) =>
      document['kind'] === 'permission' ? may('herb') : document,
    );
    const release = await garden.publish(herb);
    expect(release.plan.steps.map((step) => step.title)).toContain('Rename Plant to Herb');
    expect(await garden.sql(person, 'select name, region from $custom_herbs')).toEqual([['Ivy', 'south']]);
    expect(await garden.sql(person, 'select count(*) from $h_custom_herbs')).toEqual([['1']]);
    await garden.update(person, 'custom_herbs', id, { region: 'west' });
    expect(await garden.sql(person, 'select count(*) from $h_custom_herbs')).toEqual([['2']]);
  });
});

describe('releases', () => {
  test('are numbered, listed, and say what they were made from', async () => {
    const garden = await organisation(plant([]));
    await garden.publish(plant([region]));
    await garden.rollback(2);
    const { key } = garden.tenant;
    expect((await lab.publisher.releases(key)).map(({ number, base, message }) => [number, base, message])).toEqual([
      [4, 3, 'back'],
      [3, 2, 'test'],
      [2, 1, 'test'],
      [1, 0, 'First release: the platform alone'],
    ]);
    const { release, packs, documents } = await lab.publisher.documents(key);
    expect({ release, packs }).toEqual({ release: 4, packs: ['core'] });
    expect(JSON.stringify(documents)).toBe(JSON.stringify(plant([])));
    expect((await lab.publisher.release(key, 3)).plan.steps[0]?.title).toBe('Add field Region to Plant');
    expect((await refusal(lab.publisher.release(key, 9))).code).toBe('not_found');
    expect((await refusal(lab.publisher.releases('nobody'))).code).toBe('not_found');
  });

  test('are refused on a base that is not the current one', async () => {
    const garden = await organisation(plant([]));
    const stale = await refusal(
      lab.publisher.publish(garden.tenant.key, { base: 1, author: 'a', message: 'm', documents: plant([region]) }),
    );
    expect(stale).toMatchObject({
      code: 'stale_base',
      errors: [{ pointer: '/base', params: { base: 1, current: 2 } }],
    });
    const unknown = lab.publisher.rollback(garden.tenant.key, { base: 2, to: 7, author: 'a', message: 'm' });
    expect(await refusal(unknown)).toMatchObject({
      code: 'invalid',
      message: 'There is no release 7; the newest one is 2.',
      errors: [{ pointer: '/to' }],
    });
  });

  test('are refused whole when a document is wrong', async () => {
    const garden = await organisation(plant([]));
    const problem = await refusal(garden.publish(plant([{ key: 'tree', type: 'reference', to: 'tree' }])));
    expect(problem).toMatchObject({
      code: 'invalid_document',
      errors: [{ document: 'custom/plant.entity.json', pointer: '/fields/1/to' }],
    });
    expect(
      (
        await refusal(
          lab.publisher.publish(garden.tenant.key, { base: 2, author: 'a', message: 'm', packs: ['nothing'] }),
        )
      ).errors[0],
    ).toMatchObject({ pointer: '/packs/0' });
    expect(await garden.release()).toBe(2);
  });

  test('of two people at once: one wins, the other is told, nothing is lost', async () => {
    const garden = await organisation(plant([]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy' });
    const attempt = (field: Json) =>
      lab.publisher.publish(garden.tenant.key, { base: 2, author: 'a', message: 'm', documents: plant([field]) });
    const outcomes = await Promise.allSettled([
      attempt(region),
      attempt({ key: 'soil', type: 'text' }),
      attempt({ key: 'light', type: 'text' }),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(['stale_base', 'publish_in_progress']).toEqual(expect.arrayContaining([...new Set(losers)]));
    expect(await garden.release()).toBe(3);
    expect(await garden.sql(person, 'select id, name from $custom_plants')).toEqual([[id, 'Ivy']]);
  });

  test('wait for a reader only briefly at a time, and come through when it is done', async () => {
    const garden = await organisation(plant([]));
    const reader = new pg.Client({ ...postgres.address, ...postgres.admin });
    await reader.connect();
    await reader.query(`begin; select * from "${garden.tenant.names.schema}".custom_plants`);
    const publishing = garden.publish(plant([region]));
    await new Promise((resolve) => setTimeout(resolve, 700));
    // Between two attempts nobody queues behind the DDL.
    const started = performance.now();
    await garden.sql(await garden.person('keeper'), 'select count(*) from $custom_plants');
    expect(performance.now() - started).toBeLessThan(1000);
    await reader.query('commit');
    expect((await publishing).number).toBe(3);
    await reader.query(`begin; select * from "${garden.tenant.names.schema}".custom_plants`);
    const hasty = new Publisher({ database: lab.database, patience: 600 });
    const problem = await refusal(
      hasty.publish(garden.tenant.key, { base: 3, author: 'a', message: 'm', documents: plant([]) }),
    );
    expect(problem.code).toBe('unavailable');
    await reader.end();
    expect(await garden.release()).toBe(3);
  });

  test('that drop a role take it away from everybody, and give it back', async () => {
    const both = [
      ...plant([]),
      { kind: 'role', key: 'guest', label: 'Guest', inherits: ['member'] },
      { kind: 'permission', role: 'guest', entity: 'plant', actions: ['read'] },
    ];
    const garden = await organisation(both);
    const guest = await garden.person('guest', 'member');
    expect(await garden.sql(guest, 'select count(*) from $custom_plants')).toEqual([['0']]);
    await garden.publish(plant([]));
    await expect(garden.sql(guest, 'select count(*) from $custom_plants')).rejects.toThrow('permission denied');
    await garden.rollback(2);
    expect(await garden.sql(guest, 'select count(*) from $custom_plants')).toEqual([['0']]);
  });
});

describe('a plan', () => {
  test('counts the records of a small table that was never analysed', async () => {
    const garden = await organisation(plant([region]));
    const person = await garden.person('keeper');
    await garden.insert(person, 'custom_plants', { name: 'Ivy', region: 'north' });
    const plan = await garden.plan(plant([{ ...region, index: true }]));
    expect(plan.steps.find(({ kind }) => kind === 'change_indexes')?.rows).toBe(1);
  });

  test('tells the rows and the time, and leaves for afterwards what would keep many records waiting', async () => {
    const garden = await organisation(plant([region]));
    await postgres.superuser.query(
      `insert into "${garden.tenant.names.schema}".custom_plants (id, name) select gen_random_uuid(), 'x' from generate_series(1, 60000); analyze "${garden.tenant.names.schema}".custom_plants`,
    );
    const plan = await garden.plan(plant([{ ...region, index: true }]));
    expect(plan).toMatchObject({ base: 2, next: 3 });
    const step = plan.steps.find(({ title }) => title === 'Index Region, ID on Plant');
    expect(step).toMatchObject({
      kind: 'change_indexes',
      lock: 'none',
      deferred: true,
      rows: 60_000,
      reversible: true,
    });
    expect(step?.seconds).toBeGreaterThan(0);
    expect(plan.warnings).toEqual([]);
    expect(await garden.release()).toBe(2);
  });
});
