/** A tenant for tests of identity alone, without publishing. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { quote, tenantNames } from '../../db/identifiers.ts';
import type { Entity, Model } from '../../model/model.ts';
import type { Tenant } from '../../model/tenant.ts';

/** The two tables identity reads, made by hand: it asks no more of a tenant than this. */
export async function makeTenant(db: Database, rolePrefix: string, key: string): Promise<Tenant> {
  const names = tenantNames(rolePrefix, key);
  const id = randomUUID();
  await db.ownerTransaction(async (client) => {
    await client.query(
      `insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours)
       values ($1, $2, $3, 'DE', 'EUR', 'Europe/Berlin', 'de', '{}')`,
      [id, key, key.toUpperCase()],
    );
    await client.query(`create schema ${quote(names.schema)};
      create table ${quote(names.schema)}.core_teams (id uuid primary key, name text, parent uuid);
      create table ${quote(names.schema)}.core_users (id uuid primary key, name text, email text unique, active boolean,
        roles text[], team uuid, department text, locale text, time_zone text);
      create role ${quote(names.system)};
      grant armature_tenant to ${quote(names.system)} with inherit true;
      grant usage on schema ${quote(names.schema)} to ${quote(names.system)};
      grant select on all tables in schema ${quote(names.schema)} to ${quote(names.system)};
      grant ${quote(names.system)} to armature_app with inherit false, set true`);
  });
  return {
    id,
    key,
    name: key.toUpperCase(),
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'de',
    names,
    businessHours: { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' },
  };
}

const field = (key: string, valueType: string) =>
  [key, { key, column: key, system: false, type: { valueType } }] as const;

/** A model with these roles, and of users and teams just what identity looks at. */
export function modelOf(roles: readonly string[]): Model {
  const user = {
    table: 'core_users',
    softDelete: false,
    fields: new Map([field('department', 'text'), field('team', 'uuid')]),
  };
  const team = { table: 'core_teams', softDelete: false, fields: new Map() };
  return {
    roles: new Map(
      roles.map((key) => [key, { key, label: key, inherits: [], administrator: key === 'administrator' }]),
    ),
    entities: new Map([
      ['core.user', user],
      ['core.team', team],
    ]) as unknown as ReadonlyMap<string, Entity>,
  } as unknown as Model;
}
