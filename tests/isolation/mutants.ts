/** The access rules of one organisation, each of them loosened or taken away in turn: statements for Postgres. */
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Part, SqlCase } from './sql-run.ts';

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
  /** Columns that the refusal guards against rights added up. */
  readonly paired?: readonly string[];
  /** Whether it guards what is given to new records. */
  readonly creates?: boolean;
  /** SQL of a boolean: whether the role still has, or had before, the same from a role it inherits. */
  readonly inherited?: { readonly when: 'before' | 'after'; readonly sql: string };
}

export const EQUIVALENT = {
  inherited: 'The role has the same from a role it inherits, or as everybody has who is a member.',
  unreachable:
    'The pairing guard refuses what several roles give only together; of these roles no two do (every combination was looked at).',
  anyState: 'Every state is one to begin in.',
  everybody: 'Whoever has any right to the table has it to every record.',
  enough: 'What else the function asks for is never more than this. (Every combination of roles was looked at.)',
  linked: 'A link has a record at both ends, and the role sees them all.',
  sides:
    'Whoever sees both ends of a link sees it by another role from the other side. (Every combination of roles was looked at.)',
  fixed: 'The condition looks at columns that nobody with the role may change: a record stays where it was.',
  unforced:
    'Only the owner is let off by it, whose policy is true anyway. That every table forces its policies is held by the catalogue test.',
} as const;

/** Cases worth running: those of people with the role, the likeliest first; for one column's right those of the column. */
export function casesFor(
  mutant: Mutant,
  cases: readonly SqlCase[],
  holds: (role: string) => boolean,
): readonly SqlCase[] {
  if (mutant.role !== null && !holds(mutant.role)) return [];
  const rank = ({ part }: SqlCase) => (mutant.parts.includes(part) ? 0 : 1);
  const own =
    mutant.column === null
      ? cases
      : cases.filter(
          ({ columns, part }) => columns.includes(mutant.column ?? '') || part === 'trail' || part === 'rows',
        );
  return own.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * @param except database roles that are nobody's
 * @param everyState the states of each lifecycle, sorted, with commas
 */
export async function mutantsOf(
  superuser: pg.Client,
  schema: string,
  except: ReadonlySet<string>,
  everyState: ReadonlySet<string>,
): Promise<readonly Mutant[]> {
  const all = [
    ...(await policyMutants(superuser, schema)),
    ...(await grantMutants(superuser, schema)),
    ...(await columnMutants(superuser, schema)),
    ...(await triggerMutants(superuser, schema, everyState)),
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
    inherited: boolean;
    fixed: boolean;
  }>(
    `select p.tablename as table, p.policyname as policy, p.roles[1] as role, p.cmd as command, p.qual as using, p.with_check as check,
       exists (select from pg_policies o where o.schemaname = p.schemaname and o.tablename = p.tablename and o.cmd = p.cmd
         and o.policyname <> p.policyname and coalesce(o.qual, o.with_check) in ('true', coalesce(p.qual, p.with_check))
         and (pg_has_role(p.roles[1], o.roles[1], 'USAGE') or o.roles[1] like '%\\_\\_member')) as inherited,
       not exists (select from pg_policy y join pg_depend d on d.objid = y.oid and d.classid = 'pg_policy'::regclass and d.refobjid = y.polrelid and d.refobjsubid > 0
         join pg_attribute a on a.attrelid = y.polrelid and a.attnum = d.refobjsubid
         where y.polname = p.policyname and y.polrelid = format('%I.%I', p.schemaname, p.tablename)::regclass
           and has_column_privilege(p.roles[1], y.polrelid, a.attnum, 'UPDATE')) as fixed
     from pg_policies p where p.schemaname = $1 order by 1, 2`,
    [schema],
  );
  return rows.flatMap(({ table, policy, role, command, using, check, inherited, fixed }) => {
    const at = `${quote(policy)} on ${qualified(schema, table)}`;
    const equivalent = inherited ? EQUIVALENT.inherited : null;
    const base = { table, role, column: null, parts: PARTS[command] ?? [], equivalent };
    return [
      { ...base, title: `${table}: ${policy} is gone`, sql: `drop policy ${at}` },
      ...(using === null || using === 'true'
        ? []
        : [
            { ...base, title: `${table}: ${policy} lets every record through`, sql: `alter policy ${at} using (true)` },
          ]),
      ...(check === null || check === 'true'
        ? []
        : [
            {
              ...base,
              title: `${table}: ${policy} checks nothing`,
              sql: `alter policy ${at} with check (true)`,
              equivalent: command === 'UPDATE' && using === check && fixed ? EQUIVALENT.fixed : equivalent,
            },
          ]),
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
            inherited: { when: 'before', sql: holdsTable(schema, table, role, privilege) } as const,
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
    inherited: { when: 'after', sql: holdsTable(schema, table, role, privilege) } as const,
  }));
  return [...wider, ...gone];
}

const memberOf = (role: string): string => role.replace(/__\w+$/, '__member');

/** Everybody is a member besides. */
const holdsTable = (schema: string, table: string, role: string, privilege: string): string =>
  [role, memberOf(role)]
    .map((one) => `has_table_privilege(${literal(one)}, ${literal(qualified(schema, table))}, ${literal(privilege)})`)
    .join(' or ');

const holdsColumn = (schema: string, table: string, role: string, column: string, privilege: string): string =>
  [role, memberOf(role)]
    .map(
      (one) =>
        `has_column_privilege(${literal(one)}, ${literal(qualified(schema, table))}, ${literal(column)}, ${literal(privilege)})`,
    )
    .join(' or ');

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
      inherited: {
        when: 'after',
        sql: holdsColumn(schema, table, role, column, privilege),
      } as const,
    })),
  );
}

