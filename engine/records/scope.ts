/** What every read and write is done with: who, on which tenant's model, with which rights. */
import type { Principal } from '../identity/principal.ts';
import type { Rights } from '../model/rights.ts';
import type { TenantModel } from '../model/tenant.ts';

export interface Scope extends TenantModel {
  readonly principal: Principal;
  readonly rights: Rights;
  /**
   * Whether the compiler adds the permissions' conditions on records to its statements (it always does, except in the
   * tests that prove the row policies sufficient by themselves). Masks of fields that are readable on some records only
   * stay: Postgres has no such right, they are the compiler's alone.
   */
  readonly predicates: boolean;
}
