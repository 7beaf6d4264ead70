/** Publishing keeps every value, one release at a time, and gets out of the way of those who work. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type Json, may, plant, region } from '#tests/support/garden.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import { Publisher } from './publish.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);

let count = 0;
async function organisation(documents: readonly TenantDocument[]): Promise<Organisation> {
  count += 1;
  return lab.organisation(`garden${count}`, { documents });
}

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

describe('entities', () => {
  test('take the names that others leave, whichever of them stands first', async () => {
    const entity = (key: string, id?: string): Json => ({
      kind: 'entity',
      key,
      plural: `${key}s`,
      label: key,
      history: true,
      fields: [{ key: 'name', type: 'text' }],
      ...(id !== undefined && { id }),
    });
    const garden = await organisation(['one', 'two', 'three'].map((key) => entity(key)));
    const system = await garden.person();
    for (const key of ['one', 'two', 'three']) await garden.insert(system, `custom_${key}s`, { name: key });
    const [one, two, three] = await Promise.all(
      ['one', 'two', 'three'].map(async (key) => (await garden.entity(`custom.${key}`)).id),
    );
    await garden.publish([entity('two', one), entity('three', two), entity('four', three)]);
    const names = async (table: string) => (await garden.sql(system, `select name from $custom_${table}`)).flat();
    expect([await names('twos'), await names('threes'), await names('fours')]).toEqual([['one'], ['two'], ['three']]);
    await garden.publish([entity('three', one), entity('five', two)]);
    // One that was removed comes back to a name that another one leaves.
    await garden.publish([entity('four', one), entity('six', two), entity('three', three)]);
    expect([await names('fours'), await names('sixs'), await names('threes')]).toEqual([['one'], ['two'], ['three']]);
    await garden.rollback(2);
    expect([await names('ones'), await names('twos'), await names('threes')]).toEqual([['one'], ['two'], ['three']]);
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
    // Between two attempts nobody queues behind the DDL: this one would wait for the reader, who goes on only after it.
    await garden.sql(await garden.person('keeper'), 'select count(*) from $custom_plants');
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
