/** The shipped packs as a model, with documents of an organisation, and scopes on it by role. */
import { tenantNames } from '#engine/db/identifiers.ts';
import { assignIdentities, buildModel } from '#engine/model/build.ts';
import type { Model } from '#engine/model/model.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { rightsOf } from '#engine/model/rights.ts';
import type { Scope } from '#engine/records/scope.ts';

const settings = { currency: 'EUR', country: 'DE', timeZone: 'Europe/Berlin', locale: 'en' };

export async function shippedModel(documents: readonly Record<string, unknown>[] = []): Promise<Model> {
  const tenantDocuments = documents.map((document, at) => ({ source: `document ${at}`, pack: 'custom', document }));
  const source = { tenant: 'acme', release: 4, settings, packs: await loadShippedPacks(), tenantDocuments };
  return buildModel({ ...source, identities: assignIdentities(source) });
}

export function scopeOn(model: Model, ...roles: string[]): Scope {
  const businessHours = { timeZone: 'UTC', days: [1], from: '09:00', to: '17:00' };
  const tenant = { id: '0', key: 'acme', name: 'Acme', ...settings, businessHours, names: tenantNames('t', 'acme') };
  const person = {
    tenant: 'acme',
    userId: '1',
    name: 'Sara',
    email: 'sara@acme.test',
    roles,
    dbRole: 'x',
    team: null,
    teams: [],
    teamMembers: [],
  };
  const principal = { ...person, attributes: {}, locale: 'en', timeZone: 'UTC' };
  return { tenant, model, principal, rights: rightsOf(model, roles), predicates: true };
}
