/** The command line's commands about demonstrations: added to the engine's own in `engine/armature.ts`. */
import type { Command } from '../engine/cli/command.ts';
import { importCrmSales } from './crm-sales/main.ts';

export const demoCrmSales: Command = {
  name: 'demo crm-sales',
  summary: 'Imports the crm-sales data set into a new organisation, and checks its figures',
  operands: [{ name: 'DIR', help: 'folder with accounts.csv, products.csv, sales_teams.csv and sales_pipeline.csv' }],
  options: { tenant: { type: 'string', value: 'KEY', help: 'key of the organisation (default crm_sales)' } },
  details:
    'The files go through the public import API of the running server; without one, through a server for the duration.',
  run: async (context, given) =>
    importCrmSales(context, given.positionals[0] ?? '', given.text('tenant') ?? 'crm_sales'),
};
