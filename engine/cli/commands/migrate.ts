import { readSecret } from '../../app.ts';
import { migrateDown } from '../../db/migrate.ts';
import { findServer } from '../../home.ts';
import { openPostgres } from '../../postgres.ts';
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
  summary: 'Takes the platform’s tables back, with all sign-ins and releases',
  options: { yes: { type: 'boolean', help: 'really do it' } },
  details:
    'Needs --yes. The organisations’ own tables stay where they are; without the platform’s tables nothing serves them.',
  run: async ({ config, say }, given) => {
    if (!given.flag('yes')) throw new Failure('This deletes all sign-ins, sessions and releases. Add --yes to do it.');
    const server = await findServer(config.home);
    if (server) throw new Failure(`The server runs (process ${server.pid}). Stop it first.`);
    const postgres = await openPostgres(config, await readSecret(config), false);
    try {
      await migrateDown(postgres.address, postgres.owner);
    } finally {
      await postgres.close();
    }
    say('The platform’s tables are gone. The next start makes them anew.');
  },
};
