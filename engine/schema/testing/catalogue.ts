/** What Postgres says of a schema, as lists of text that can be compared with those of another one. */
import type { ClientBase } from 'pg';

/** Everything of a schema that is not set aside, without what differs from one place to another. */
export async function catalogue(
  client: ClientBase,
  schema: string,
  rolePrefix: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await client.query<{ dump: Record<string, unknown[] | null> }>(CATALOGUE, [
    schema,
    `${rolePrefix}\\_\\_%`,
  ]);
  const text = JSON.stringify(rows[0]?.dump).replaceAll(rolePrefix, 'ROLE').replaceAll(schema, 'SCHEMA');
  const lists: Record<string, unknown[] | null> = JSON.parse(text);
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      (list ?? [])
        .map(ordered)
        .map((one) => JSON.stringify(one))
        .sort(),
    ]),
  );
}

/** Grants in one order: Postgres keeps them in the order in which they were made. */
const ordered = (entry: unknown): unknown =>
  Array.isArray(entry)
    ? entry.map((cell: unknown) => (Array.isArray(cell) ? cell.map(String).toSorted() : cell))
    : entry;

const ACL = `(select jsonb_agg(g.grantee::regrole::text || ' ' || g.privilege_type) from aclexplode(%) g where g.grantee <> c.relowner)`;
const CATALOGUE = `
  with c as (select * from pg_class where relnamespace = quote_ident($1::text)::regnamespace and relname not like 'zz\\_%' and relkind in ('r', 'p', 'i', 'I', 'S')
      and not relispartition),
    t as (select * from c where relkind in ('r', 'p'))
  select jsonb_build_object(
    'tables', (select jsonb_agg(jsonb_build_array(relname, relkind, pg_get_partkeydef(oid), relrowsecurity, relforcerowsecurity, ${ACL.replace('%', 'relacl')})) from t c),
    'columns', (select jsonb_agg(jsonb_build_array(c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid), ${ACL.replace('%', 'a.attacl')}))
      from t c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where a.attnum > 0 and not a.attisdropped and a.attname not like 'zz\\_%'),
    'constraints', (select jsonb_agg(jsonb_build_array(c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)) from t c join pg_constraint k on k.conrelid = c.oid),
    'indexes', (select jsonb_agg(jsonb_build_array(pg_get_indexdef(i.indexrelid), i.indisvalid)) from t c join pg_index i on i.indrelid = c.oid),
    'policies', (select jsonb_agg(to_jsonb(p)) from pg_policies p where schemaname = $1::text and tablename not like 'zz\\_%' and tablename in (select relname from t)),
    'triggers', (select jsonb_agg(pg_get_triggerdef(g.oid)) from t c join pg_trigger g on g.tgrelid = c.oid where not g.tgisinternal),
    'functions', (select jsonb_agg(jsonb_build_array(pg_get_functiondef(p.oid), p.proacl::text)) from pg_proc p where p.pronamespace = quote_ident($1::text)::regnamespace),
    'members', (select jsonb_agg(m.member::regrole::text || ' of ' || m.roleid::regrole::text || ' ' || m.inherit_option || m.set_option)
      from pg_auth_members m join pg_roles r on r.oid = m.member where m.grantor <> 10 and r.rolname like $2)
  ) as dump`;
