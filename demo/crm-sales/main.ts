import type { Context } from '../../engine/cli/command.ts';

export async function importCrmSales(context: Context, directory: string, tenant: string): Promise<number> {
  context.say(`${directory} ${tenant}`);
  return 1;
}
