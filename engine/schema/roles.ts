/** Database roles: one for each role of the model, and one for the named service principals. */
import type { Context } from './context.ts';
import type { RoleState } from './state.ts';

export function tenantRoles({ tenant, roles }: Context): Record<string, RoleState> {
  const { names } = tenant;
  const known = new Set(roles.map((role) => role.key));
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
