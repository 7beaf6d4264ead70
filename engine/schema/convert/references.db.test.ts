/** A field becomes a reference, or no longer is one: records are found by what people call them. */
import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { Plan } from '../plan.ts';
import type { TenantDocument } from '../source.ts';
import { halfWay, kill } from '../testing/half-way.ts';
import type { OnFails } from './conversions.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 300_000 });
const postgres = await testDatabase();
const { superuser } = postgres;
const labs = { small: schemaLab(postgres), large: schemaLab(postgres, { deferAbove: 10, patience: 120_000 }) };
type Size = keyof typeof labs;

type Json = Readonly<Record<string, unknown>>;
const city: TenantDocument = {
  kind: 'entity',
  key: 'city',
  plural: 'cities',
  label: 'City',
  title: '{name}',
  softDelete: true,
  fields: [
    { key: 'name', type: 'text', required: true },
    { key: 'code', type: 'text', unique: true },
    { key: 'number', type: 'integer', unique: true },
  ],
};
const shop = (...fields: readonly Json[]): TenantDocument => ({
  kind: 'entity',
  key: 'shop',
  plural: 'shops',
  label: 'Shop',
  title: '{name}',
  history: true,
  fields: [{ key: 'name', type: 'text', required: true }, ...fields],
});
const place = (type: string, more: Json = {}): Json => ({ key: 'place', type, label: 'Place', ...more });
const REFERENCE = place('reference', { to: 'city' });
const TEXT = place('text');

const CITIES = [
  { id: '00000000-0000-4000-8000-0000000000b1', name: 'Brightwater', code: 'BW', number: 7 },
  { id: '00000000-0000-4000-8000-0000000000b2', name: 'Port  Ember', code: 'PE', number: 8 },
  { id: '00000000-0000-4000-8000-0000000000b3', name: 'Twinford', code: null, number: null },
  { id: '00000000-0000-4000-8000-0000000000b4', name: 'TWINFORD', code: null, number: null },
  { id: '00000000-0000-4000-8000-0000000000b5', name: 'Oldham Vale', code: null, number: null },
  { id: '00000000-0000-4000-8000-0000000000b6', name: 'PE', code: null, number: null },
] as const;
const [BRIGHTWATER, EMBER, , , GONE] = CITIES.map(({ id }) => id);

