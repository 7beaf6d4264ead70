/** A new organisation, from nothing to the first person who can sign in. */
import { administratorPrincipal } from './identity/service-principals.ts';
import { scopeFor } from './identity/scope-for.ts';
import { USER } from './identity/people.ts';
import type { Tenant } from './model/tenant.ts';
import { Problem } from './problem.ts';
import { createTenant } from './schema/tenants.ts';
import type { Services } from './services.ts';

export interface NewOrganisation {
  readonly key: string;
  readonly name: string;
  readonly country: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly locale: string;
  /** Month the fiscal year begins with, 1 to 12; January when left out. */
  readonly fiscalYearStart?: number;
  readonly packs: readonly string[];
  readonly administrator?: NewAdministrator;
}

export interface NewAdministrator {
  readonly email: string;
  readonly name: string;
  /** A generated one without. */
  readonly password?: string;
}

export interface MadeOrganisation {
  readonly tenant: Tenant;
  readonly release: number;
  readonly administrator: { readonly userId: string; readonly password: string } | null;
}

/** What is needed of the engine to add a person. */
type People = Pick<Services, 'models' | 'writer' | 'ids' | 'identity'>;

/**
 * @throws Problem `unique` when the key is taken, `invalid` or `invalid_document` when something about it is wrong
 */
export async function createOrganisation(services: Services, wanted: NewOrganisation): Promise<MadeOrganisation> {
  const { administrator: person, ...rest } = wanted;
  const tenant = await createTenant(services, rest);
  const { model } = await services.models.get(tenant.key);
  const administrator = person ? await addAdministrator(services, tenant.key, person) : null;
  return { tenant, release: model.release, administrator };
}

/** Adds somebody with the administrator's role, on nobody's behalf: the first one has to come from somewhere. */
export async function addAdministrator(services: People, tenant: string, person: NewAdministrator) {
  const principal = administratorPrincipal(await services.models.get(tenant), 'provisioning');
  const scope = await scopeFor(services.models, principal);
  const entity = scope.model.entities.get(USER);
  if (!entity) throw new RangeError('the model has no users');
  const body = { name: person.name, email: person.email, roles: principal.roles };
  const { id } = await services.writer.create(scope, entity, body, { returning: 'minimal' });
  if (id === undefined) throw new Problem('internal', 'The administrator could not be made.');
  const password = person.password ?? services.ids.secret(12);
  await services.identity.setPassword(principal, { userId: id, password });
  return { userId: id, password };
}
