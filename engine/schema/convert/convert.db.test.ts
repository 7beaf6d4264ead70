/** A field gets another type: what converts, what is in the way, and that nothing is lost on the way there and back. */
import { describe, expect, test, vi } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { TenantDocument } from '../source.ts';
import { halfWay, kill } from '../testing/half-way.ts';
import type { OnFails } from './conversions.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 180_000 });
const postgres = await testDatabase();
const { superuser } = postgres;
/** In one transaction, and ahead of it. */
const labs = { small: schemaLab(postgres), large: schemaLab(postgres, { deferAbove: 10, patience: 120_000 }) };

type Json = Readonly<Record<string, unknown>>;
const keeper: TenantDocument = { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] };
const may: TenantDocument = {
  kind: 'permission',
  role: 'keeper',
  entity: 'plant',
  actions: ['create', 'read', 'update'],
  conditions: { name: 'n1' },
};
const plant = (...fields: readonly Json[]): readonly TenantDocument[] => [
  keeper,
  may,
  {
    kind: 'entity',
    key: 'plant',
    plural: 'plants',
    label: 'Plant',
    title: '{name}',
    history: true,
    fields: [{ key: 'name', type: 'text', required: true }, ...fields],
  },
];
const size = (type: string, more: Json = {}): Json => ({ key: 'size', type, label: 'Size', ...more });

let count = 0;
/** As many plants as there are values, called n1, n2, … in their order. */
async function garden(
  lab: 'small' | 'large',
  field: Json,
  values: readonly (string | null)[],
  cast = 'text',
): Promise<Organisation> {
  count += 1;
  const made = await labs[lab].organisation(`garden${count}`, { documents: plant(field) });
  await made.sql(
    await made.person(),
    `insert into $custom_plants (id, name, size) select gen_random_uuid(), 'n' || o, (v #>> '{}')::${cast} from jsonb_array_elements($1::jsonb) with ordinality a(v, o)`,
    [JSON.stringify(values)],
  );
  await superuser.query(`analyze "${made.tenant.names.schema}".custom_plants`);
  return made;
}

async function publish(made: Organisation, lab: 'small' | 'large', field: Json, onFail?: OnFails) {
  const input = { base: await made.release(), author: 'test', message: 'test', documents: plant(field), onFail };
  return labs[lab].publisher.publish(made.tenant.key, input);
}

const sizes = async (made: Organisation): Promise<readonly (string | null)[]> =>
  (await made.sql(await made.person(), 'select size::text from $custom_plants order by length(name), name')).map(
    ([value]) => value ?? null,
  );

