import type { Model } from '../model/model.ts';

/** Whether any of the roles, or one they inherit from, is an administrator's. */
export function isAdministrator(model: Model, roles: readonly string[]): boolean {
  const open = [...roles];
  const seen = new Set<string>();
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    const role = model.roles.get(key);
    if (!role || seen.has(key)) continue;
    if (role.administrator) return true;
    seen.add(key);
    open.push(...role.inherits);
  }
  return false;
}