/** Triggers switched off, functions that do nothing, and each refusal and each assignment in them taken out. */
async function triggerMutants(
  superuser: pg.Client,
  schema: string,
  everyState: ReadonlySet<string>,
): Promise<readonly Mutant[]> {
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
      ...refusals.map((match, index) => {
        const creates = match[0].includes('covers this record');
        const row = creates ? 'new' : 'old';
        const [before = ''] = definition
          .slice(definition.lastIndexOf(`if (${row}."`, match.index), match.index)
          .split(' then');
        const paired = match[0].includes('no permission covers')
          ? [...before.matchAll(/(?:old|new)\."(\w+)" is distinct/g)].map(([, column]) => column ?? '')
          : [];
        const states = paired.length > 0 ? null : beginsAnywhere(definition, match.index, everyState);
        const reason = states === true ? EQUIVALENT.anyState : null;
        return { ...of(`refusal ${index + 1} is left out`, without(definition, match), reason), paired, creates };
      }),
      ...kept.map((match) => of(`nobody keeps ${match[1]} (at ${match.index})`, without(definition, match))),
      ...(definer ? [of('the definer’s rights are gone', `alter function ${name}() security invoker`)] : []),
    ];
  });
  return [...off, ...changed];
}

function without(definition: string, match: RegExpExecArray): string {
  return `${definition.slice(0, match.index)} null; ${definition.slice(match.index + match[0].length)}`;
}

/** Whether it refuses records that begin in a state of a list that names them all. */
function beginsAnywhere(definition: string, at: number, states: ReadonlySet<string>): boolean {
  const [, list] = /<> all \(array\[([^\]]*)\]::text\[\]\) then\s*$/.exec(definition.slice(0, at)) ?? [];
  return list !== undefined && states.has(list.replaceAll("'", '').split(', ').sort().join());
}

async function tableMutants(superuser: pg.Client, schema: string): Promise<readonly Mutant[]> {
  const { rows } = await superuser.query<{ table: string; everybody: boolean }>(
    `select relname as table, not exists (select from pg_policies p where p.schemaname = $2 and p.tablename = relname
       and not (coalesce(p.qual, 'true') = 'true' and coalesce(p.with_check, 'true') = 'true')) as everybody
     from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
    [quote(schema), schema],
  );
  return rows.flatMap(({ table, everybody }) => {
    const base = { table, role: null, column: null, parts: ['rows', 'history', 'update'] as const };
    const at = qualified(schema, table);
    return [
      {
        ...base,
        title: `${table}: no policies`,
        sql: `alter table ${at} disable row level security`,
        equivalent: everybody ? EQUIVALENT.everybody : null,
      },
      {
        ...base,
        title: `${table}: policies are not forced`,
        sql: `alter table ${at} no force row level security`,
        equivalent: EQUIVALENT.unforced,
      },
    ];
  });
}
