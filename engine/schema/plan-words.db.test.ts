/** A plan says what will be done, in words of whoever publishes, and nothing that will not. */
import { expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { schemaLab } from '#tests/support/schema-lab.ts';
import type { Plan } from './plan.ts';
import type { TenantDocument } from './source.ts';

const lab = schemaLab(await testDatabase());

type Json = Readonly<Record<string, unknown>>;
const field = (key: string, type: string, more: Json = {}): Json => ({ key, type, label: key.toUpperCase(), ...more });
const NAME = field('name', 'text', { required: true, search: 'A' });
const LINKED = field('friends', 'links', { to: 'plant', inverse: 'friends_of' });
const COMPUTED = [
  field('who', 'person_name'),
  field('at', 'address'),
  field('about', 'any_reference', { to: ['plant'] }),
  field('twice', 'formula', { returns: 'integer', expr: 'rank * 2' }),
  field('long', 'formula', { returns: 'integer', expr: 'length(size)' }),
];
const plant = (fields: readonly Json[], more: Json = {}, conditions: Json | null = { name: 'Ivy' }) =>
  [
    { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
    {
      kind: 'permission',
      role: 'keeper',
      entity: 'plant',
      actions: ['create', 'read', 'update'],
      ...(conditions && { conditions }),
    },
    {
      kind: 'entity',
      key: 'plant',
      plural: 'plants',
      label: 'Plant',
      title: '{name}',
      fields: [NAME, field('rank', 'integer'), ...fields],
      ...more,
    },
  ] satisfies readonly TenantDocument[];

const titles = ({ steps }: Plan): readonly string[] => steps.map(({ title }) => title).sort();

test('a field that changes its type is told with what is computed from it, and with nothing else', async () => {
  const [size, others] = [field('size', 'text'), COMPUTED.filter(({ key }) => key !== 'long')];
  const garden = await lab.organisation('types', { documents: plant([size, ...others]) });
  const plan = await garden.plan(plant([field('size', 'integer'), ...others]));
  expect(titles(plan)).toEqual(['Change the type of SIZE of Plant', 'Keep who may see and change Plant']);
  const person = await garden.person();
  await garden.sql(
    person,
    `insert into $custom_plants (id, name, rank, size, at_city) values (gen_random_uuid(), 'Ivy', 4, '7', 'Ulm')`,
  );
  await garden.publish(plant([field('size', 'integer'), ...others]));
  expect(await garden.sql(person, 'select size, twice, at from $custom_plants')).toEqual([['7', '8', 'Ulm']]);
});

test('what is computed from a field whose type changes is computed anew', async () => {
  const garden = await lab.organisation('formulas', {
    documents: plant([
      field('size', 'integer'),
      ...COMPUTED.slice(3, 4),
      field('more', 'formula', { returns: 'integer', expr: 'round(size + 1)' }),
    ]),
  });
  const person = await garden.person();
  await garden.sql(person, `insert into $custom_plants (id, name, rank, size) values (gen_random_uuid(), 'Ivy', 4, 7)`);
  const release = await garden.publish(
    plant([
      field('size', 'decimal'),
      ...COMPUTED.slice(3, 4),
      field('more', 'formula', { returns: 'integer', expr: 'round(size + 1)' }),
    ]),
  );
  expect(titles(release.plan).filter((title) => title.startsWith('Compute'))).toEqual(['Compute MORE on Plant anew']);
  expect(await garden.sql(person, 'select size::integer, more, twice from $custom_plants')).toEqual([['7', '8', '8']]);
  // The values of then: what is computed reads them again.
  await garden.rollback(2);
  expect(await garden.sql(person, 'select size, more, twice from $custom_plants')).toEqual([['7', '8', '8']]);
});

test('what comes and goes with a field and a permission is told by their names', async () => {
  const garden = await lab.organisation('words', { documents: plant([field('size', 'text')]) });
  const linked = await garden.publish(plant([field('size', 'text'), LINKED], { sharing: true, owner: true }));
  expect(titles(linked.plan)).toContain('Create FRIENDS of Plant');
  const gone = await garden.publish(plant([field('size', 'text')], { sharing: true, owner: true }));
  expect(titles(gone.plan)).toContain('Remove FRIENDS of Plant');
  const back = await garden.rollback(3);
  expect(titles(back.plan)).toContain('Bring back FRIENDS of Plant');
  // Whoever sees all of them needs no function to search them. Nothing is removed for people.
  const wider = await garden.publish(plant([field('size', 'text'), LINKED], { sharing: true, owner: true }, null));
  expect(titles(wider.plan)).toEqual(expect.arrayContaining(['Change how Plant is searched']));
  expect(titles(wider.plan).filter((title) => title.startsWith('Remove'))).toEqual([]);
  const narrower = await garden.rollback(5);
  expect(titles(narrower.plan).filter((title) => title.startsWith('Create'))).toEqual([]);
});