describe.each(['small', 'large'] as const)('on a %s table', (lab) => {
  /** Enough rows to count as large. */
  const pad = (values: readonly (string | null)[]) => [...values, ...Array.from({ length: 12 }, () => null)];
  const unpad = (values: readonly (string | null)[]) => values.slice(0, -12);

  test('values become another type by the rules of an import, and come back with a rollback', async () => {
    const made = await garden(lab, size('text', { index: true }), pad(['12', ' 1,234 ', null, '7.0', '0']));
    const before = await made.sql(
      await made.person(),
      'select id, version, updated_at from $custom_plants order by id',
    );
    const plan = await made.plan(plant(size('integer', { index: true, min: 0 })));
    expect(plan.conversions).toEqual([
      { entity: 'custom.plant', field: 'size', from: 'text', to: 'integer', checked: 17, fails: 0, onFail: 'refuse' },
    ]);
    expect(plan.steps.find(({ kind }) => kind === 'change_type')).toMatchObject({
      title: 'Change the type of Size of Plant',
      reversible: true,
    });
    await publish(made, lab, size('integer', { index: true, min: 0 }));
    await labs[lab].runner.drain(made.tenant.key);
    expect(unpad(await sizes(made))).toEqual(['12', '1234', null, '7', '0']);
    // Nobody changed the records.
    expect(
      await made.sql(await made.person(), 'select id, version, updated_at from $custom_plants order by id'),
    ).toEqual(before);
    expect(await made.sql(await made.person(), 'select count(*) from $h_custom_plants')).toEqual([['0']]);
    // What people may do, and what the database checks, follows the field.
    const person = await made.person('keeper');
    expect(await made.sql(person, 'select size from $custom_plants')).toEqual([['12']]);
    await made.sql(person, `update $custom_plants set size = 13 where name = 'n1'`);
    await expect(made.sql(person, `update $custom_plants set size = -1 where name = 'n1'`)).rejects.toThrow('check');
    await made.rollback(2);
    await labs[lab].runner.drain(made.tenant.key);
    // As they were written, but for the one that was changed since.
    expect(unpad(await sizes(made))).toEqual(['13', ' 1,234 ', null, '7.0', '0']);
    await made.rollback(3);
    expect(unpad(await sizes(made))).toEqual(['13', '1234', null, '7', '0']);
  });

  test('what cannot become the new type refuses the release, and a plan shows some of it', async () => {
    const values = pad(['12', 'many', null, '7', 'few']);
    const made = await garden(lab, size('text'), values);
    const plan = await made.plan(plant(size('integer')));
    expect(plan.conversions).toMatchObject([
      {
        checked: 17,
        fails: 2,
        sample: expect.arrayContaining([
          { id: expect.any(String), title: 'n2', value: 'many', reason: '“many” is not a number.' },
        ]),
      },
    ]);
    const problem = await refusal(publish(made, lab, size('integer')));
    expect([problem.code, problem.errors]).toEqual([
      'invalid_document',
      [
        {
          code: 'values_not_convertible',
          message: '2 values of Size of Plant cannot become integer. A plan shows which.',
          params: { count: 2, from: 'text', to: 'integer' },
          document: 'custom/plant.entity.json',
          pointer: '/fields/1/type',
        },
      ],
    ]);
    expect(await sizes(made)).toEqual(values);
    const left = await superuser.query(
      `select attname from pg_attribute a join pg_class c on c.oid = a.attrelid where relnamespace = $1::regnamespace and attname like 'zz\\_%' and not attisdropped`,
      [made.tenant.names.schema],
    );
    expect(left.rows).toEqual([]);
    expect(await made.release()).toBe(2);
  });

  test('or is emptied where that was asked for, and what it was comes back with a rollback', async () => {
    const values = pad(['12', 'many', null, '7', 'few']);
    const made = await garden(lab, size('text'), values);
    await publish(made, lab, size('integer'), { 'custom.plant.size': 'null' });
    expect(unpad(await sizes(made))).toEqual(['12', null, null, '7', null]);
    await made.sql(await made.person(), `update $custom_plants set size = 3 where name = 'n5'`);
    await made.rollback(2);
    expect(unpad(await sizes(made))).toEqual(['12', 'many', null, '7', '3']);
    expect((await refusal(publish(made, lab, size('text'), { 'custom.plant.size': 'null' }))).errors[0]).toMatchObject({
      pointer: '/onFail/custom.plant.size',
    });
  });

  test('a required field needs a value for each record after it as well', async () => {
    const made = await garden(lab, size('text', { required: true }), ['1', ...Array.from({ length: 12 }, () => 'x')]);
    const required = size('integer', { required: true });
    const onFail = { 'custom.plant.size': 'null' } as const;
    const planned = labs[lab].publisher.plan(made.tenant.key, { documents: plant(required), onFail });
    for (const refused of [planned, publish(made, lab, required, onFail)])
      expect((await refusal(refused)).errors[0]).toMatchObject({ code: 'values_missing', params: { count: 12 } });
    await publish(made, lab, { ...required, default: 5 }, onFail);
    await labs[lab].runner.drain(made.tenant.key);
    expect((await sizes(made)).slice(0, 2)).toEqual(['1', '5']);
    await expect(
      made.sql(
        await made.person(),
        `insert into $custom_plants (id, name, size) values (gen_random_uuid(), 'x', null)`,
      ),
    ).rejects.toThrow('null value');
  });

  test('what is computed from the field, and conditions that look at it, follow it', async () => {
    const field = size('decimal', { scale: 2 });
    const double: Json = { key: 'double', type: 'formula', returns: 'decimal', scale: 2, expr: 'size * 2' };
    const guest: readonly TenantDocument[] = [
      { kind: 'role', key: 'guest', label: 'Guest' },
      {
        kind: 'permission',
        role: 'guest',
        entity: 'plant',
        actions: ['read'],
        condition: { fact: 'size', operator: 'greaterThan', value: 5 },
      },
    ];
    const made = await garden(lab, field, pad(['4', '6']), 'numeric');
    const withGuest = (one: Json, ...more: readonly Json[]) => [...plant(one, ...more), ...guest];
    const to = async (documents: readonly TenantDocument[]) =>
      labs[lab].publisher.publish(made.tenant.key, {
        base: await made.release(),
        author: 'test',
        message: 'test',
        documents,
      });
    await to([...plant(field, double)]);
    await to(withGuest(size('integer'), { ...double, expr: 'size * 2' }));
    const person = await made.person('guest');
    expect(await made.sql(person, 'select size, double from $custom_plants')).toEqual([['6', '12.00']]);
  });
});

