import { readSecret } from '../../app.ts';
import { Database } from '../../db/database.ts';
import { migrateDown } from '../../db/migrate.ts';
import { findServer, forgetDemo } from '../../home.ts';
import { openPostgres } from '../../postgres.ts';
import { removeOrganisations } from '../../remove-organisations.ts';
import type { Command } from '../command.ts';
import { Failure } from '../command.ts';

export const migrateUpCommand: Command = {
  name: 'migrate up',
  summary: 'Brings the platform’s tables to this version (every start does)',
  run: async ({ config, say }) => {
    const postgres = await openPostgres(config, await readSecret(config), false);
    await postgres.close();
    say('The platform’s tables are up to date.');
  },
};

export const migrateDownCommand: Command = {
  name: 'migrate down',
  summary: 'Deletes all organisations, then takes the platform’s tables back',
  options: { yes: { type: 'boolean', help: 'really do it' } },
  details:
    'Needs --yes. Every organisation goes with its records, its files, its documents, its sign-ins and its database roles. The next start begins anew, with a new demo.',
  run: async ({ config, say }, given) => {
    if (!given.flag('yes'))
      throw new Failure('This deletes all organisations with all of their records. Add --yes to do it.');
    const server = await findServer(config.home);
    if (server) throw new Failure(`The server runs (process ${server.pid}). Stop it first.`);
    const postgres = await openPostgres(config, await readSecret(config), false);
    let removed: readonly string[];
    try {
      const database = new Database(postgres);
      try {
        removed = await removeOrganisations(database, config);
      } finally {
        await database.close();
      }
      await migrateDown(postgres.address, postgres.owner);
    } finally {
      await postgres.close();
    }
    await forgetDemo(config.home);
    say(
      `${removed.length === 1 ? 'One organisation is' : `${removed.length} organisations are`} gone, and the platform’s tables with them. The next start makes them anew.`,
    );
  },
};
