/** Validation rules: held by Postgres whoever writes, told in words, and the same before sending as behind it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import type { Principal } from '#engine/identity/principal.ts';
import { rightsOf } from '#engine/model/rights.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);
let yard: Organisation;
let scope: Scope;
let writer: Writer;

type Json = Readonly<Record<string, unknown>>;
const rule = (key: string, more: Json): TenantDocument => ({
  kind: 'rule',
  key,
  entity: 'boat',
  message: `Rule ${key}.`,
  ...more,
});
const base: readonly TenantDocument[] = [
  { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
  ...['boat', 'dock'].map((entity) => ({
    kind: 'permission',
    role: 'keeper',
    entity,
    actions: ['create', 'read', 'update', 'delete'],
  })),
  {
    kind: 'entity',
    key: 'dock',
    plural: 'docks',
    label: 'Dock',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'limit', type: 'integer' },
    ],
  },
  {
    kind: 'entity',
    key: 'boat',
    plural: 'boats',
    label: 'Boat',
    softDelete: true,
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'length', type: 'integer' },
      { key: 'width', type: 'integer' },
      { key: 'area', type: 'formula', returns: 'integer', expr: 'length * width' },
      { key: 'dock', type: 'reference', to: 'dock' },
      { key: 'reason', type: 'text' },
    ],
  },
];
const rules: readonly TenantDocument[] = [
  rule('long_needs_reason', { when: { length: { gt: 20 } }, fields: ['reason'] }),
  rule('no_ghost', { require: { name: { ne: 'Ghost' } }, field: 'name', severity: 'warning' }),
  rule('not_too_large', { require: { area: { lte: 500 } }, when: { area: { null: false } } }),
  rule('fits_dock', { when: { dock: { null: false } }, require: { dock: { limit: { gte: 10 } } }, field: 'dock' }),
  rule('behind_flag', { require: { name: { ne: 'Flagged' } }, flag: 'strict', field: 'name' }),
  rule('asleep', { require: { name: { eq: 'never' } }, active: false }),
  { kind: 'flag', key: 'strict', label: 'Strict names' },
];

async function scopeOf(): Promise<Scope> {
  const session = await yard.person('keeper');
  const { tenant, model } = await lab.models.get(yard.tenant.key);
  const principal: Principal = {
    tenant: tenant.key,
    userId: session.userId,
    name: 'k',
    email: null,
    roles: ['keeper'],
    dbRole: session.role,
    team: null,
    teams: [],
    teamMembers: [],
    attributes: {},
    locale: 'en',
    timeZone: 'UTC',
  };
  return { tenant, model, principal, rights: rightsOf(model, ['keeper']), predicates: true };
}

beforeAll(async () => {
  yard = await lab.organisation('yard', { documents: [...base, ...rules] });
  writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
  scope = await scopeOf();
});

const entity = (key = 'boat') => {
  const found = scope.model.entities.get(`custom.${key}`);
  if (!found) throw new Error(key);
  return found;
};
const refusal = async (work: Promise<unknown>): Promise<Problem> => {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
  return error;
};
const create = (body: unknown) => writer.create(scope, entity(), body);

describe('a rule', () => {
  test('refuses a new record in its own words, at its field', async () => {
    expect(await refusal(create({ name: 'A', length: 21 }))).toMatchObject({
      code: 'invalid',
      errors: [
        {
          code: 'rule',
          message: 'Rule long_needs_reason.',
          pointer: '/reason',
          params: { rule: 'custom.long_needs_reason' },
        },
      ],
    });
    expect((await create({ name: 'A', length: 21, reason: 'x' })).status).toBe(201);
  });

  test('is told for every record of a list, with its place', async () => {
    const problem = await refusal(create([{ name: 'A' }, { name: 'B', length: 30 }, { name: 'C', length: 31 }]));
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(['/1/reason', '/2/reason']);
    // What only the database can see names the first record that it meets.
    const computed = await refusal(create([{ name: 'A' }, { name: 'B', length: 20, width: 30 }]));
    expect(computed.errors).toMatchObject([{ code: 'rule', pointer: '/1', message: 'Rule not_too_large.' }]);
  });

  test('holds for changes, over formulas and over references', async () => {
    const { id = '' } = await create({ name: 'A', length: 20, width: 20 });
    expect((await refusal(writer.update(scope, entity(), id, { width: 26 }))).errors).toMatchObject([
      { message: 'Rule not_too_large.', pointer: '' },
    ]);
    const small = await writer.create(scope, entity('dock'), { name: 'Small', limit: 5 });
    expect((await refusal(writer.update(scope, entity(), id, { dock: small.id }))).errors).toMatchObject([
      { message: 'Rule fits_dock.', pointer: '/dock' },
    ]);
    expect((await writer.update(scope, entity(), id, { width: 25 })).status).toBe(200);
  });

  test('is held by Postgres when nothing was looked at before', async () => {
    await expect(
      yard.sql(
        { ...(await yard.person('keeper')) },
        `insert into $custom_boats (id, name, length) values (gen_random_uuid(), 'A', 21)`,
      ),
    ).rejects.toMatchObject({ code: 'AR003' });
  });

  test('that warns stores the record and says so beside it', async () => {
    const made = await create({ name: 'Ghost' });
    expect(JSON.parse(made.body ?? '')).toMatchObject({
      data: { name: 'Ghost' },
      warnings: [{ code: 'rule', message: 'Rule no_ghost.', pointer: '/name', record: made.id }],
    });
    const many = await create([{ name: 'A' }, { name: 'Ghost' }]);
    expect(JSON.parse(many.body ?? '').warnings).toMatchObject([{ pointer: '/1/name' }]);
    expect(JSON.parse((await create({ name: 'Seen' })).body ?? '').warnings).toBeUndefined();
  });

  test('behind a flag holds from the moment the flag is switched on', async () => {
    expect((await create({ name: 'Flagged' })).status).toBe(201);
    await postgres.superuser.query(
      `insert into armature.flag_switch (tenant_id, flag, "on") values ($1, 'custom.strict', true)`,
      [yard.tenant.id],
    );
    expect((await refusal(create({ name: 'Flagged' }))).errors).toMatchObject([{ message: 'Rule behind_flag.' }]);
  });

  test('does not keep anybody from deleting', async () => {
    const { id = '' } = await create({ name: 'Old', length: 10 });
    await postgres.superuser.query(`alter table ${yard.tenant.names.schema}.custom_boats disable trigger all`);
    await postgres.superuser.query(`update ${yard.tenant.names.schema}.custom_boats set length = 99 where id = $1`, [
      id,
    ]);
    await postgres.superuser.query(`alter table ${yard.tenant.names.schema}.custom_boats enable trigger all`);
    expect((await refusal(writer.update(scope, entity(), id, { name: 'New' }))).code).toBe('invalid');
    expect((await writer.remove(scope, entity(), id)).status).toBe(204);
  });

  test('that comes later leaves old records alone, and the plan counts them', async () => {
    const old = await lab.organisation('old', { documents: base });
    const person = await old.person('keeper');
    for (const name of ['A', 'B', 'C']) await old.insert(person, 'custom_boats', { name });
    const later = [...base, rule('wide', { fields: ['width'] }), rule('new_field', { fields: ['colour'] })].map(
      (document) =>
        document['key'] === 'boat'
          ? { ...document, fields: [...Object(document['fields']), { key: 'colour', type: 'text' }] }
          : document,
    );
    const told = [
      '3 records of Boat do not keep “Wide”. They stay as they are, and have to be put right when they are changed next.',
      '3 records of Boat do not keep “New field”. They stay as they are, and have to be put right when they are changed next.',
    ];
    expect((await old.plan(later)).warnings).toEqual(told);
    expect((await old.publish(later)).plan.warnings).toEqual(told);
    expect((await old.plan(later)).warnings).toEqual([]);
    await expect(old.insert(person, 'custom_boats', { name: 'D' })).rejects.toMatchObject({ code: 'AR003' });
    expect((await old.sql(person, 'select count(*) from $custom_boats'))[0]).toEqual(['3']);
  });
});