let count = 0;
/** Shops called n1, n2, … with these values, and the cities, of which Oldham Vale is in the bin. */
async function town(size: Size, field: Json, values: readonly (string | null)[], cast = 'text'): Promise<Organisation> {
  count += 1;
  const made = await labs[size].organisation(`town${count}`, { documents: [shop(field), city] });
  const system = await made.person();
  for (const one of CITIES) await made.insert(system, 'custom_cities', one);
  await made.sql(system, `update $custom_cities set deleted_at = now() where id = '${GONE}'`);
  await made.sql(
    system,
    `insert into $custom_shops (id, name, place) select gen_random_uuid(), 'n' || o, (v #>> '{}')::${cast} from jsonb_array_elements($1::jsonb) with ordinality a(v, o)`,
    [JSON.stringify(values)],
  );
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_shops`);
  return made;
}

async function publish(
  made: Organisation,
  size: Size,
  documents: readonly TenantDocument[],
  onFail?: OnFails,
): Promise<void> {
  const input = { base: await made.release(), author: 'test', message: 'test', documents, onFail };
  await labs[size].publisher.publish(made.tenant.key, input);
}

const become = (made: Organisation, size: Size, field: Json, onFail?: OnFails) =>
  publish(made, size, [shop(field), city], onFail);
const places = async (made: Organisation): Promise<readonly (string | null)[]> =>
  (await made.sql(await made.person(), 'select place::text from $custom_shops order by length(name), name')).map(
    ([value]) => value ?? null,
  );
const reasons = ({ conversions = [] }: Plan) =>
  conversions[0]?.sample
    ?.toSorted((a, b) => a.title.localeCompare(b.title))
    .map(({ value, reason }) => [value, reason]);

/** For good: as a purge of the bin does. */
const destroy = ({ tenant }: Organisation, id: string | undefined) =>
  superuser.query(`delete from "${tenant.names.schema}".custom_cities where id = $1`, [id]);

const leftovers = async ({ tenant }: Organisation): Promise<readonly unknown[]> =>
  (
    await superuser.query(
      `select attname from pg_attribute a join pg_class c on c.oid = a.attrelid where relnamespace = $1::regnamespace and (attname like 'zz\\_%' or relname like 'zz\\_%') and not attisdropped`,
      [tenant.names.schema],
    )
  ).rows;

describe.each(['small', 'large'] as const)('on a %s table', (size) => {
  /** Enough rows to count as large. */
  const pad = (values: readonly (string | null)[]) => [...values, ...Array.from({ length: 12 }, () => null)];
  const unpad = (values: readonly (string | null)[]) => values.slice(0, -12);
  const drain = (made: Organisation) => labs[size].runner.drain(made.tenant.key);

  test('texts become references by id, title and unique field, and come back as they were with a rollback', async () => {
    const values = [' brightwater ', 'BW', BRIGHTWATER?.toUpperCase() ?? '', 'port ember', null, '7'];
    const made = await town(size, TEXT, pad(values));
    const versions = 'select id, version, updated_at from $custom_shops order by id';
    const before = await made.sql(await made.person(), versions);
    const plan = await made.plan([shop(REFERENCE), city]);
    expect(plan.conversions).toEqual([
      { entity: 'custom.shop', field: 'place', from: 'text', to: 'reference', checked: 18, fails: 0, onFail: 'refuse' },
    ]);
    await become(made, size, REFERENCE);
    await drain(made);
    const ids = [BRIGHTWATER, BRIGHTWATER, BRIGHTWATER, EMBER, null, BRIGHTWATER];
    expect(unpad(await places(made))).toEqual(ids);
    expect(await made.sql(await made.person(), versions)).toEqual(before);
    // It is a reference like any other.
    await expect(destroy(made, EMBER)).rejects.toThrow('foreign key');
    await made.sql(await made.person(), `update $custom_shops set place = '${EMBER}' where name = 'n1'`);
    await made.sql(await made.person(), `update $custom_shops set place = null where name = 'n2'`);
    await made.sql(await made.person(), `update $custom_cities set name = 'Embermouth' where id = '${EMBER}'`);
    await made.rollback(2);
    await drain(made);
    expect(unpad(await places(made))).toEqual(['Embermouth', null, ...values.slice(2)]);
    await made.rollback(3);
    expect(unpad(await places(made))).toEqual([EMBER, null, ...ids.slice(2)]);
  });

  test('what names no record, several, or one in the bin, is in the way, and a plan says why', async () => {
    const values = pad(['Nowhere', 'Twinford', 'oldham vale', GONE ?? '', 'PE', 'Brightwater', BRIGHTWATER ?? '']);
    const made = await town(size, TEXT, values);
    expect(reasons(await made.plan([shop(REFERENCE), city]))).toEqual([
      ['Nowhere', 'There is no City “Nowhere”.'],
      ['Twinford', '“Twinford” names 2 records of City.'],
      ['oldham vale', 'There is no City “oldham vale”.'],
      [GONE, `There is no City “${GONE}”.`],
      // The code of one and the name of another.
      ['PE', '“PE” names 2 records of City.'],
    ]);
    const problem = await refusal(become(made, size, REFERENCE));
    expect(problem.errors).toEqual([
      {
        code: 'values_not_convertible',
        message: '5 values of Place of Shop cannot become reference. A plan shows which.',
        params: { count: 5, from: 'text', to: 'reference' },
        document: 'custom/shop.entity.json',
        pointer: '/fields/1/type',
      },
    ]);
    expect([await places(made), await made.release(), await leftovers(made)]).toEqual([values, 2, []]);
  });

  test('or is emptied where that was asked for, and comes back even when it names a record by then', async () => {
    const values = ['Nowhere', 'Twinford', 'Brightwater'];
    const made = await town(size, TEXT, pad(values));
    await become(made, size, REFERENCE, { 'custom.shop.place': 'null' });
    await drain(made);
    expect(unpad(await places(made))).toEqual([null, null, BRIGHTWATER]);
    await made.insert(await made.person(), 'custom_cities', { name: 'Nowhere' });
    await made.rollback(2);
    expect(unpad(await places(made))).toEqual(values);
  });

  test('references become the titles of their records, in the bin or not, and come back unless their record is gone', async () => {
    const made = await town(size, REFERENCE, pad([BRIGHTWATER ?? '', EMBER ?? '', GONE ?? '', null]), 'uuid');
    await become(made, size, TEXT);
    await drain(made);
    expect(unpad(await places(made))).toEqual(['Brightwater', 'Port  Ember', 'Oldham Vale', null]);
    const system = await made.person();
    await made.sql(system, `update $custom_shops set place = 'bw' where name = 'n1'`);
    await destroy(made, EMBER);
    expect((await refusal(made.rollback(2))).errors).toMatchObject([{ params: { count: 1 } }]);
    await labs[size].publisher.rollback(made.tenant.key, {
      base: 3,
      to: 2,
      author: 'test',
      message: 'back',
      onFail: { 'custom.shop.place': 'null' },
    });
    await drain(made);
    expect(unpad(await places(made))).toEqual([BRIGHTWATER, null, GONE, null]);
  });

  test('back to a release without the entity, references are the names of its records', async () => {
    count += 1;
    const made = await labs[size].organisation(`town${count}`, { documents: [shop(TEXT)] });
    const system = await made.person();
    await made.sql(
      system,
      `insert into $custom_shops (id, name, place) select gen_random_uuid(), 'n' || g, ' Brightwater ' from generate_series(1, 12) g`,
    );
    await superuser.query(`analyze "${made.tenant.names.schema}".custom_shops`);
    // With an entity of the same release there is nobody yet to be named.
    expect(reasons(await made.plan([shop(REFERENCE), city]))?.[0]).toEqual([
      ' Brightwater ',
      'There is no City “Brightwater”.',
    ]);
    await publish(made, size, [shop(TEXT), city]);
    for (const one of CITIES) await made.insert(system, 'custom_cities', one);
    await become(made, size, REFERENCE);
    await drain(made);
    await made.sql(system, `update $custom_shops set place = '${EMBER}' where name = 'n1'`);
    await made.rollback(2);
    expect((await places(made)).slice(0, 2)).toEqual(['Port  Ember', ' Brightwater ']);
  });
});

const OTHERS: readonly (readonly [Json, string, Json, readonly string[], readonly (string | undefined)[]])[] = [
  [place('choice', { choices: [{ key: 'b', label: 'Brightwater' }] }), 'text', REFERENCE, ['b'], [BRIGHTWATER]],
  [place('integer'), 'bigint', REFERENCE, ['7', '8'], [BRIGHTWATER, EMBER]],
  [REFERENCE, 'uuid', place('choice', { choices: [{ key: 'b', label: 'Brightwater' }] }), [BRIGHTWATER ?? ''], ['b']],
  [TEXT, 'text', place('user'), [], []],
  [REFERENCE, 'uuid', place('reference', { to: 'city', label: 'Town' }), [EMBER ?? ''], [EMBER]],
];

test.each(OTHERS)('%j (%s) becomes %j', async (from, cast, to, values, expected) => {
  const made = await town('small', from, values, cast);
  await become(made, 'small', to);
  expect(await places(made)).toEqual(expected);
  await made.rollback(2);
  expect(await places(made)).toEqual(values);
});

test('a plan shows the title of a record that cannot become what was asked for', async () => {
  const made = await town('small', REFERENCE, [EMBER ?? ''], 'uuid');
  const [found] = (await made.plan([shop(place('integer')), city])).conversions ?? [];
  expect(found?.sample).toMatchObject([
    { title: 'n1', value: 'Port  Ember', reason: '“Port  Ember” is not a number.' },
  ]);
});

test('people are named by their address as well, and titles by the titles in them', async () => {
  const made = await town('small', TEXT, ['Ada@example.test']);
  const ada = await made.insert(await made.person(), 'core_users', { name: 'Ada Sample', email: 'ada@example.test' });
  await become(made, 'small', place('user'));
  expect(await places(made)).toEqual([ada]);
  const street: TenantDocument = {
    kind: 'entity',
    key: 'street',
    plural: 'streets',
    label: 'Street',
    title: '{city}: {name}',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'city', type: 'reference', to: 'city' },
    ],
  };
  await publish(made, 'small', [shop(TEXT), city, street]);
  expect(await places(made)).toEqual(['Ada@example.test']);
  const lane = await made.insert(await made.person(), 'custom_streets', { name: 'Quiet Lane', city: EMBER ?? null });
  await made.sql(await made.person(), `update $custom_shops set place = 'port ember: quiet lane'`);
  await publish(made, 'small', [shop(place('reference', { to: 'street' })), city, street]);
  expect(await places(made)).toEqual([lane]);
});

test('two fields that change at once: names are those of before', async () => {
  const made = await town('small', TEXT, ['brightwater']);
  const coded = (type: string): TenantDocument => ({
    ...city,
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'code', type },
    ],
    title: '{code}',
  });
  await publish(made, 'small', [shop(place('text', { was: 'place' })), coded('text')]);
  await made.sql(await made.person(), `update $custom_cities set code = '1,200' where id = '${BRIGHTWATER}'`);
  await made.sql(await made.person(), `update $custom_cities set code = null where id = '${EMBER}'`);
  await made.sql(await made.person(), `update $custom_shops set place = '1,200'`);
  await publish(made, 'small', [shop(REFERENCE), coded('integer')]);
  expect(await places(made)).toEqual([BRIGHTWATER]);
});

test.each([
  ['any_reference', { to: ['city'] }],
  ['links', { to: 'city' }],
])('text does not become %s nor %s text, and the refusal says why', async (type, more) => {
  const made = await town('small', TEXT, ['Brightwater']);
  const { errors } = await refusal(become(made, 'small', place(type, more)));
  expect(errors).toMatchObject([{ code: 'type_change', pointer: '/fields/1' }]);
  expect(errors[0]?.message).toBe(
    `Field Place of Shop is text and cannot become ${type}: that is not kept in the record itself. Add another field and remove this one.`,
  );
  expect(await places(made)).toEqual(['Brightwater']);
  await publish(made, 'small', [shop(), city]);
  await become(made, 'small', place(type, more));
  expect((await refusal(become(made, 'small', TEXT))).errors).toMatchObject([{ code: 'type_change' }]);
});

const many = (length: number, value: (at: number) => string) => Array.from({ length }, (_, at) => value(at));

/** Until the publish waits for whoever reads the shops: everything is made ready by then. */
async function waiting({ tenant }: Organisation): Promise<void> {
  const look = async () =>
    (
      await superuser.query(
        `select from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = $1::regclass
         and database = (select oid from pg_database where datname = current_database())`,
        [`"${tenant.names.schema}".custom_shops`],
      )
    ).rowCount;
  await expect.poll(look, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
}

test.each(['converted', 'published'])(
  'a record that is deleted for good while a large table is %s leaves no reference to it',
  async (when) => {
    const made = await town(
      'large',
      TEXT,
      many(6000, (at) => (at % 2 ? 'BW' : '8')),
    );
    const { publishing, goOn } = await halfWay(postgres, made, 'custom_shops', () =>
      refusal(become(made, 'large', REFERENCE)),
    );
    const reader = new pg.Client({ ...postgres.address, ...postgres.admin });
    await reader.connect();
    // The publish waits for it, the conversion does not.
    await reader.query(`begin; select from "${made.tenant.names.schema}".custom_shops limit 1`);
    if (when === 'converted') await destroy(made, EMBER);
    await goOn();
    await waiting(made);
    if (when === 'published') await destroy(made, EMBER);
    await reader.query('commit');
    await reader.end();
    expect((await publishing).errors).toMatchObject([
      { code: 'values_not_convertible', params: { count: when === 'published' ? 3000 : expect.any(Number) } },
    ]);
    expect(await leftovers(made)).toEqual([]);
  },
);

test('killed in the middle it goes on, and does not forget what was in the way', async () => {
  const made = await town(
    'large',
    TEXT,
    many(6000, (at) => (at < 5990 ? 'BW' : 'Nowhere')),
  );
  const [{ id } = { id: '' }] = (
    await superuser.query<{ id: string }>(
      `select id from "${made.tenant.names.schema}".custom_shops order by id limit 1`,
    )
  ).rows;
  await made.sql(await made.person(), `update $custom_shops set place = 'Nowhere' where id = $1`, [id]);
  const killed = async (field: Json) => {
    const { backend, publishing, goOn } = await halfWay(postgres, made, 'custom_shops', () =>
      become(made, 'large', field).then(
        () => 'lived',
        () => 'died',
      ),
    );
    await kill(postgres, backend);
    expect(await publishing).toBe('died');
    await goOn();
  };
  await killed(REFERENCE);
  expect((await refusal(become(made, 'large', REFERENCE))).errors).toMatchObject([{ params: { count: 11 } }]);
  await made.sql(await made.person(), `update $custom_shops set place = 'PE' where place = 'Nowhere'`);
  await made.sql(await made.person(), `update $custom_cities set name = 'Peridot' where name = 'PE'`);
  // Begun as something else, nothing of that is taken for it.
  await killed(
    place('choice', {
      choices: [
        { key: 'bw', label: 'BW' },
        { key: 'pe', label: 'PE' },
      ],
    }),
  );
  await killed(REFERENCE);
  await become(made, 'large', REFERENCE);
  const { rows } = await superuser.query(
    `select place, count(*)::int as n from "${made.tenant.names.schema}".custom_shops group by 1 order by 1`,
  );
  expect(rows).toEqual([
    { place: BRIGHTWATER, n: 5989 },
    { place: EMBER, n: 11 },
  ]);
});
