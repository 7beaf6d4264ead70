/** The engine's own commands, in the order of the help. */
import type { Command } from './command.ts';
import { migrateDownCommand, migrateUpCommand } from './commands/migrate.ts';
import { flags, flagSwitch } from './commands/flags.ts';
import { diff, documents, exportDocuments, plan, publish, releases, rollback } from './commands/releases.ts';
import { purge } from './commands/purge.ts';
import { steps } from './commands/steps.ts';
import { tenantCreate, tenants } from './commands/tenants.ts';
import { token } from './commands/token.ts';

export const COMMANDS: readonly Command[] = [
  token,
  tenants,
  tenantCreate,
  documents,
  exportDocuments,
  plan,
  publish,
  releases,
  diff,
  flags,
  flagSwitch,
  rollback,
  steps,
  purge,
  migrateUpCommand,
  migrateDownCommand,
];