const CASES: readonly (readonly [Json, string, Json, readonly string[], readonly (string | null)[]])[] = [
  [size('integer'), 'bigint', size('decimal', { scale: 1 }), ['5', '-3'], ['5.0', '-3.0']],
  [size('integer'), 'bigint', size('text'), ['5', '1000'], ['5', '1000']],
  [size('text'), 'text', size('decimal'), ['5', '1,234.50'], ['5.00', '1234.50']],
  [size('text'), 'text', size('date'), ['2026-01-31', '31.1.2026'], ['2026-01-31', '2026-01-31']],
  [size('text'), 'text', size('datetime'), ['2026-01-31 10:00'], ['2026-01-31 09:00:00+00']],
  [size('text'), 'text', size('boolean'), ['yes', 'Nein'], ['true', 'false']],
  [size('text'), 'text', size('email'), [' Ada@Example.test'], ['ada@example.test']],
  [size('text'), 'text', size('phone'), ['030 901820'], ['+4930901820']],
  [
    size('text'),
    'text',
    size('choice', {
      choices: [
        { key: 's', label: 'Small' },
        { key: 'l', label: 'Large' },
      ],
    }),
    ['small', 'l'],
    ['s', 'l'],
  ],
  [size('choice', { choices: [{ key: 's' }, { key: 'l' }] }), 'text', size('text'), ['s', 'l'], ['s', 'l']],
  [size('date'), 'date', size('datetime'), ['2026-01-31'], ['2026-01-30 23:00:00+00']],
  [size('datetime'), 'timestamptz', size('date'), ['2026-01-30T23:30:00Z'], ['2026-01-31']],
  [size('decimal'), 'numeric', size('money'), ['5.5'], ['5.50']],
  [size('text'), 'text', size('money'), ['5.5'], ['5.50']],
  [size('boolean'), 'boolean', size('text'), ['true'], ['true']],
  [size('text'), 'text', size('tags'), ['red, green'], ['{red,green}']],
];

test.each(CASES)('%j (%s) becomes %j', async (from, cast, to, values, expected) => {
  const made = await garden('small', from, values, cast);
  const original = await sizes(made);
  await publish(made, 'small', to);
  expect(await sizes(made)).toEqual(expected);
  await made.rollback(2);
  expect(await sizes(made)).toEqual(original);
});

test('an amount that names another currency is not taken for the organisation’s', async () => {
  const made = await garden('small', size('text'), ['USD 5', 'EUR 7']);
  const [found] = (await made.plan(plant(size('money')))).conversions ?? [];
  expect(found?.sample?.map(({ value, reason }) => [value, reason])).toEqual([
    ['USD 5', 'It says USD; the field would say EUR.'],
  ]);
});

test('what has no values to convert is refused as before', async () => {
  const made = await garden('small', size('text'), ['a']);
  expect((await refusal(publish(made, 'small', size('sequence', { prefix: 'S' })))).errors[0]).toMatchObject({
    code: 'type_change',
  });
});

test.each(['small', 'large'] as const)(
  'nothing becomes encrypted, nor anything else what was, on a %s table',
  async (lab) => {
    const made = await garden(
      lab,
      size('text'),
      Array.from({ length: 12 }, (_, at) => `secret ${at}`),
    );
    const refused = async (to: string) => (await refusal(publish(made, lab, size(to)))).errors[0];
    expect(await refused('encrypted')).toMatchObject({ code: 'type_change', pointer: '/fields/1' });
    expect(await sizes(made)).toContain('secret 1');
    await made.publish(plant());
    await publish(made, lab, size('encrypted'));
    expect(await refused('text')).toMatchObject({ code: 'type_change', pointer: '/fields/1' });
  },
);

