/** Reads the people of a tenant and makes principals of them. */
import type { Database } from '../db/database.ts';
import { sessionOf } from '../db/database.ts';
import { qualified, quote } from '../db/identifiers.ts';
import type { Entity, Model } from '../model/model.ts';
import { withInherited } from '../model/rights.ts';
import type { Tenant, TenantModel } from '../model/tenant.ts';
import { isTimeZone } from '../time-zone.ts';
import type { Principal } from './principal.ts';
import { systemPrincipal } from './service-principals.ts';

export const USER = 'core.user';
export const TEAM = 'core.team';
/** Everybody who may sign in has it, where the model knows it. */
const EVERYBODY = 'member';

/** Makes sure a database role carries exactly these roles' rights, and names it. */
export type RoleSet = (tenant: Tenant, roles: readonly string[]) => Promise<string>;

type Row = Readonly<Record<string, unknown>>;

/** Who a user record is, without rights: what sign-in needs to know. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly active: boolean;
}

export class People {
  readonly #database: Database;
  readonly #roleSet: RoleSet;

  constructor(database: Database, roleSet: RoleSet) {
    this.#database = database;
    this.#roleSet = roleSet;
  }

  /** @returns `null` for a user that does not exist, is deleted, or is inactive */
  async principal({ tenant, model }: TenantModel, userId: string): Promise<Principal | null> {
    const users = model.entities.get(USER);
    const teams = model.entities.get(TEAM);
    if (!users || !teams) return null;
    const [found, under, members] = await this.#database.batch(sessionOf(systemPrincipal(tenant, 'identity')), [
      {
        text: `select to_jsonb(u) from ${table(tenant, users)} u where u.id = $1${alive(users, 'u')}`,
        values: [userId],
      },
      { text: `${underTeam(tenant, users, teams)} select id from under`, values: [userId] },
      {
        text: `${underTeam(tenant, users, teams)} select u.id from ${table(tenant, users)} u where u.team in (select id from under)${alive(users, 'u')}`,
        values: [userId],
      },
    ]);
    const row = parse(found?.rows[0]?.[0]);
    if (!row || row['active'] === false) return null;
    const roles = texts(row['roles']).filter((role) => model.roles.has(role));
    if (model.roles.has(EVERYBODY)) roles.push(EVERYBODY);
    const sorted = [...new Set(roles)].sort();
    return Object.freeze({
      tenant: tenant.key,
      userId,
      name: nameOf(row),
      email: text(row['email']),
      roles: sorted,
      dbRole: await this.#roleSet(tenant, needed(model, sorted)),
      team: text(row['team']),
      teams: ids(under?.rows),
      // As the row policies have it: whoever is in no team has no team mates, and is not one of them either.
      teamMembers: ids(members?.rows),
      attributes: attributesOf(users, row),
      locale: text(row['locale']) ?? tenant.locale,
      timeZone: timeZoneOf(row) ?? tenant.timeZone,
    });
  }

  /** Finds a user by id or e-mail, active or not. */
  async find(
    { tenant, model }: TenantModel,
    by: { readonly id: string } | { readonly email: string },
  ): Promise<Person | null> {
    const users = model.entities.get(USER);
    if (!users) return null;
    const [column, value] = 'id' in by ? ['u.id::text', by.id] : ['lower(u.email)', by.email];
    const [found] = await this.#database.batch(sessionOf(systemPrincipal(tenant, 'identity')), [
      {
        text: `select to_jsonb(u) from ${table(tenant, users)} u where ${column} = $1${alive(users, 'u')}`,
        values: [value.trim().normalize('NFC').toLowerCase()],
      },
    ]);
    const row = parse(found?.rows[0]?.[0]);
    const id = text(row?.['id']);
    const email = text(row?.['email']);
    return row && id && email ? { id, email: email.toLowerCase(), active: row['active'] !== false } : null;
  }
}

/** Without the roles that others of them inherit anyway: most people then need no database role of their own combination. */
function needed(model: Model, roles: readonly string[]): readonly string[] {
  return roles.filter((role) => !roles.some((other) => other !== role && withInherited(model, [other]).has(role)));
}

function table(tenant: Tenant, entity: Entity): string {
  return qualified(tenant.names.schema, entity.table);
}

function alive(entity: Entity, alias: string): string {
  return entity.softDelete ? ` and ${alias}.${quote('deleted_at')} is null` : '';
}

/** The user's team and all under it; `union` (not `union all`) ends a circle of teams. */
function underTeam(tenant: Tenant, users: Entity, teams: Entity): string {
  return `with recursive under(id) as (
    select t.id from ${table(tenant, teams)} t join ${table(tenant, users)} u on u.team = t.id where u.id = $1${alive(teams, 't')}
    union select t.id from ${table(tenant, teams)} t join under on t.parent = under.id${alive(teams, 't')})`;
}

/** Everything on the user that holds one text: what conditions may compare with. */
function attributesOf(users: Entity, row: Row): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const field of users.fields.values()) {
    if (field.system || field.column === null || field.type.valueType !== 'text') continue;
    const value = text(row[field.column]);
    if (value !== null) attributes[field.key] = value;
  }
  return attributes;
}

/** People type it in themselves, and Postgres must neither stumble over it nor understand more than is meant. */
function timeZoneOf(row: Row): string | null {
  const zone = text(row['time_zone']);
  return zone !== null && isTimeZone(zone) ? zone : null;
}

function nameOf(row: Row): string {
  return text(row['name']) ?? text(row['email']) ?? '';
}

function parse(json: string | null | undefined): Row | null {
  if (!json) return null;
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function ids(rows: readonly (readonly (string | null)[])[] = []): string[] {
  return rows.flatMap(([id]) => (id ? [id] : []));
}
