/** Runs the changes of a publish: first the questions about the rows, then the DDL, then the directory of roles. */
import type { PoolClient } from 'pg';
import { isDatabaseError } from '../db/database-error.ts';
import { quote } from '../db/identifiers.ts';
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

/** @throws Problem `conflict` when rows were written after {@link checkRows} that do not allow a change */
export async function runChanges(client: PoolClient, changes: readonly Change[]): Promise<void> {
  // The statements are ours alone and carry no values: those that no row can stop go together in one round trip.
  let together: string[] = [];
  const flush = async (): Promise<void> => {
    if (together.length > 0) await client.query(together.join(';\n'));
    together = [];
  };
  for (const { sql, title, work } of changes) {
    if (work === 'none') {
      together.push(...sql);
      continue;
    }
    await flush();
    try {
      await client.query(sql.join(';\n'));
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

/** The directory of database roles, from which a request's tenant is found. */
export async function registerRoles(
  client: PoolClient,
  tenant: Tenant,
  before: DesiredState | null,
  state: DesiredState,
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
}

/** Estimated rows by table name. A table that was never analysed is judged by its size. */
export async function estimateRows(client: PoolClient, schema: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; rows: number }>(
    `select c.relname as name, (case when c.reltuples >= 0 then c.reltuples else pg_relation_size(c.oid) / 200 end)::float8 as rows
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'r'`,
    [schema],
  );
  return new Map(rows.map((row) => [row.name, Math.round(row.rows)]));
}
