/** Tables, records and a user for the tests that hold the evaluator and Postgres against each other. */
import fc from 'fast-check';
import type pg from 'pg';
import { literal, quote } from '#engine/db/identifiers.ts';
import type { BusinessHours } from '#engine/model/tenant.ts';
import { SQL_TYPE, type Value } from '#engine/model/value-type.ts';
import type { EvaluationContext, PlainRecord } from '../evaluate.ts';
import { inlineValue, SHARED_RECORDS } from '../to-sql.ts';
import { IDS, texts, VALUES, valueOf } from './arbitraries.ts';
import { ENTITIES } from './entities.ts';
import { STORED, storedSetting } from './settings.ts';

export const SCHEMA = '"t_lab"';
export const HOURS: BusinessHours = { timeZone: 'America/New_York', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' };
export const FISCAL_YEAR_START = 4;
const TENANT = '0197a000-0000-7000-8000-0000000000aa';

export interface User {
  readonly id: string | null;
  readonly team: string | null;
  readonly teams: readonly string[];
  readonly roles: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeZone: string;
  readonly now: number;
}

/** Every user is given some of the things, to read or to write. */
const SHARES = Array.from({ length: 40 }, (_, index) => ({
  user: IDS[index % IDS.length] ?? '',
  record: `0197a000-0000-7000-8000-0000000001${String((index * 7) % 60).padStart(2, '0')}`,
  level: index % 3 === 0 ? 'write' : 'read',
}));

/** Records of every entity by qualified name, as Postgres prints them. */
export type World = ReadonlyMap<string, ReadonlyMap<string, PlainRecord>>;

export const user: fc.Arbitrary<User> = fc.record({
  id: fc.option(fc.constantFrom(...IDS), { freq: 4 }),
  team: fc.option(fc.constantFrom(...IDS), { freq: 4 }),
  teams: fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 3 }),
  roles: texts,
  attributes: fc.oneof(
    VALUES.text.map((department) => ({ department, email: 'a@example.com' })),
    fc.constant<Record<string, string>>({}),
  ),
  timeZone: fc.constantFrom('UTC', 'Pacific/Auckland', 'America/Los_Angeles'),
  now: fc.integer({ min: Date.UTC(2026, 0, 29), max: Date.UTC(2026, 1, 3) }),
});

const thingId = (index: number): string => `0197a000-0000-7000-8000-000000000${100 + index}`;

/** Creates the tables and a role that may read them, and fills them with generated records. */
export async function buildWorld(client: pg.Client, role: string, seed: number): Promise<World> {
  await client.query(`
    create role ${quote(role)} nologin in role armature_tenant;
    create schema ${SCHEMA};
    grant usage on schema ${SCHEMA} to ${quote(role)};
    insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours, fiscal_year_start)
      values (${literal(TENANT)}, 'lab', 'Lab', 'DE', 'EUR', 'UTC', 'en', ${literal(JSON.stringify(HOURS))}, ${FISCAL_YEAR_START});
    insert into armature.database_role values (${literal(role)}, ${literal(TENANT)}, '{}');
  `);
  await client.query(`
    create function ${SCHEMA}.${quote(SHARED_RECORDS)}(entity text, level text) returns setof uuid language sql stable
      as $$ select u.record::uuid from (values ${SHARES.map(({ user, record, level }) => `(${literal(user)}, ${literal(record)}, ${literal(level)})`).join(', ')}) as u("user", record, level)
            where u."user"::uuid = armature.user_id() and entity = 'e_thing' and ($2 = 'read' or u.level = 'write') $$`);
  const settings = STORED.map(
    ([name, user, json]) =>
      `(${literal(TENANT)}, ${literal(name)}, ${user === null ? 'null' : literal(user)}, ${literal(json)})`,
  );
  await client.query(
    `insert into armature.setting_value (tenant_id, setting, user_id, value) values ${settings.join(', ')}`,
  );
  const world = new Map<string, Map<string, PlainRecord>>();
  for (const entity of ENTITIES.values()) {
    const fields = [...entity.fields.values()].filter((field) => field.column !== null && field.key !== 'id');
    const columns = fields.map((field) => ({
      key: field.key,
      type: field.type.valueType ?? 'text',
      to: field.reference,
    }));
    const table = `${SCHEMA}.${quote(entity.table)}`;
    await client.query(`
      create table ${table} (id uuid primary key, ${columns.map(({ key, type }) => `${quote(key)} ${SQL_TYPE[type]}`).join(', ')});
      grant select on ${table} to ${quote(role)};
      alter table ${table} enable row level security;
    `);
    if (entity.name !== 'lab.thing')
      await client.query(`create policy all_rows on ${table} to ${quote(role)} using (true)`);
    const row = fc.tuple(...columns.map(({ type }) => fc.option(valueOf(type), { freq: 4 })));
    const things = entity.name === 'lab.thing';
    const items = entity.name === 'lab.item';
    const rows = fc.sample(row, { seed, numRuns: things || items ? 60 : IDS.length });
    const values = rows.map((generated, index) => {
      // Items belong to things.
      const cells = items ? [index % 9 === 0 ? null : thingId(index % 25), ...generated.slice(1)] : generated;
      const id = items ? thingId(index + 100) : things ? thingId(index) : (IDS[index] ?? '');
      const written = cells.map((cell: Value, column) => inlineValue(cell, SQL_TYPE[columns[column]?.type ?? 'text']));
      return `(${[literal(id), ...written].join(', ')})`;
    });
    await client.query(`insert into ${table} values ${values.join(', ')}`);
    world.set(entity.name, await readBack(client, table, columns));
  }
  return world;
}

