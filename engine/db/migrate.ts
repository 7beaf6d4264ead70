/** The platform's migrations: reversible steps in `migrations/`, run by Knex as the owner. */
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import knexFactory from 'knex';
import type { Knex } from 'knex';
import type { Address, Credentials } from './connection.ts';
import { StartupError } from './startup-error.ts';

const FOLDER = new URL('../../migrations/', import.meta.url);

interface Step {
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

const source: Knex.MigrationSource<string> = {
  getMigrations: async () => (await readdir(FOLDER)).filter((file) => /^\d{4}_.*\.ts$/.test(file)).sort(),
  getMigrationName: (file) => basename(file, '.ts'),
  getMigration: async (file): Promise<Step> => import(new URL(file, FOLDER).href),
};

/** Steps in the order of their numbers, each in its own transaction. Knex keeps its record in schema `public`, because a step makes ours. */
const config: Knex.MigratorConfig = { migrationSource: source, tableName: 'armature_migration', schemaName: 'public' };

async function withKnex<T>(address: Address, owner: Credentials, use: (knex: Knex) => Promise<T>): Promise<T> {
  const knex = knexFactory({
    client: 'pg',
    connection: {
      host: address.host,
      port: address.port,
      database: address.database,
      user: owner.user,
      password: owner.password,
      ...(address.ssl ? { ssl: true } : {}),
    },
    pool: { min: 0, max: 1 },
  });
  try {
    return await use(knex);
  } finally {
    await knex.destroy();
  }
}

/**
 * Brings the platform's tables to this version.
 * @throws StartupError when the data were made by a newer version
 */
export async function migrateUp(address: Address, owner: Credentials): Promise<void> {
  await withKnex(address, owner, async (knex) => {
    try {
      await knex.migrate.latest(config);
    } catch (error) {
      if (error instanceof Error && error.message.includes('migration directory is corrupt')) {
        throw new StartupError(
          'The data were made by a newer version of Armature than this one. Start that version, or use another ARMATURE_HOME.',
          { cause: error },
        );
      }
      throw error;
    }
  });
}

/** Takes every step back. */
export async function migrateDown(address: Address, owner: Credentials): Promise<void> {
  await withKnex(address, owner, (knex) => knex.migrate.rollback(config, true));
}
