/** The access rules of one organisation, each of them loosened or taken away in turn: statements for Postgres. */
import type pg from 'pg';
import { qualified, quote } from '#engine/db/identifiers.ts';
import type { Part, SqlCase } from './sql-cases.ts';

export interface Mutant {
  readonly title: string;
  readonly table: string;
  readonly sql: string;
  /** Database role whose right is changed; `null` = everybody's. */
  readonly role: string | null;
  /** The column whose right is changed, if it is one's. */
  readonly column: string | null;
  /** Which cases look at it first. */
  readonly parts: readonly Part[];
  /** Why nobody can tell it from the original; `null` for all that must be noticed. */
  readonly equivalent: string | null;
}

const EQUIVALENT = {
  unforced:
    'Only the owner is let off by it, whose policy is true anyway. That every table forces its policies is held by the catalogue test.',
} as const;

/** Cases worth running: those of people with the role, the likeliest first; for one column's right those of the column. */
export function casesFor(mutant: Mutant, cases: readonly SqlCase[], holds: (role: string) => boolean): readonly SqlCase[] {
  if (mutant.role !== null && !holds(mutant.role)) return [];
  const rank = ({ part }: SqlCase) => (mutant.parts.includes(part) ? 0 : 1);
  const own = mutant.column === null ? cases : cases.filter(({ column, part }) => column === mutant.column || part === 'trail' || part === 'rows');
  return own.toSorted((a, b) => rank(a) - rank(b));
}

export async function mutantsOf(superuser: pg.Client, schema: string, except: ReadonlySet<string>): Promise<readonly Mutant[]> {
  const all = [
    ...(await policyMutants(superuser, schema)),
    ...(await grantMutants(superuser, schema)),
    ...(await columnMutants(superuser, schema)),
    ...(await triggerMutants(superuser, schema)),
    ...(await tableMutants(superuser, schema)),
  ];
  return all.filter(({ role }) => role === null || !except.has(role));
}

const PARTS: Readonly<Record<string, readonly Part[]>> = {
  SELECT: ['rows', 'read', 'history'],
  INSERT: ['insert'],
  UPDATE: ['update', 'delete', 'trail'],
  DELETE: ['delete'],
};

async function policyMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  const { rows } = await superuser.query<{
    table: string;
    policy: string;
    role: string;
    command: string;
    using: string | null;
    check: string | null;
  }>(
    `select tablename as table, policyname as policy, roles[1] as role, cmd as command, qual as using, with_check as check
     from pg_policies where schemaname = $1 order by 1, 2`,
    [schema],
  );
  return rows.flatMap(({ table, policy, role, command, using, check }) => {
    const at = `${quote(policy)} on ${qualified(schema, table)}`;
    const base = { table, role, column: null, parts: PARTS[command] ?? [], equivalent: null };
    return [
      { ...base, title: `${table}: ${policy} is gone`, sql: `drop policy ${at}` },
      ...(using === null || using === 'true'
        ? []
        : [{ ...base, title: `${table}: ${policy} lets every record through`, sql: `alter policy ${at} using (true)` }]),
      ...(check === null || check === 'true'
        ? []
        : [{ ...base, title: `${table}: ${policy} checks nothing`, sql: `alter policy ${at} with check (true)` }]),
    ];
  });
}

interface Grants {
  readonly table: string;
  readonly role: string;
  readonly privilege: string;
  readonly columns: readonly string[];
  /** How many columns it could be. */
  readonly of: number;
}

/** Rights on some columns, or (`columns` empty) none. */
async function grantsOf(superuser: pg.Client, schema: string): Promise<readonly Grants[]> {
  const { rows } = await superuser.query<Grants>(
    `select c.relname as table, r.rolname as role, p.privilege,
       coalesce(array_agg(a.attname::text order by a.attnum) filter (where acl.grantee is not null), '{}') as columns, count(*)::int as of
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     cross join pg_roles r cross join (values ('SELECT'), ('INSERT'), ('UPDATE')) p(privilege)
     left join lateral (select x.grantee from aclexplode(a.attacl) x where x.grantee = r.oid and x.privilege_type = p.privilege) acl on true
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and r.rolname in (select name from armature.database_role) and r.rolname ~ $2
       and not exists (select from aclexplode(c.relacl) t where t.grantee = r.oid and t.privilege_type = p.privilege)
     group by 1, 2, 3 order by 1, 2, 3`,
    [quote(schema), `_${schema.slice(2)}__[a-z_]+$`],
  );
  return rows;
}

