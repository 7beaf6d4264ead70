/** Addresses, names and places: parts that people write, a text that the database makes of them, rights on both. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

const database = await testDatabase();
let lab: FieldLab;

beforeAll(async () => {
  lab = await makeFieldLab(
    database,
    [
      { key: 'billing', type: 'address', search: 'C' },
      { key: 'home', type: 'address', required: true },
      { key: 'contact', type: 'person_name' },
      { key: 'place', type: 'location' },
    ],
    [
      { kind: 'role', key: 'clerk', label: 'Clerk', inherits: ['member'] },
      {
        kind: 'permission',
        role: 'clerk',
        entity: 'lab.thing',
        actions: ['read', 'create', 'update'],
        fields: { read: { except: ['billing_street'] }, update: { except: ['contact'] } },
      },
    ],
  );
});
afterAll(() => lab.close());

const HOME = { home_city: 'Lindwurm', home_country: 'de' };

describe('a composite field', () => {
  test('is its parts, and a text the database makes of them', async () => {
    const made = await lab.create({
      name: 'a',
      ...HOME,
      billing_street: '  12 Example Lane ',
      billing_postal_code: '12345',
      billing_city: 'Sampleton',
      contact_given: 'Ada',
      contact_family: 'Example',
      place_latitude: '52.52',
      place_longitude: '13.405',
    });
    expect(made).toMatchObject({
      home: 'Lindwurm, DE',
      home_country: 'DE',
      billing: '12 Example Lane, 12345 Sampleton',
      billing_region: null,
      contact: 'Ada Example',
      place: '52.520000, 13.405000',
      place_latitude: '52.520000',
    });
    expect(
      await lab.update(made.id, { billing_street: null, place_latitude: null, place_longitude: null }),
    ).toMatchObject({
      billing: '12345 Sampleton',
      place: null,
    });
    const [entry] = await lab.history(made.id);
    expect(((entry?.['changes'] ?? []) as readonly { field: string }[]).map(({ field }) => field)).toEqual([
      'billing_street',
      'place_latitude',
      'place_longitude',
    ]);
  });

  test('is filtered, sorted and searched by its text and by its parts', async () => {
    await lab.create({ name: 'x', ...HOME, billing_city: 'Quietville', contact_family: 'Zebra' });
    await lab.create({ name: 'y', ...HOME, billing_city: 'Loudville', contact_family: 'Aardvark' });
    expect(await lab.names('billing[icontains]=VILLE&$order=contact')).toEqual(['y', 'x']);
    expect(await lab.names('billing_city=Loudville')).toEqual(['y']);
    expect(await lab.names('$search=quietville')).toEqual(['x']);
  });

  test.each([
    [{ home_city: 'x' }, ['required /home_country']],
    [{ ...HOME, home_country: 'XX' }, ['country /home_country']],
    [{ ...HOME, home: 'Lindwurm' }, ['read_only /home']],
    [{ ...HOME, place_latitude: '90.000001', place_longitude: '0' }, ['too_large /place_latitude']],
    [{ ...HOME, place_latitude: '1' }, ['invalid /place']],
  ])('refuses %j', async (body, refusals) => {
    expect(await lab.refused(lab.create({ name: 'bad', ...body }))).toEqual(refusals);
  });

  test('comes from a file by its parts', async () => {
    const csv = 'name,home_city,home_country,contact_given,contact_family\nfile,Ostheim,Germany,Bo,Beispiel\n';
    expect(await lab.bring(csv)).toMatchObject({ created: 1, failed: 0 });
    expect(await lab.list('name=file&$select=home,contact')).toEqual([{ home: 'Ostheim, DE', contact: 'Bo Beispiel' }]);
  });

  test('is not shown to who may not read one of its parts, and its parts are written with it or not at all', async () => {
    const clerk = await lab.lab.person('clerk');
    const { id } = await lab.create({
      name: 'hidden',
      ...HOME,
      billing_street: 'Secret Street 1',
      billing_city: 'Town',
    });
    const seen = await lab.one(id, clerk);
    expect(seen).toMatchObject({ billing_city: 'Town', home: 'Lindwurm, DE' });
    expect(seen).not.toHaveProperty('billing');
    expect(seen).not.toHaveProperty('billing_street');
    await expect(lab.names('billing[contains]=Secret', clerk)).rejects.toThrow('is not a field');
    expect(await lab.refused(lab.update(id, { contact_family: 'x' }, clerk))).toEqual(['read_only /contact_family']);
  });
});
