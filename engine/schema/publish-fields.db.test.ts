/** Publishing a change of a field keeps every value. */
import { describe, expect, test } from 'vitest';
import { type Json, plant, region, titlesOf } from '#tests/support/garden.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);

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

describe('a field', () => {
  test('that is added is empty on old records and writable at once', async () => {
    const garden = await organisation(plant([]));
    const person = await garden.person('keeper');
    const id = await garden.insert(person, 'custom_plants', { name: 'Ivy' });
    expect(await titlesOf(garden.plan(plant([region])))).toEqual([
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

  test('takes the key that another one leaves, whichever of them stands first', async () => {
    const text = (key: string) => ({ key, type: 'text' });
    const garden = await organisation(plant(['a', 'b', 'c'].map(text)));
    const person = await garden.person('keeper');
    await garden.insert(person, 'custom_plants', { name: 'Ivy', a: '1', b: '2', c: '3' });
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map(async (key) => (await garden.field('custom.plant', key)).id),
    );
    await garden.publish(
      plant([
        { ...text('b'), id: a },
        { ...text('c'), id: b },
        { ...text('d'), id: c },
      ]),
    );
    expect(await garden.sql(person, 'select b, c, d from $custom_plants')).toEqual([['1', '2', '3']]);
    await garden.publish(
      plant([
        { ...text('d'), id: c },
        { ...text('e'), id: b },
        { ...text('c'), id: a },
      ]),
    );
    expect(await garden.sql(person, 'select c, e, d from $custom_plants')).toEqual([['1', '2', '3']]);
    await garden.publish(
      plant([
        { ...text('d'), id: c },
        { ...text('e'), id: b },
      ]),
    );
    await garden.publish(
      plant([
        { ...text('f'), id: c },
        { ...text('d'), id: b },
      ]),
    );
    // What was set aside comes back to a name that another one leaves.
    await garden.rollback(2);
    expect(await garden.sql(person, 'select a, b, c from $custom_plants')).toEqual([['1', '2', '3']]);
  });

  test('that its own document brings back has its values, the currency of an amount among them', async () => {
    const money = (key: string, id?: string) => ({ key, type: 'money', ...(id !== undefined && { id }) });
    const garden = await organisation(plant([money('net'), money('gross')]));
    const person = await garden.person('keeper');
    const row = { name: 'Ivy', net: '1.00', net_currency: 'USD', gross: '2.00', gross_currency: 'CHF' };
    await garden.insert(person, 'custom_plants', row);
    const [net, gross] = [await garden.field('custom.plant', 'net'), await garden.field('custom.plant', 'gross')];
    await garden.publish(plant([money('gross', net.id), money('net', gross.id)]));
    const amounts = 'select net, net_currency, gross, gross_currency from $custom_plants';
    expect(await garden.sql(person, amounts)).toEqual([['2.00', 'CHF', '1.00', 'USD']]);
    await garden.publish(plant([]));
    await garden.publish(plant([money('net', net.id), money('gross', gross.id)]));
    expect(await garden.sql(person, amounts)).toEqual([['1.00', 'USD', '2.00', 'CHF']]);
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
