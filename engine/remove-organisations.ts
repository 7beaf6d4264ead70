/** The end of all organisations: what the database has of them, and then their files. */
import type { Config } from './config.ts';
import type { Database } from './db/database.ts';
import { openFileStore } from './files/open-store.ts';
import { removeFilesOfRemoved } from './files/removed-tenants.ts';
import { removeTenants } from './schema/remove-tenants.ts';

/**
 * Called again after an interruption, it goes on where it was.
 * @returns the keys of those that were there
 * @throws StartupError, or what the store says when it cannot be reached
 */
export async function removeOrganisations(
  database: Database,
  { files, home }: Pick<Config, 'files' | 'home'>,
): Promise<readonly string[]> {
  const removed = await removeTenants(database);
  await removeFilesOfRemoved(database, await openFileStore(files, home));
  return removed;
}
