/**
 * Which records a permission reaches: those of its condition, and of an entity whose records are shared also those
 * shared with the person. Both layers ask here, the compiler's rights and the row policies.
 *
 * A share opens records and nothing else. Actions and fields stay those of the person's roles.
 */
import type { Condition } from '../condition/condition.ts';
import { sharedWithUser } from '../condition/shared.ts';
import type { Action, Entity, Permission } from './model.ts';

/** @returns `null` for every record */
export function rowsReached(entity: Entity, { condition }: Permission, action: Action): Condition | null {
  if (condition === null || !entity.sharing) return condition;
  if (action !== 'read' && action !== 'update') return condition;
  const shared = sharedWithUser(entity, action === 'read' ? 'read' : 'write');
  return { kind: 'any', of: [condition, shared] };
}
