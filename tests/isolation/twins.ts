/** Two worlds from one: copies of a database, with the application on each of them. */
import { fixedClock } from '#engine/clock.ts';
import { qualified } from '#engine/db/identifiers.ts';
import { contextOf } from '#engine/schema/context.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { client } from '../support/http.ts';
import { cloneDatabase, type TestDatabase, testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { type Difference, makeDifferent } from './differences.ts';
import { enrich } from './enrich.ts';
import type { Expectation } from './expectation.ts';
import { MOMENT, seededIds } from './seeded.ts';
import { buildWorld, expectationOf, TENANTS, type World, type WorldPerson } from './world.ts';

export interface Origin {
  readonly database: TestDatabase;
  readonly world: World;
  readonly expectation: Expectation;
}

export interface Twin {
  readonly app: TestApp;
  readonly database: TestDatabase;
}

export interface Twins {
  readonly left: Twin;
  readonly right: Twin;
  /** Makes the right one like the left one, and then different in what this person may not see. */
  separate(person: WorldPerson): Promise<Difference>;
}

/** The world that the copies are made of. Nobody is connected to it afterwards. */
export async function makeOrigin(): Promise<Origin> {
  const database = await testDatabase();
  const app = await testApp(database, { clock: fixedClock(MOMENT), ids: seededIds(1) });
  const world = await buildWorld(app, (tenant) => makeTenant(app, tenant), true);
  await enrich(app, world);
  // A combination of roles gets its database role at the first sign-in, and the copies share their cluster.
  for (const person of world.people) await client(app.url, person.token).get('/api/session');
  await app.close();
  return { database, world, expectation: expectationOf(world.model) };
}

/** Call it at the top of a test file. */
export async function makeTwins({ database, world, expectation }: Origin): Promise<Twins> {
  const open = async (): Promise<Twin> => {
    const copy = await cloneDatabase(database);
    const given = { clock: fixedClock(MOMENT + 86_400_000), ids: seededIds(2), url: 'http://twins.example' };
    return { database: copy, app: await testApp(copy, given) };
  };
  const [left, right] = [await open(), await open()];
  return {
    left,
    right,
    separate: async (person) => {
      const { superuser } = right.database;
      // What the one before shared would show the next one records that nothing else shows them.
      for (const tenant of TENANTS)
        await left.database.superuser.query(`delete from ${qualified(`t_${tenant}`, 'shares')}`);
      await superuser.query('begin');
      await superuser.query('set local session_replication_role = replica');
      for (const table of await tablesOf(left.database)) await copyTable(left.database, right.database, table);
      const total = { changed: 0, added: 0, removed: 0 };
      for (const tenant of TENANTS) {
        const { tenant: of } = await right.app.app.services.models.get(tenant);
        const context = contextOf(of, world.modelOf(tenant));
        const made = await makeDifferent(superuser, context, person, expectation);
        total.changed += made.changed;
        total.added += made.added;
        total.removed += made.removed;
      }
      await superuser.query('commit');
      return total;
    },
  };
}

async function copyTable(from: TestDatabase, to: TestDatabase, table: string): Promise<void> {
  const { rows } = await from.superuser.query<{ rows: unknown }>(
    `select coalesce(jsonb_agg(to_jsonb(x)), '[]') as rows from ${table} x`,
  );
  const { rows: columns } = await to.superuser.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  const names = columns.map(({ name }) => name).join();
  await to.superuser.query(`delete from ${table}`);
  await to.superuser.query(
    `insert into ${table} (${names}) overriding system value
     select ${names} from jsonb_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows[0]?.rows)],
  );
}

/** Tables of both organisations, quoted; partitions are reached through what they are partitions of. */
async function tablesOf({ superuser }: TestDatabase): Promise<readonly string[]> {
  const { rows } = await superuser.query<{ table: string }>(
    `select format('%I.%I', n.nspname, c.relname) as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1) and c.relkind in ('r', 'p') and not c.relispartition`,
    [TENANTS.map((tenant) => `t_${tenant}`)],
  );
  return rows.map(({ table }) => table);
}

/** Of all tables of both organisations. */
export async function setRowSecurity(database: TestDatabase, on: boolean): Promise<void> {
  const change = on ? 'enable' : 'disable';
  const tables = await tablesOf(database);
  // Each by itself: whoever still reads several of them would wait for one while holding another.
  for (const table of tables) await database.superuser.query(`alter table ${table} ${change} row level security`);
}
