import { Problem } from '../problem.ts';
import type { Services } from '../services.ts';
import type { Context } from './command.ts';
import { Failure } from './command.ts';

/**
 * The services, once it is known that the organisation exists.
 * @throws Failure naming it when it does not
 */
export async function openTenant(context: Context, tenant: string): Promise<Services> {
  const { cells } = await context.open();
  const services = await cells.of(tenant);
  try {
    await services.models.get(tenant);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
    throw new Failure(`There is no organisation "${tenant}". "armature tenants" lists those there are.`, {
      cause: error,
    });
  }
  return services;
}
