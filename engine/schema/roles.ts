/** Database roles: one for each role of the model, and one for the named service principals. */
import { Problem } from '../problem.ts';
import type { Context } from './context.ts';
import type { RoleState } from './state.ts';

/** Names of roles that the engine makes beside the model's. */
const RESERVED = /^(system|set_[0-9a-f]{16})$/;

/** @throws Problem `invalid_document` for a role whose name the engine needs itself */
export function tenantRoles({ tenant, roles }: Context): Record<string, RoleState> {
  const { names } = tenant;
  const known = new Set(roles.map((role) => role.key));
  const reserved = roles.find((role) => RESERVED.test(role.key));
  if (reserved) {
    const message = `A role cannot be called “${reserved.key}”: the engine uses this name itself.`;
    throw new Problem('invalid_document', message, [{ code: 'reserved', message, params: { found: reserved.key } }]);
  }
  const states = roles.map((role): readonly [string, RoleState] => [
    names.role(role.key),
    {
      key: role.key,
      label: role.label,
      inherits: role.inherits
        .filter((parent) => known.has(parent))
        .map((parent) => names.role(parent))
        .sort(),
    },
  ]);
  return { [names.system]: { key: null, label: 'Service', inherits: [] }, ...Object.fromEntries(states) };
}
