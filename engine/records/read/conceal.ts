/**
 * The filter of a view may ask about trees and records that this reader may not see: it sees nothing in them. (Single
 * fields it may not see are NULL, see `SqlWriter.seen`.)
 */
import { type Condition, FALSE, type Many, type Operand, type Tree } from '../../condition/condition.ts';
import { all, any, not } from '../../condition/simplify.ts';
import type { Entity } from '../../model/model.ts';
import type { Access } from './access.ts';

export function conceal(condition: Condition, entity: Entity, access: Access): Condition {
  switch (condition.kind) {
    case 'all':
      return all(condition.of.map((member) => conceal(member, entity, access)));
    case 'any':
      return any(condition.of.map((member) => conceal(member, entity, access)));
    case 'not':
      return not(conceal(condition.of, entity, access));
    case 'under':
      return showsTree(condition.tree, access) ? condition : FALSE;
    case 'some': {
      const inner = manyShown(condition.many, entity, access);
      return inner === undefined ? FALSE : { ...condition, of: conceal(condition.of, inner, access) };
    }
    case 'test':
      return [condition.left, condition.right].every((operand) => isShown(operand, entity, access)) ? condition : FALSE;
    case 'shared':
    case 'business_hours':
      return condition;
  }
}

function showsTree(tree: Tree, access: Access): boolean {
  const entity = access.lookup(tree.entity);
  const parent = entity?.fields.get(tree.parent);
  return entity !== undefined && parent !== undefined && access.visible(entity, parent);
}

/** The entity of the many records, where the field that holds them may be seen. */
function manyShown(many: Many, entity: Entity, access: Access): Entity | undefined {
  const last = many.anchor.steps.at(-1);
  const holder = last === undefined ? entity : access.lookup(last.entity);
  const field = holder?.fields.get(many.field);
  return holder && field && access.visible(holder, field) ? access.lookup(many.entity) : undefined;
}

function isShown(operand: Operand, entity: Entity, access: Access): boolean {
  return operand.kind !== 'count' || manyShown(operand.many, entity, access) !== undefined;
}
