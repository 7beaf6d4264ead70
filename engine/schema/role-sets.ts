/** The database role through which somebody with several roles acts: a member of each of them. */
import type { Database } from '../db/database.ts';
import { bareSession } from '../db/database.ts';
import { arrayText, quote } from '../db/identifiers.ts';
import type { Tenant } from '../model/tenant.ts';
import { Problem } from '../problem.ts';
import { createRole } from './ddl.ts';
import { withRetries } from './retry.ts';

/** Names of sets this process knows to be there, by database. A set is never dropped, and publishing keeps it complete. */
const known = new WeakMap<Database, Set<string>>();

/**
 * @param roles role keys, in any order; those the current release does not have confer nothing and are left out
 * @returns the database role: of the single role, or of the set, which is made when it is not there yet
 * @throws Problem `forbidden` when none of the roles exists
 */
export async function ensureRoleSet(database: Database, tenant: Tenant, roles: readonly string[]): Promise<string> {
  const keys = [...new Set(roles)].sort();
  const sets = known.get(database) ?? new Set<string>();
  known.set(database, sets);
  const { names } = tenant;
  if (keys.length > 1 && sets.has(names.roleSet(keys))) return names.roleSet(keys);
  const existing = await existingRoles(database, tenant, keys);
  const [only] = existing;
  if (only === undefined) throw new Problem('forbidden', 'You have no role in this organisation any more.');
  if (existing.length === 1) return names.role(only);
  const name = names.roleSet(existing);
  if (!sets.has(name)) await withRetries(() => makeRoleSet(database, tenant, name, existing));
  sets.add(name);
  return name;
}

async function existingRoles(database: Database, tenant: Tenant, keys: readonly string[]): Promise<readonly string[]> {
  const byName = new Map(keys.map((key) => [tenant.names.role(key), key]));
  const [result] = await database.batch(bareSession('armature_gate'), [
    {
      text: 'select name from armature.database_role where tenant_id = $1 and name = any($2)',
      values: [tenant.id, arrayText([...byName.keys()])],
    },
  ]);
  return (result?.rows ?? [])
    .map(([name]) => byName.get(name ?? ''))
    .filter((key) => key !== undefined)
    .sort();
}

async function makeRoleSet(database: Database, tenant: Tenant, name: string, keys: readonly string[]): Promise<void> {
  await database.ownerTransaction(async (client) => {
    // The same lock as publishing, so that no role is dropped meanwhile; held for milliseconds.
    await client.query(`set local lock_timeout = '5s'; set local search_path = pg_catalog, pg_temp`);
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 4092212))', [tenant.key]);
    const { rowCount } = await client.query('select from armature.database_role where name = $1', [name]);
    if (rowCount) return;
    const { rows } = await client.query<{ name: string }>(
      'select name from armature.database_role where tenant_id = $1 and name = any($2)',
      [tenant.id, keys.map((key) => tenant.names.role(key))],
    );
    const statements = [
      ...createRole(name),
      `grant usage on schema ${quote(tenant.names.schema)} to ${quote(name)}`,
      ...rows.map((role) => `grant ${quote(role.name)} to ${quote(name)} with inherit true, set false`),
    ];
    await client.query(statements.join(';\n'));
    await client.query('insert into armature.database_role (name, tenant_id, roles) values ($1, $2, $3)', [
      name,
      tenant.id,
      keys,
    ]);
  });
}
