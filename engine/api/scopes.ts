/** From a principal to the scope its reads and writes run in. Made once per principal and release, not per request. */
import { type Clock, systemClock } from '../clock.ts';
import type { Principal } from '../identity/principal.ts';
import { nextTurn, rightsBehindFlags } from '../model/flag-rights.ts';
import type { Entity } from '../model/model.ts';
import type { Rights } from '../model/rights.ts';
import type { ModelSource, TenantModel } from '../model/tenant.ts';
import type { Scope } from '../records/scope.ts';

export class Scopes {
  readonly #models: ModelSource;
  readonly #predicates: boolean;
  readonly #clock: Clock;
  readonly #byPrincipal = new WeakMap<Principal, { readonly scope: Scope; readonly until: number }>();

  /** @param predicates see {@link Scope.predicates} */
  constructor(models: ModelSource, predicates = true, clock: Clock = systemClock) {
    this.#models = models;
    this.#predicates = predicates;
    this.#clock = clock;
  }

  /**
   * @returns at once where the tenant's model is at hand, as for nearly every request
   * @throws Problem `not_found` when the tenant is gone
   */
  of(principal: Principal): Scope | Promise<Scope> {
    const known = this.#models.known(principal.tenant);
    return known
      ? this.#within(known, principal)
      : this.#models.get(principal.tenant).then((found) => this.#within(found, principal));
  }

  #within(found: TenantModel, principal: Principal): Scope {
    const { model } = found;
    const now = this.#clock.now();
    const known = this.#byPrincipal.get(principal);
    if (known && isOf(known.scope, found) && now < known.until) return known.scope;
    const rights = rightsBehindFlags(found, principal, now);
    const scope: Scope = { ...found, principal, rights, predicates: this.#predicates };
    this.#byPrincipal.set(principal, { scope, until: nextTurn(model, now) });
    return scope;
  }
}

const isOf = (scope: Scope, { tenant, model, switched }: TenantModel): boolean =>
  scope.model === model && scope.tenant === tenant && scope.switched === switched;

/** Whether the principal knows of the entity at all. One without any right equals one that does not exist. */
export function knowsEntity(rights: Rights, entity: Entity): boolean {
  const own = rights.of(entity.name);
  return own.read.length + own.create.length + own.update.length + own.delete.length > 0;
}