test('a field that is removed and brought back by an earlier release has that release’s values and type', async () => {
  const made = await garden('small', size('text'), ['1', 'x']);
  await publish(made, 'small', size('integer'), { 'custom.plant.size': 'null' });
  await made.publish(plant());
  await made.rollback(2);
  expect(await sizes(made)).toEqual(['1', 'x']);
  await made.publish(plant());
  await made.rollback(3).catch(() => {});
  expect(await made.release()).toBe(6);
});

test('what is written while a large table is converted is converted as well', async () => {
  const made = await garden(
    'large',
    size('text'),
    Array.from({ length: 6000 }, (_, at) => `${at}`),
  );
  const person = await made.person('keeper');
  const { publishing, goOn } = await halfWay(postgres, made, 'custom_plants', () =>
    publish(made, 'large', size('integer')),
  );
  let running = true;
  let last = 0;
  const writing = (async () => {
    while (running) {
      last += 1;
      await made.sql(person, `update $custom_plants set size = '${100_000 + last}' where name = 'n1'`).catch(() => {
        last -= 1;
        running = false;
      });
    }
  })();
  await expect.poll(() => last).toBeGreaterThan(3);
  await goOn();
  await publishing;
  running = false;
  await writing;
  const values = await sizes(made);
  expect(values[0]).toBe(`${100_000 + last}`);
  expect(values.slice(1)).toEqual(Array.from({ length: 5999 }, (_, at) => `${at + 1}`));
  const step = (await labs.large.steps.list(made.tenant.key)).find(({ kind }) => kind === 'convert');
  expect(step?.state).toBe('done');
  // As many as there were before anybody wrote.
  expect(step?.total).toBe(6000);
});

test('a publish that dies while it converts ahead leaves nothing behind', async () => {
  const made = await garden(
    'large',
    size('text'),
    Array.from({ length: 3000 }, (_, at) => `${at}`),
  );
  const { backend, publishing, goOn } = await halfWay(postgres, made, 'custom_plants', () =>
    publish(made, 'large', size('integer')).then(
      () => 'lived',
      () => 'died',
    ),
  );
  await kill(postgres, backend);
  expect(await publishing).toBe('died');
  await goOn();
  expect(await labs.large.runner.drain(made.tenant.key)).toBe('done');
  expect((await labs.large.steps.list(made.tenant.key))[0]).toMatchObject({ kind: 'convert', state: 'failed' });
  const left = await superuser.query(
    `select attname from pg_attribute a join pg_class c on c.oid = a.attrelid where relnamespace = $1::regnamespace and attname like 'zz\\_%' and not attisdropped`,
    [made.tenant.names.schema],
  );
  expect(left.rows).toEqual([]);
  await publish(made, 'large', size('integer'));
  expect((await sizes(made)).length).toBe(3000);
});

test('what a publish takes is not cleared away behind its back', async () => {
  const made = await garden(
    'large',
    size('text'),
    Array.from({ length: 30 }, (_, at) => `${at}`),
  );
  await publish(made, 'large', size('integer'));
  // As it is after the conversion, while the publish is in its transaction: nobody holds the lock of conversions.
  const step = `armature.schema_step set state = $2 where tenant_id = $1 and kind = 'convert'`;
  await superuser.query(`update ${step}`, [made.tenant.id, 'running']);
  await superuser.query('begin');
  await superuser.query(`update ${step}`, [made.tenant.id, 'done']);
  await superuser.query(`lock table "${made.tenant.names.schema}".custom_plants`);
  const draining = labs.large.runner.drain(made.tenant.key);
  const waiting = async () => {
    // Sessions are looked at once in a transaction.
    await superuser.query('select pg_stat_clear_snapshot()');
    const { rowCount } = await superuser.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'armature step' and wait_event_type = 'Lock'`,
    );
    return rowCount;
  };
  await expect.poll(waiting).toBe(1);
  await superuser.query('commit');
  expect(await draining).toBe('done');
  const [told] = (await labs.large.steps.list(made.tenant.key)).filter(({ kind }) => kind === 'convert');
  expect(told).toMatchObject({ state: 'done', error: null });
});
