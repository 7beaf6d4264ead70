/** From a principal to the scope its reads and writes run in. Made once per principal and release, not per request. */
import type { Principal } from '../identity/principal.ts';
import type { Entity } from '../model/model.ts';
import type { Rights } from '../model/rights.ts';
import { rightsOf } from '../model/rights.ts';
import type { ModelSource } from '../model/tenant.ts';
import type { Scope } from '../records/scope.ts';

export class Scopes {
  readonly #models: ModelSource;
  readonly #predicates: boolean;
  readonly #byPrincipal = new WeakMap<Principal, Scope>();

  /** @param predicates see {@link Scope.predicates} */
  constructor(models: ModelSource, predicates = true) {
    this.#models = models;
    this.#predicates = predicates;
  }

  /** @throws Problem `not_found` when the tenant is gone */
  async of(principal: Principal): Promise<Scope> {
    const { tenant, model } = await this.#models.get(principal.tenant);
    const known = this.#byPrincipal.get(principal);
    if (known && known.model === model && known.tenant === tenant) return known;
    const scope: Scope = {
      tenant,
      model,
      principal,
      rights: rightsOf(model, principal.roles),
      predicates: this.#predicates,
    };
    this.#byPrincipal.set(principal, scope);
    return scope;
  }
}

/** Whether the principal knows of the entity at all. One without any right equals one that does not exist. */
export function knowsEntity(rights: Rights, entity: Entity): boolean {
  const own = rights.of(entity.name);
  return own.read.length + own.create.length + own.update.length + own.delete.length > 0;
}
