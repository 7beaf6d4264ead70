/** A tenant as the engine handles it, and where its model comes from. */
import type { TenantNames } from '../db/identifiers.ts';
import type { Model } from './model.ts';

export interface BusinessHours {
  /** IANA time zone. */
  readonly timeZone: string;
  /** ISO days of the week, 1 = Monday. */
  readonly days: readonly number[];
  /** `HH:MM`, the first minute that counts. */
  readonly from: string;
  /** `HH:MM`, the first minute that no longer counts. */
  readonly to: string;
}

export interface Tenant {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** ISO 4217. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  /** BCP 47. */
  readonly locale: string;
  readonly businessHours: BusinessHours;
  /** Month the fiscal year begins with, 1 to 12; January when left out. */
  readonly fiscalYearStart?: number;
  /** Schema and role names. */
  readonly names: TenantNames;
}

export interface TenantModel {
  readonly tenant: Tenant;
  readonly model: Model;
  /** What its administrators have switched: qualified name of a flag → on. None when left out. */
  readonly switched?: ReadonlyMap<string, boolean>;
}

/** Gives the current model of a tenant; never older than the last publish this process knows of. */
export interface ModelSource {
  /**
   * @param as `stored`: of the release that the database has now, which may be one that nobody has told of yet
   * @throws Problem `not_found` for a tenant that does not exist
   */
  get(tenantKey: string, as?: 'told' | 'stored'): Promise<TenantModel>;
  /** What {@link ModelSource.get} would answer where it has nobody to ask: every request starts with it. Else `null`. */
  known(tenantKey: string): TenantModel | null;
  /** A flag of this tenant was switched: from now on what was switched before is not given out. */
  switched?(tenantKey: string): void;
}
