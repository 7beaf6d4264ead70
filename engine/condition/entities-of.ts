/** Which other entities a condition reads on its way. */
import type { Condition, Operand } from './condition.ts';

/** The entity of users, which `user.team_members` is looked up in. */
const USERS = 'core.user';

/**
 * Qualified names of the entities that are read besides the condition's own. A row policy made of the condition reads
 * their tables under their own policies, so these names must not lead in a circle.
 */
export function entitiesOf(condition: Condition): ReadonlySet<string> {
  const found = new Set<string>();
  visit(condition, found);
  return found;
}

function visit(condition: Condition, found: Set<string>): void {
  switch (condition.kind) {
    case 'all':
    case 'any':
      for (const member of condition.of) visit(member, found);
      break;
    case 'not':
      visit(condition.of, found);
      break;
    case 'test':
      for (const operand of [condition.left, condition.right]) visitOperand(operand, found);
      break;
    case 'business_hours':
      break;
  }
}

function visitOperand(operand: Operand, found: Set<string>): void {
  if (operand.kind === 'field') for (const step of operand.steps) found.add(step.entity);
  if (operand.kind === 'user' && operand.attribute === 'team_members') found.add(USERS);
}
