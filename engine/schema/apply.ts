/** Runs the changes of a publish: first the questions about the rows, then the DDL, then the directory of roles. */
import type { PoolClient } from 'pg';
import { isDatabaseError } from '../db/database-error.ts';
import { qualified, quote } from '../db/identifiers.ts';
import type { ReleaseSource } from '../model/documents.ts';
import type { Tenant } from '../model/tenant.ts';
import { Problem, type ProblemDetail } from '../problem.ts';
import type { Change } from './change.ts';
import { locate } from './source.ts';
import type { DesiredState } from './state.ts';

/**
 * @throws Problem `invalid_document` with everything in the rows that is in the way, and where in the documents it was
 *   asked for
 */
export async function checkRows(client: PoolClient, changes: readonly Change[], source: ReleaseSource): Promise<void> {
  const details: ProblemDetail[] = [];
  for (const { sql, code, message, entity, field, property } of changes.flatMap(({ checks }) => checks)) {
    const { rows } = await client.query<{ count: number }>(sql);
    const count = rows[0]?.count ?? 0;
    if (count > 0)
      details.push({
        code,
        message: message.replace('{count}', count.toLocaleString('en')),
        params: { count },
        ...locate(source, entity, field, property),
      });
  }
  const [first] = details;
  if (first) throw new Problem('invalid_document', first.message, details);
}

/**
 * @param convert gives a column its values from the one of another type
 * @throws Problem `conflict` when rows were written after {@link checkRows} that do not allow a change
 */
export async function runChanges(
  client: PoolClient,
  changes: readonly Change[],
  convert: (column: string) => Promise<void> = async () => {},
): Promise<void> {
  // The statements are ours alone and carry no values: those that no row can stop go together in one round trip.
  let together: string[] = [];
  const flush = async (): Promise<void> => {
    if (together.length > 0) await client.query(together.join(';\n'));
    together = [];
  };
  for (const { sql, title, work, convert: column } of changes) {
    if (work === 'none' && column === null) {
      together.push(...sql);
      continue;
    }
    await flush();
    try {
      if (column !== null) await convert(column);
      if (sql.length > 0) await client.query(sql.join(';\n'));
    } catch (error) {
      if (isDatabaseError(error) && error.code.startsWith('23')) {
        throw new Problem('conflict', `“${title}” met records that do not allow it. Nothing was changed.`, [], {
          cause: error,
        });
      }
      throw error;
    }
  }
  await flush();
}

/**
 * The directory of database roles, from which a request's tenant is found.
 * @param administrators keys of the roles of administrators
 */
export async function registerRoles(
  client: PoolClient,
  tenant: Tenant,
  before: DesiredState | null,
  state: DesiredState,
  administrators: readonly string[],
): Promise<void> {
  const gone = Object.keys(before?.roles ?? {}).filter((name) => !state.roles[name]);
  if (gone.length > 0)
    await client.query('delete from armature.database_role where tenant_id = $1 and name = any($2)', [tenant.id, gone]);
  const come = Object.entries(state.roles).filter(([name]) => !before?.roles[name]);
  for (const [name, role] of come) {
    const roles = role.key === null ? [] : [role.key];
    await client.query('insert into armature.database_role (name, tenant_id, roles) values ($1, $2, $3)', [
      name,
      tenant.id,
      roles,
    ]);
    if (role.key === null) continue;
    // Role sets made when the role was there before lost it when it was dropped.
    const { rows } = await client.query<{ name: string }>(
      'select name from armature.database_role where tenant_id = $1 and cardinality(roles) > 1 and $2 = any(roles)',
      [tenant.id, role.key],
    );
    for (const set of rows)
      await client.query(`grant ${quote(name)} to ${quote(set.name)} with inherit true, set false`);
  }
  // Role sets have the rights of their members; only the roles themselves are marked.
  await client.query(
    `update armature.database_role set administrator = not administrator
     where tenant_id = $1 and cardinality(roles) = 1 and administrator <> (roles <@ $2::text[])`,
    [tenant.id, administrators],
  );
}

/** Tables of up to so many rows are counted when Postgres has no figure of its own. */
const COUNTED = 10_000;

/** Estimated rows by table name. A table that was never analysed is counted when it is small, and judged by its size otherwise. */
export async function estimateRows(client: PoolClient, schema: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; analysed: number; size: number }>(
    // What was counted last, carried forward to the size that the table has now.
    `select c.relname as name, pg_relation_size(c.oid)::float8 as size,
       case when c.relpages > 0 and c.reltuples > 0
         then c.reltuples::float8 / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::float8)
         when pg_relation_size(c.oid) > 0 then -1 else c.reltuples::float8 end as analysed
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'r' and not c.relispartition
     union all
     select p.relname, sum(pg_relation_size(c.oid))::float8, sum(greatest(c.reltuples, 0))::float8
     from pg_class p join pg_namespace n on n.oid = p.relnamespace join pg_inherits i on i.inhparent = p.oid join pg_class c on c.oid = i.inhrelid
     where n.nspname = $1 and p.relkind = 'p' group by p.oid, p.relname`,
    [schema],
  );
  const estimates = new Map<string, number>();
  const unknown: typeof rows = [];
  for (const row of rows) {
    if (row.analysed >= 0) estimates.set(row.name, Math.round(row.analysed));
    else if (row.size === 0) estimates.set(row.name, 0);
    else unknown.push(row);
  }
  if (unknown.length === 0) return estimates;
  const counts = unknown.map(
    ({ name }) =>
      `select count(*)::int as count from (select from ${qualified(schema, name)} limit ${COUNTED + 1}) rows`,
  );
  const { rows: counted } = await client.query<{ count: number }>(counts.join('\nunion all\n'));
  unknown.forEach(({ name, size }, index) => {
    const count = counted[index]?.count ?? 0;
    estimates.set(name, count > COUNTED ? Math.max(count, Math.round(size / 200)) : count);
  });
  return estimates;
}
