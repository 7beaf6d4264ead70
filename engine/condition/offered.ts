/** Which operators a field has for somebody: those of its type, and `under` only where there is a tree. */
import type { Entity, Field } from '../model/model.ts';
import type { Operator } from '../model/value-type.ts';
import { treeOf } from './tree.ts';

export function offeredOperators(
  field: Field,
  entity: Entity,
  lookup: (name: string) => Entity | undefined,
  visible?: (entity: Entity, field: Field) => boolean,
): readonly Operator[] {
  const { operators } = field.type;
  if (!operators.includes('under') || treeOf(field, entity, lookup, visible) !== undefined) return operators;
  return operators.filter((operator) => operator !== 'under');
}
