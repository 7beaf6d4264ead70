import { type Clock, systemClock } from '../clock.ts';
import { rightsBehindFlags } from '../model/flag-rights.ts';
import type { ModelSource } from '../model/tenant.ts';
import type { Scope } from '../records/scope.ts';
import type { Principal } from './principal.ts';

/** What a principal reads and writes with, on the current model of its tenant. */
export async function scopeFor(models: ModelSource, principal: Principal, clock: Clock = systemClock): Promise<Scope> {
  const found = await models.get(principal.tenant);
  return { ...found, principal, rights: rightsBehindFlags(found, principal, clock.now()), predicates: true };
}
