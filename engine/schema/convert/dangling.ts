/** Records that are deleted for good after a value made ahead of a publish led to them: the value is made again. */
import type { PoolClient } from 'pg';
import { quote } from '../../db/identifiers.ts';
import type { Tenant } from '../../model/tenant.ts';
import { tableName } from '../ddl.ts';
import type { DesiredState } from '../state.ts';
import type { Conversion } from './conversions.ts';
import { type Places, quietly } from './rows.ts';

/** @returns how many rows are still to be done because of it */
export async function markDangling(
  client: PoolClient,
  state: DesiredState,
  { to, target }: Conversion,
  { table, to: column, version }: Places,
): Promise<number> {
  const other = to.reference && target ? state.tables[target.entity.id] : undefined;
  if (version === null || other === undefined) return 0;
  await quietly(client);
  const { rowCount } = await client.query(
    `update ${table} x set ${version} = null where x.${column} is not null and not exists (select from ${tableName(state, other)} t where t.${quote('id')} = x.${column})`,
  );
  return rowCount ?? 0;
}

/**
 * In the publish, which must not go through all rows: only where a record was deleted since. From here on nobody deletes
 * one, until the reference holds.
 * @param horizon up to which it was looked before, as in `Ready`
 */
export async function leadSomewhere(
  client: PoolClient,
  tenant: Tenant,
  state: DesiredState,
  conversion: Conversion,
  places: Places,
  horizon: string,
): Promise<void> {
  const { to, target } = conversion;
  const other = to.reference && target ? state.tables[target.entity.id] : undefined;
  if (other === undefined) return;
  await client.query(`lock table ${tableName(state, other)} in share row exclusive mode`);
  const { rowCount } = await client.query(
    `select from armature.outbox where xid >= $1::xid8 and tenant_id = $2 and entity_id = $3 and operation = 'delete' limit 1`,
    [horizon, tenant.id, other.id],
  );
  if (rowCount !== 0) await markDangling(client, state, conversion, places);
}
