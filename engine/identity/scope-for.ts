import { rightsOf } from '../model/rights.ts';
import type { ModelSource } from '../model/tenant.ts';
import type { Scope } from '../records/scope.ts';
import type { Principal } from './principal.ts';

/** What a principal reads and writes with, on the current model of its tenant. */
export async function scopeFor(models: ModelSource, principal: Principal): Promise<Scope> {
  const { tenant, model } = await models.get(principal.tenant);
  return { tenant, model, principal, rights: rightsOf(model, principal.roles), predicates: true };
}
