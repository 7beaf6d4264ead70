/**
 * What the catalogue of an installation with two organisations says. Everything in it is either of a kind that is held
 * to the rules below or listed by name: what somebody adds and does not list fails.
 */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { TEMPLATE } from '../support/cluster.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
await makeTenant(app, 'bolt');

const look = async (sql: string, ...values: unknown[]): Promise<readonly Record<string, unknown>[]> =>
  (await database.superuser.query<Record<string, unknown>>(sql, values)).rows;
const names = async (sql: string, ...values: unknown[]): Promise<readonly string[]> =>
  (await look(sql, ...values)).map(({ name }) => String(name));

/** Functions that run with their owner's rights, by name. */
const DEFINERS: readonly string[] = [
  'armature.add_business_time',
  'armature.business_time',
  'armature.draw_number',
  'armature.file_of',
  'armature.fiscal_year_start',
  'armature.flag_on',
  'armature.in_business_hours',
  'armature.is_administrator',
  'armature.keep_metadata_event',
  'armature.outbox_horizon',
  'armature.tell_switch',
  'armature.tenant_id',
  'bullmq.enqueue',
  'public.armature_fingerprint',
];
/** Those that are made for every entity: the one after each statement, the commands, the search of a role. */
const MADE =
  /^t_\w+\.((reach|after)_shares|standing_(owner|user)|minutes_f_[0-9a-f]{12}|fill_f_[0-9a-f]{12}_\d_\w+|(after|assign|merge|purge|similar)_e_[0-9a-f]{12}|search_e_[0-9a-f]{12}_\w+)$/;
/** Platform tables that no tenant's role reaches, so that no policy is needed to keep tenants apart. */
const UNREACHED: readonly string[] = [];

const OURS = `n.nspname !~ '^(pg_|information_schema$)'`;
const TENANTS = `n.nspname in ('t_acme', 't_bolt')`;

test('there are no schemas, views or foreign tables but those that are known', async () => {
  expect(await names(`select nspname as name from pg_namespace n where ${OURS} order by 1`)).toEqual([
    'armature',
    'bullmq',
    'public',
    't_acme',
    't_bolt',
  ]);
  expect(
    await names(
      `select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${OURS} and c.relkind not in ('r', 'p', 'i', 'I', 'S', 't', 'c')`,
    ),
  ).toEqual([]);
});

test('every table of an organisation enables and forces policies, and no write goes unchecked', async () => {
  expect(
    await names(
      `select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${TENANTS} and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
    ),
  ).toEqual([]);
  // A partition is reached through its table; by itself nobody is granted it.
  expect(
    await names(
      `select format('%s.%s: %s', schemaname, tablename, policyname) as name from pg_policies n
       where schemaname in ('t_acme', 't_bolt') and (permissive <> 'PERMISSIVE'
         or cmd in ('SELECT', 'DELETE', 'UPDATE', 'ALL') and qual is null
         or cmd in ('INSERT', 'UPDATE', 'ALL') and with_check is null)`,
    ),
  ).toEqual([]);
});

test('every platform table enables policies or is out of reach of the roles of organisations', async () => {
  expect(
    await names(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'armature' and c.relkind in ('r', 'p') and not c.relrowsecurity order by 1`,
    ),
  ).toEqual(UNREACHED);
  expect(
    await names(
      `select format('%s %s', c.relname, x.privilege_type) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       cross join lateral aclexplode(c.relacl) x where n.nspname = 'armature' and c.relname = any($1)
         and x.grantee::regrole::text ~ 'tenant|__'`,
      UNREACHED,
    ),
  ).toEqual([]);
});

test('nothing is granted to everybody, and nothing that policies do not hold', async () => {
  expect(
    await names(
      `select format('%s.%s %s', n.nspname, c.relname, x.privilege_type) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       cross join lateral aclexplode(c.relacl) x where ${OURS} and x.grantee = 0
       union all select format('%s.%s %s', n.nspname, p.proname, x.privilege_type) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
       where ${OURS} and x.grantee = 0 and has_schema_privilege('armature_tenant', n.oid, 'USAGE') and p.proname <> 'armature_fingerprint'
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
       union all select format('%s %s', n.nspname, x.privilege_type) from pg_namespace n
       cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x where ${OURS} and x.grantee = 0 and n.nspname <> 'public'
       union all select format('database %s', x.privilege_type) from pg_database b cross join lateral aclexplode(b.datacl) x
       where b.datname = $1 and x.grantee = 0 and x.privilege_type <> 'CONNECT'`,
      TEMPLATE,
    ),
  ).toEqual([]);
  expect(
    await names(
      `select format('%s.%s %s to %s', n.nspname, c.relname, x.privilege_type, x.grantee::regrole) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) x
       where ${OURS} and x.grantee <> c.relowner and x.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')`,
    ),
  ).toEqual([]);
});

test('roles that requests act with are no superusers, pass no policy by and own nothing', async () => {
  const roles = await look(
    `select rolname as name, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles
     where rolname in ('armature_app', 'armature_jobs', 'armature_gate', 'armature_tenant', 'armature_owner') or rolname like $1`,
    `${database.rolePrefix}\\_%`,
  );
  expect(roles.length).toBeGreaterThan(12);
  for (const role of roles) {
    const most = { rolsuper: false, rolbypassrls: false, rolcreatedb: false, rolreplication: false };
    expect(role, String(role['name'])).toMatchObject(most);
    if (role['name'] !== 'armature_owner') expect(role['rolcreaterole'], String(role['name'])).toBe(false);
  }
  expect(
    await names(
      `select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${OURS} and c.relkind in ('r', 'p') and c.relowner::regrole::text !~ '^armature_(owner|jobs)$'`,
    ),
  ).toEqual([]);
});

test('functions with their owner’s rights are listed, belong to nobody mighty, and look up no names of others', async () => {
  const found = await look(
    `select format('%s.%s', n.nspname, p.proname) as name, p.proconfig as config, p.proowner::regrole::text as owner
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${OURS} and p.prosecdef order by 1`,
  );
  const rest = found.filter(({ name }) => !MADE.test(String(name)));
  expect(rest.map(({ name }) => name)).toEqual(DEFINERS);
  for (const one of found) {
    expect(one['owner'], String(one['name'])).toBe('armature_owner');
    expect(String(one['config']), String(one['name'])).toMatch(/search_path=(pg_catalog|bullmq), pg_temp/);
  }
});
