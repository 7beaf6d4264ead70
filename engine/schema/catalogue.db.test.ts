/** What the catalogue says after an organisation with a real pack was made: nothing is left to good behaviour. */
import { beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);
let acme: Organisation;

beforeAll(async () => {
  acme = await lab.organisation('acme', { packs: ['crm'] });
});

const look = async (sql: string, ...values: unknown[]) => (await postgres.superuser.query(sql, values)).rows;

const BESIDE = ['shares', 'merges'];
/** What acts as the owner: the keeping of outbox and history, and what asks for the caller's rights itself. */
const DEFINER = /^(after|assign|merge|fill|minutes|purge|reach|search|similar|standing)_/;

describe('the schema of a new organisation', () => {
  test('has a table for each entity and a history for each that keeps one', async () => {
    const { model } = await lab.models.get('acme');
    const tables = await look(`select tablename from pg_tables where schemaname = 't_acme'`);
    const expected = [...model.entities.values()].flatMap((entity) => [
      entity.table,
      ...(entity.history ? [`h_${entity.table}`] : []),
    ]);
    // Beside them what belongs to records of every entity.
    expect(new Set(tables.map((row) => row.tablename))).toEqual(new Set([...expected, ...BESIDE]));
    expect(expected.length).toBeGreaterThan(8);
  });

  test('forces row security on every table, and every table has policies', async () => {
    expect(
      await look(`select relname from pg_class where relnamespace = 't_acme'::regnamespace and relkind in ('r', 'p')
      and not (relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = pg_class.oid))`),
    ).toEqual([]);
  });

  test('has one permissive policy for each role and command', async () => {
    expect(
      await look(
        `select tablename, policyname from pg_policies where schemaname = 't_acme' and (permissive <> 'PERMISSIVE' or cardinality(roles) <> 1 or 'public' = any(roles))`,
      ),
    ).toEqual([]);
    expect(
      await look(
        `select tablename, roles, cmd from pg_policies where schemaname = 't_acme' group by 1, 2, 3 having count(*) > 1`,
      ),
    ).toEqual([]);
  });

  test('grants nothing to everybody, to the login role or to anybody of another tenant', async () => {
    const grantees = await look(`
      select distinct acl.grantee::regrole::text as role from pg_class c cross join lateral aclexplode(c.relacl) acl where c.relnamespace = 't_acme'::regnamespace
      union select distinct acl.grantee::regrole::text from pg_attribute a join pg_class c on c.oid = a.attrelid cross join lateral aclexplode(a.attacl) acl where c.relnamespace = 't_acme'::regnamespace
      union select distinct acl.grantee::regrole::text from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl where p.pronamespace = 't_acme'::regnamespace
      union select distinct acl.grantee::regrole::text from pg_namespace n cross join lateral aclexplode(n.nspacl) acl where n.nspname = 't_acme'`);
    const allowed = new RegExp(`^(armature_owner|"?${postgres.rolePrefix}_acme__\\w+"?)$`);
    expect(grantees.map(({ role }) => role).filter((role) => !allowed.test(role))).toEqual([]);
    expect(grantees.length).toBeGreaterThan(3);
  });

  test('gives no role a write on a whole table, a system field, or more than rows', async () => {
    expect(
      await look(`select c.relname, acl.grantee::regrole, acl.privilege_type from pg_class c cross join lateral aclexplode(c.relacl) acl
      where c.relnamespace = 't_acme'::regnamespace and c.relkind = 'r' and acl.grantee <> 'armature_owner'::regrole and acl.privilege_type not in ('SELECT', 'DELETE')`),
    ).toEqual([]);
    expect(
      await look(`select a.attname, acl.grantee::regrole from pg_attribute a join pg_class c on c.oid = a.attrelid cross join lateral aclexplode(a.attacl) acl
      where c.relnamespace = 't_acme'::regnamespace and acl.privilege_type in ('INSERT', 'UPDATE')
        and (a.attname in ('version', 'created_at', 'created_by', 'updated_at', 'updated_by') or a.attname = 'id' and acl.privilege_type = 'UPDATE')`),
    ).toEqual([]);
    expect(
      await look(`select c.relname from pg_class c cross join lateral aclexplode(c.relacl) acl
      where c.relnamespace = 't_acme'::regnamespace and c.relname like 'h\\_%' and acl.grantee <> 'armature_owner'::regrole and acl.privilege_type <> 'SELECT'`),
    ).toEqual([]);
  });

  test('deletes rows only of entities without soft delete', async () => {
    const { model } = await lab.models.get('acme');
    const deletable =
      await look(`select distinct c.relname as table from pg_class c cross join lateral aclexplode(c.relacl) acl
      where c.relnamespace = 't_acme'::regnamespace and acl.grantee <> 'armature_owner'::regrole and acl.privilege_type = 'DELETE'`);
    const soft = new Set(
      [...model.entities.values()].filter((entity) => entity.softDelete).map((entity) => entity.table),
    );
    expect(deletable.filter(({ table }) => soft.has(table))).toEqual([]);
  });

  test('has functions with a pinned search path, definer ones owned by the owner', async () => {
    const functions = await look(
      `select proname, prosecdef, proconfig, proowner::regrole::text as owner from pg_proc where pronamespace = 't_acme'::regnamespace`,
    );
    expect(functions.length).toBeGreaterThan(10);
    for (const one of functions) {
      expect(one).toMatchObject({ proconfig: ['search_path=pg_catalog, pg_temp'], owner: 'armature_owner' });
      expect(one.prosecdef, one.proname).toBe(DEFINER.test(one.proname));
    }
  });

  test('indexes every reference and every column a policy compares', async () => {
    expect(
      await look(`
      select k.conrelid::regclass, k.conname from pg_constraint k where k.connamespace = 't_acme'::regnamespace and k.contype = 'f'
        and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1])`),
    ).toEqual([]);
  });

  test('has roles that cannot log in, act only through the login role, and know their tenant', async () => {
    const roles = await look(
      `select rolname, rolcanlogin, rolbypassrls, rolsuper, rolcreaterole from pg_roles where rolname like $1`,
      `${postgres.rolePrefix}\\_acme\\_\\_%`,
    );
    expect(roles.length).toBeGreaterThan(3);
    for (const role of roles)
      expect(role).toMatchObject({ rolcanlogin: false, rolbypassrls: false, rolsuper: false, rolcreaterole: false });
    const listed = await look('select name from armature.database_role');
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(roles.map(({ rolname }) => rolname)));
    expect(await acme.sql(await acme.person('administrator'), 'select armature.tenant_id()')).toEqual([
      [acme.tenant.id],
    ]);
    expect(
      await look(
        `select m.member::regrole, m.roleid::regrole from pg_auth_members m where m.member = 'armature_app'::regrole and m.inherit_option`,
      ),
    ).toEqual([]);
  });
});

describe('two organisations', () => {
  test('do not reach each other', async () => {
    const other = await lab.organisation('other', { packs: ['crm'] });
    const stranger = await other.person('administrator');
    await expect(acme.sql(stranger, 'select * from $core_users')).rejects.toThrow('permission denied');
    expect(Number((await other.sql(stranger, 'select count(*) from $core_users'))[0]?.[0])).toBe(1);
  });
});
