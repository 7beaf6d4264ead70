/**
 * The few jobs that act as nobody in particular (rule 2): as the `gate`, which sees the platform's directory and
 * sign-in tables and no tenant's records; as a tenant's `system` role, which sees all records of that one tenant; or
 * with the rights of an administrator before there is one. This list is complete: a job that is not here has no way to
 * any of them.
 */
import type { Session } from '../db/database.ts';
import { bareSession } from '../db/database.ts';
import type { Tenant, TenantModel } from '../model/tenant.ts';
import type { Principal } from './principal.ts';

/** Jobs of the gate, and why each needs it. */
export const GATE_JOBS = {
  directory: 'finds tenants by key and lists them for the command line',
  authentication: 'compares passwords and tokens before anybody is known',
  outbox: 'reads which records changed, in all tenants, and remembers how far',
  jobs: 'hands jobs over to Redis, and notes which are done',
  housekeeping:
    'deletes expired sessions, old idempotency keys, old events that every consumer has read, files that no record has named for a day, and those of organisations that are gone',
} as const satisfies Record<string, string>;
export type GateJob = keyof typeof GATE_JOBS;

/** Jobs of a tenant's system role, and why each needs it. */
export const SYSTEM_JOBS = {
  identity: 'reads the user, the teams above and below, and keeps the sign-in e-mail equal to the user’s',
  bin: 'purges deleted records when the time for which the organisation keeps them is over',
  shares: 'ends shares whose time is over, and forgets those that ended long ago',
  imports: 'notes that an import has ended because whoever started it may no longer act',
} as const satisfies Record<string, string>;
export type SystemJob = keyof typeof SYSTEM_JOBS;

/** Jobs with an administrator's rights, and why each needs them. */
export const ADMINISTRATOR_JOBS = {
  provisioning: 'makes the first administrator of a new tenant, when there is nobody yet who could',
  flags: 'switches flags from the command line, where nobody has signed in',
} as const satisfies Record<string, string>;
export type AdministratorJob = keyof typeof ADMINISTRATOR_JOBS;

export function gateSession(_job: GateJob): Session {
  return bareSession('armature_gate');
}

/** A principal that is no person: records it makes have no creator. */
export function systemPrincipal(tenant: Tenant, job: SystemJob): Principal {
  return principal(tenant, job, [], tenant.names.system);
}

/** No person either, with the rights of the tenant's administrators. */
export function administratorPrincipal({ tenant, model }: TenantModel, job: AdministratorJob): Principal {
  const role = [...model.roles.values()].find(({ administrator }) => administrator);
  if (!role) throw new RangeError(`the model of "${tenant.key}" has no administrator's role`);
  return principal(tenant, job, [role.key], tenant.names.role(role.key));
}

function principal(tenant: Tenant, job: string, roles: readonly string[], dbRole: string): Principal {
  return {
    tenant: tenant.key,
    userId: null,
    name: `system: ${job}`,
    email: null,
    roles,
    dbRole,
    team: null,
    teams: [],
    teamMembers: [],
    attributes: {},
    locale: tenant.locale,
    timeZone: tenant.timeZone,
  };
}
