/** Organisations: made here, found here. */
import type { IdSource } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { bareSession } from '../db/database.ts';
import { isDatabaseError, problemOf } from '../db/database-error.ts';
import type { BusinessHours, Tenant } from '../model/tenant.ts';
import { notFound, Problem, type ProblemDetail } from '../problem.ts';
import { isTimeZone } from '../time-zone.ts';
import type { Publisher } from './publish.ts';
import { loadTenant, TENANT_COLUMNS, type TenantRow, tenantOf } from './release-store.ts';
import { withRetries } from './retry.ts';

/** No `__`: it stands between tenant and role in names of database roles, and `a__b` with `c` would be `a` with `b__c`. */
const KEY = /^(?!.*__)[a-z][a-z0-9_]{0,39}$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

export interface NewTenant {
  /** Becomes the schema and part of every address; never changes. */
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
  /** Monday to Friday, nine to five in the tenant's time zone when left out. */
  readonly businessHours?: BusinessHours;
  /** Month the fiscal year begins with, 1 to 12; January when left out. */
  readonly fiscalYearStart?: number;
  /**
   * Packs of release 1, which is then published in the same transaction (`core` is always among them). Left out: the
   * tenant has release 0 and nothing in it, and the first publish is based on that.
   */
  readonly packs?: readonly string[];
  /** Author of release 1. */
  readonly author?: string;
}

/** What it needs of the running engine; `publisher` only when packs are asked for. */
export interface TenantServices {
  readonly database: Database;
  readonly ids: IdSource;
  readonly publisher?: Publisher;
}

/**
 * Row, schema, roles and release 1 in one transaction.
 * @throws Problem `invalid` with pointers into `wanted`, `unique` when the key is taken, `invalid_document` for packs
 *   that do not exist
 */
export async function createTenant(services: TenantServices, wanted: NewTenant): Promise<Tenant> {
  check(wanted);
  const hours = wanted.businessHours ?? {
    timeZone: wanted.timeZone,
    days: [1, 2, 3, 4, 5],
    from: '09:00',
    to: '17:00',
  };
  const { packs } = wanted;
  return withRetries(() =>
    services.database.ownerTransaction(async (client) => {
      await client.query(
        `insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours, fiscal_year_start) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          services.ids.uuid(),
          wanted.key,
          wanted.name.trim(),
          wanted.country,
          wanted.currency,
          wanted.timeZone,
          wanted.locale,
          JSON.stringify(hours),
          wanted.fiscalYearStart ?? 1,
        ],
      );
      if (packs) {
        if (!services.publisher) throw new TypeError('packs are published by a publisher');
        const message = `First release: ${packs.join(', ') || 'the platform alone'}`;
        await services.publisher.publishWithin(client, wanted.key, {
          base: 0,
          author: wanted.author ?? 'Armature',
          message,
          packs,
          documents: [],
        });
      }
      return (await loadTenant(client, wanted.key)).tenant;
    }),
  ).catch((error: unknown) => {
    if (isDatabaseError(error) && error.code === '23505' && error.table === 'tenant') {
      const message = `There is an organisation “${wanted.key}” already.`;
      throw new Problem('unique', message, [{ code: 'unique', message, pointer: '/key' }], { cause: error });
    }
    throw problemOf(error);
  });
}

function check(wanted: NewTenant): void {
  const details: ProblemDetail[] = [];
  const require = (holds: boolean, pointer: string, message: string) => {
    if (!holds) details.push({ code: 'invalid', message, pointer });
  };
  require(KEY.test(
    wanted.key,
  ), '/key', 'A key has lower-case letters, digits and single underscores, starts with a letter, and is at most 40 characters long.');
  require(wanted.name.trim().length > 0 && wanted.name.length <= 200, '/name', 'A name has 1 to 200 characters.');
  require(/^[A-Z]{2}$/.test(wanted.country), '/country', 'A country is its two-letter code, such as DE.');
  require(Intl.supportedValuesOf('currency').includes(
    wanted.currency,
  ), '/currency', 'A currency is its three-letter code, such as EUR.');
  require(isTimeZone(wanted.timeZone), '/timeZone', 'A time zone is its IANA name, such as Europe/Berlin.');
  require(isLocale(wanted.locale), '/locale', 'A language is its code, such as en or pt-BR.');
  const { businessHours: hours, fiscalYearStart: month = 1 } = wanted;
  require(Number.isInteger(month) &&
    month >= 1 &&
    month <= 12, '/fiscalYearStart', 'A fiscal year begins with a month, 1 to 12.');
  if (hours) {
    require(isTimeZone(
      hours.timeZone,
    ), '/businessHours/timeZone', 'A time zone is its IANA name, such as Europe/Berlin.');
    require(hours.days.length > 0 &&
      hours.days.every(
        (day) => Number.isInteger(day) && day >= 1 && day <= 7,
      ), '/businessHours/days', 'Days are numbers from 1 (Monday) to 7.');
    require(TIME.test(hours.from), '/businessHours/from', 'A time of day has the form 09:00.');
    require(TIME.test(hours.to) &&
      hours.to > hours.from, '/businessHours/to', 'A time of day has the form 17:00 and comes after the first.');
  }
  const [first] = details;
  if (first) throw new Problem('invalid', first.message, details);
}

function isLocale(name: string): boolean {
  try {
    return Intl.getCanonicalLocales(name).length === 1;
  } catch {
    return false;
  }
}

/** A tenant and the number of its current release, as the gate sees it. */
export interface FoundTenant {
  readonly tenant: Tenant;
  readonly release: number;
}

/** From the text columns of {@link TENANT_COLUMNS}. */
export function foundTenant(row: readonly (string | null)[]): FoundTenant {
  const [
    id = '',
    key = '',
    name = '',
    country = '',
    currency = '',
    time_zone = '',
    locale = '',
    business_hours = '{}',
    release = '0',
    role_prefix = 't',
    fiscal_year_start = '1',
  ] = row.map((cell) => cell ?? undefined);
  const record: TenantRow = {
    id,
    key,
    name,
    country,
    currency,
    time_zone,
    locale,
    business_hours,
    release,
    role_prefix,
    fiscal_year_start,
  };
  return { tenant: tenantOf(record), release: Number(release) };
}

/** All of them, by key. */
export async function listTenants(database: Database): Promise<readonly FoundTenant[]> {
  const [result] = await database.batch(bareSession('armature_gate'), [
    { text: `select ${TENANT_COLUMNS} from armature.tenant t order by t.key`, values: [] },
  ]);
  return (result?.rows ?? []).map(foundTenant);
}

/** @throws Problem `not_found` */
export async function getTenant(database: Database, key: string): Promise<FoundTenant> {
  const [result] = await database.batch(bareSession('armature_gate'), [
    { text: `select ${TENANT_COLUMNS} from armature.tenant t where t.key = $1`, values: [key] },
  ]);
  const row = result?.rows[0];
  if (!row) throw notFound();
  return foundTenant(row);
}
