/**
 * The few jobs that act as nobody in particular (rule 2): either as the `gate`, which sees the platform's directory and
 * sign-in tables and no tenant's records, or as a tenant's `system` role, which sees all records of that one tenant.
 * This list is complete: a job that is not here has no way to either.
 */
import type { Session } from '../db/database.ts';
import { bareSession } from '../db/database.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Principal } from './principal.ts';

/** Jobs of the gate, and why each needs it. */
export const GATE_JOBS = {
  directory: 'finds tenants by key and lists them for the command line',
  authentication: 'compares passwords and tokens before anybody is known',
  outbox: 'reads which records changed, in all tenants, and remembers how far',
  housekeeping: 'deletes expired sessions and old idempotency keys',
} as const satisfies Record<string, string>;
export type GateJob = keyof typeof GATE_JOBS;

/** Jobs of a tenant's system role, and why each needs it. */
export const SYSTEM_JOBS = {
  identity: 'reads the user, the teams above and below, and keeps the sign-in e-mail equal to the user’s',
  provisioning: 'makes the first administrator of a new tenant, when there is nobody yet who could',
} as const satisfies Record<string, string>;
export type SystemJob = keyof typeof SYSTEM_JOBS;

export function gateSession(_job: GateJob): Session {
  return bareSession('armature_gate');
}

/** A principal that is no person: records it makes have no creator. */
export function systemPrincipal(tenant: Tenant, job: SystemJob): Principal {
  return {
    tenant: tenant.key,
    userId: null,
    name: `system: ${job}`,
    email: null,
    roles: [],
    dbRole: tenant.names.system,
    team: null,
    teams: [],
    teamMembers: [],
    attributes: {},
    locale: tenant.locale,
    timeZone: tenant.timeZone,
  };
}