async function grantMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  const wider = (await grantsOf(superuser, schema)).flatMap(({ table, role, privilege, columns, of }) =>
    columns.length === 0 || columns.length === of
      ? []
      : [
          {
            title: `${table}: ${role} may ${privilege} every column`,
            table,
            role,
            column: null,
            parts: privilege === 'SELECT' ? (['read'] as const) : (PARTS[privilege] ?? []),
            equivalent: null,
            sql: `grant ${privilege} on ${qualified(schema, table)} to ${quote(role)}`,
          },
        ],
  );
  const { rows } = await superuser.query<{ table: string; role: string; privilege: string }>(
    `select c.relname as table, r.rolname as role, x.privilege_type as privilege from pg_class c
     cross join lateral aclexplode(c.relacl) x join pg_roles r on r.oid = x.grantee
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and r.rolname in (select name from armature.database_role)
     order by 1, 2, 3`,
    [quote(schema)],
  );
  const gone = rows.map(({ table, role, privilege }) => ({
    title: `${table}: ${role} may no longer ${privilege}`,
    table,
    role,
    column: null,
    parts: PARTS[privilege] ?? [],
    equivalent: null,
    sql: `revoke ${privilege} on ${qualified(schema, table)} from ${quote(role)}`,
  }));
  return [...wider, ...gone];
}

async function columnMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  return (await grantsOf(superuser, schema)).flatMap(({ table, role, privilege, columns }) =>
    columns.map((column) => ({
      title: `${table}: ${role} may no longer ${privilege} ${column}`,
      table,
      role,
      column,
      parts: privilege === 'SELECT' ? (['read'] as const) : (PARTS[privilege] ?? []),
      equivalent: null,
      sql: `revoke ${privilege} (${quote(column)}) on ${qualified(schema, table)} from ${quote(role)}`,
    })),
  );
}

/** Triggers switched off, functions that do nothing, and each refusal and each assignment in them taken out. */
async function triggerMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  const { rows } = await superuser.query<{ table: string; trigger: string; definition: string; name: string }>(
    `select c.relname as table, t.tgname as trigger, pg_get_functiondef(t.tgfoid) as definition, t.tgfoid::regproc::text as name
     from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = $1::regnamespace and not t.tgisinternal and t.tgparentid = 0 order by 1, 2`,
    [quote(schema)],
  );
  const base = { role: null, column: null, parts: ['trail', 'update', 'insert'] as const, equivalent: null };
  const off = rows.map(({ table, trigger }) => ({
    ...base,
    table,
    title: `${table}: the trigger ${trigger} is off`,
    sql: `alter table ${qualified(schema, table)} disable trigger ${quote(trigger)}`,
  }));
  const functions = new Map(rows.map((row) => [row.name, row]));
  const changed = [...functions.values()].flatMap(({ table, definition, name }) => {
    const of = (title: string, sql: string, equivalent: string | null = null) => ({
      ...base,
      table,
      title: `${table}: ${title}`,
      sql,
      equivalent,
    });
    const refusals = [...definition.matchAll(/raise (?:exception|insufficient_privilege)[^;]*;/g)];
    const kept = [...definition.matchAll(/^ +new\."(\w+)" := [^;]*;/gm)];
    const definer = / security definer/i.test(definition);
    return [
      ...refusals.map((match, index) => of(`refusal ${index + 1} is left out`, without(definition, match))),
      ...kept.map((match) =>
        of(`nobody keeps ${match[1]} (at ${match.index})`, without(definition, match)),
      ),
      ...(definer ? [of('the definer’s rights are gone', `alter function ${name}() security invoker`)] : []),
    ];
  });
  return [...off, ...changed];
}

function without(definition: string, match: RegExpExecArray): string {
  return `${definition.slice(0, match.index)} null; ${definition.slice(match.index + match[0].length)}`;
}

async function tableMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  const { rows } = await superuser.query<{ table: string }>(
    `select relname as table from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
    [quote(schema)],
  );
  return rows.flatMap(({ table }) => {
    const base = { table, role: null, column: null, parts: ['rows', 'history', 'update'] as const };
    const at = qualified(schema, table);
    return [
      { ...base, title: `${table}: no policies`, sql: `alter table ${at} disable row level security`, equivalent: null },
      {
        ...base,
        title: `${table}: policies are not forced`,
        sql: `alter table ${at} no force row level security`,
        equivalent: EQUIVALENT.unforced,
      },
    ];
  });
}
