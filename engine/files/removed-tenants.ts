/**
 * Files of organisations that are gone. Their contents are in no database, so they cannot go in one transaction with
 * the rest: that they are to go is noted in it, and done afterwards, as often as it takes.
 */
import type { Database } from '../db/database.ts';
import { gateSession } from '../identity/service-principals.ts';
import type { FileStore } from './store.ts';

/**
 * Removes them, one organisation after the other. What was removed before an interruption is gone; the rest is still
 * noted, and goes the next time.
 * @returns how many organisations had to be looked at
 * @throws Error of the store
 */
export async function removeFilesOfRemoved(
  database: Pick<Database, 'batch'>,
  store: Pick<FileStore, 'removeAll'>,
): Promise<number> {
  const gate = gateSession('housekeeping');
  const [found] = await database.batch(gate, [
    { text: 'select id from armature.removed_tenant order by removed_at', values: [] },
  ]);
  const tenants = (found?.rows ?? []).flatMap(([id]) => (id ? [id] : []));
  for (const tenant of tenants) {
    await store.removeAll(tenant);
    await database.batch(gate, [{ text: 'delete from armature.removed_tenant where id = $1::uuid', values: [tenant] }]);
  }
  return tenants.length;
}