/** Decimals leave as text, as they do in the product; date-times in one of the two ways Postgres prints them. */
async function readBack(
  client: pg.Client,
  table: string,
  columns: readonly { readonly key: string; readonly type: string }[],
): Promise<Map<string, PlainRecord>> {
  const written = columns
    .filter(({ type }) => type === 'decimal' || type === 'datetime')
    .map(
      ({ key, type }) =>
        `${literal(key)}, ${type === 'datetime' && table.length % 2 === 0 ? quote(key) : `${quote(key)}::text`}`,
    );
  const { rows } = await client.query<{ id: string; json: string }>(
    `select id, (to_jsonb(x) || jsonb_build_object(${written.join(', ')}))::text json from ${table} x`,
  );
  return new Map(rows.map((row) => [row.id, JSON.parse(row.json) as PlainRecord]));
}

/** Sets the session to the user, for `armature.user_id()` and its like. */
export async function actAs(client: pg.Client, acting: User): Promise<void> {
  const settings: Record<string, string> = {
    'armature.user_id': acting.id ?? '',
    'armature.team': acting.team ?? '',
    'armature.teams': `{${acting.teams.join(',')}}`,
    'armature.roles': `{${acting.roles.map((role) => JSON.stringify(role).replaceAll('\\n', '\n')).join(',')}}`,
    'armature.attributes': JSON.stringify(acting.attributes),
    'armature.time_zone': acting.timeZone,
    'armature.now': new Date(acting.now).toISOString(),
  };
  for (const [name, value] of Object.entries(settings))
    await client.query('select set_config($1, $2, false)', [name, value]);
}

export function attributeOf(acting: User, world: World): (attribute: string) => Value {
  const members = [...(world.get('core.user')?.values() ?? [])]
    .filter((each) => acting.teams.includes(String(each.team)))
    .map((each) => String(each.id));
  return (attribute) => {
    if (attribute === 'id') return acting.id;
    if (attribute === 'team') return acting.team;
    if (attribute === 'teams') return acting.teams;
    if (attribute === 'team_members') return members;
    if (attribute === 'roles') return acting.roles;
    return acting.attributes[attribute] ?? null;
  };
}

export function contextOf(acting: User, world: World): EvaluationContext {
  return {
    user: attributeOf(acting, world),
    now: acting.now,
    timeZone: acting.timeZone,
    businessHours: HOURS,
    fiscalYearStart: FISCAL_YEAR_START,
    follow: (entity, id) => world.get(entity)?.get(id) ?? null,
    many: ({ entity, by }, id) => [...(world.get(entity)?.values() ?? [])].filter((each) => each[by ?? ''] === id),
    setting: storedSetting(acting.id),
    shared: (entity, id, level) =>
      SHARES.some(
        (share) =>
          entity === 'e_thing' &&
          share.user === acting.id &&
          share.record === id &&
          (level === 'read' || share.level === 'write'),
      ),
  };
}
