/** The model of the small trade, and scopes of people in it. */
import { tenantNames } from '../../../db/identifiers.ts';
import type { Principal } from '../../../identity/principal.ts';
import { assignIdentities, buildModel } from '../../../model/build.ts';
import type { Entity, Model } from '../../../model/model.ts';
import { loadShippedPacks } from '../../../model/packs.ts';
import { rightsOf } from '../../../model/rights.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { Scope } from '../../scope.ts';
import { tradePack } from './documents.ts';

export async function tradeModel(tenant = 'trade'): Promise<Model> {
  const shipped = await loadShippedPacks();
  const core = shipped.filter((pack) => pack.key === 'core');
  const settings = { currency: 'EUR', country: 'DE', timeZone: 'Europe/Berlin', locale: 'en' };
  const source = { tenant, release: 1, settings, packs: [...core, tradePack], tenantDocuments: [] };
  return buildModel({ ...source, identities: assignIdentities(source) });
}

export function tradeTenant(prefix: string, key = 'trade'): Tenant {
  return {
    id: '00000000-0000-7000-8000-000000000001',
    key,
    name: 'Trade',
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    locale: 'en',
    businessHours: { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' },
    names: tenantNames(prefix, key),
  };
}

export function scopeOf(
  tenant: Tenant,
  model: Model,
  role: string,
  userId: string,
  changes: Partial<Principal> = {},
): Scope {
  const principal: Principal = {
    tenant: tenant.key,
    userId,
    name: role,
    email: null,
    roles: [role],
    dbRole: tenant.names.role(role),
    team: null,
    teams: [],
    teamMembers: [userId],
    attributes: {},
    locale: 'en',
    timeZone: 'Europe/Berlin',
    ...changes,
  };
  return { tenant, model, principal, rights: rightsOf(model, principal.roles), predicates: true };
}

export function entityOf(model: Model, name: string): Entity {
  const entity = model.entities.get(name);
  if (entity === undefined) throw new TypeError(`no entity ${name}`);
  return entity;
}
