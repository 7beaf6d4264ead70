/** The end of an installation's organisations: their schemas with everything in them, and their database roles. */
import type { Database } from '../db/database.ts';
import { quote } from '../db/identifiers.ts';
import { listTenants } from './tenants.ts';

/**
 * Drops every organisation of this installation, each in a transaction of its own: one for all of them would hold a lock
 * on every table there is. What was dropped before an interruption is gone, the rest is whole. Their files are noted to
 * be removed.
 * @returns the keys of those dropped
 */
export async function removeTenants(database: Database): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { tenant } of await listTenants(database)) {
    await database.ownerTransaction(async (client) => {
      await client.query(`set local lock_timeout = '5s'; set local search_path = pg_catalog, pg_temp`);
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 4092212))', [tenant.key]);
      const { rows } = await client.query<{ name: string }>(
        `select d.name from armature.database_role d join pg_roles r on r.rolname = d.name where d.tenant_id = $1`,
        [tenant.id],
      );
      // The schema first: a role can only go once it has no rights on anything.
      await client.query(`drop schema if exists ${quote(tenant.names.schema)} cascade`);
      if (rows.length > 0) await client.query(`drop role ${rows.map(({ name }) => quote(name)).join(', ')}`);
      // Contents of its files are in no database; that they have to go is (`engine/files/removed-tenants.ts`).
      await client.query('insert into armature.removed_tenant (id) values ($1) on conflict do nothing', [tenant.id]);
      await client.query('delete from armature.tenant where id = $1', [tenant.id]);
    });
    removed.push(tenant.key);
  }
  return removed;
}
