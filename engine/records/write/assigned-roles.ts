/** People's roles are tags to the model, and keys of roles to everybody else: one that does not exist gives no rights. */
import type { Entity, Field, Model } from '#engine/model/model.ts';
import { nearest } from '#engine/nearest.ts';
import type { ProblemDetail } from '#engine/problem.ts';

export function holdsRoles(entity: Entity, field: Field): boolean {
  return entity.name === 'core.user' && field.key === 'roles';
}

/**
 * @param value as it was sent, so that positions are those of the sender
 * @param pointer of the list
 */
export function unknownRoles(model: Model, value: unknown, pointer: string): readonly ProblemDetail[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.flatMap((one, index): readonly ProblemDetail[] => {
    const role = typeof one === 'string' ? one.trim() : '';
    if (role === '' || model.roles.has(role)) return [];
    const meant = nearest(role, model.roles.keys());
    const hint = meant === undefined ? '' : ` Did you mean “${meant}”?`;
    return [
      {
        code: 'unknown_reference',
        message: `There is no role “${role.slice(0, 60)}”.${hint}`,
        pointer: `${pointer}/${index}`,
        params: { found: role, ...(meant === undefined ? {} : { nearest: meant }) },
      },
    ];
  });
}
