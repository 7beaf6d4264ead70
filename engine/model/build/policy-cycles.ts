/**
 * Conditions of permissions become row policies, and a policy that looks at another table is subject to that table's
 * policies. Two entities whose permissions look at each other would make Postgres refuse every query
 * ("infinite recursion detected in policy"), so such a pair is refused here, with the documents that make it.
 */
import type { Condition, Many, Operand } from '../../condition/condition.ts';
import { manyOf } from '../../condition/operands.ts';
import { USER_ENTITY } from '../system-fields.ts';
import type { Draft } from './draft.ts';
import { cycleFrom } from './roles.ts';

export function checkPolicyCycles(draft: Draft): void {
  const looksAt = new Map<string, Set<string>>();
  for (const entity of draft.entities.values()) {
    const others = new Set<string>();
    // A part's policy looks at its parent.
    if (entity.parent) others.add(entity.parent.entity);
    for (const { condition } of entity.permissions) {
      if (!condition) continue;
      collect(condition, others);
      // Links have policies of their own, which look at the records at both ends.
      const linked = manyOf(condition).some(({ many }) => many.by === null && many.anchor.steps.length === 0);
      if (linked) others.add(entity.name);
    }
    looksAt.set(entity.name, others);
  }
  const reported = new Set<string>();
  for (const name of looksAt.keys()) {
    const cycle = cycleFrom(name, (key) => looksAt.get(key) ?? []);
    if (!cycle) continue;
    const members = [...new Set(cycle)].sort().join(' ');
    if (reported.has(members)) continue;
    reported.add(members);
    const place = placeOfPermission(draft, name);
    draft.faults.add(
      place,
      'cycle',
      `The permissions of these entities look at each other’s records in a circle: ${cycle.join(' → ')}.`,
      { found: cycle },
    );
  }
}

function placeOfPermission(draft: Draft, entity: string) {
  const [pack = '', key = ''] = entity.split('.');
  const written = draft.effective.of('permission').find(({ document, pack: its }) => {
    const name = document.entity ?? document.resource;
    const conditional = document.condition !== undefined || document.conditions !== undefined;
    return conditional && (name === entity || (name === key && its === pack));
  });
  if (written) return written.place(written.document.condition === undefined ? 'conditions' : 'condition');
  return draft.notes.get(entity)?.effective.place() ?? { document: entity, pointer: '' };
}

function collect(condition: Condition, into: Set<string>): void {
  switch (condition.kind) {
    case 'all':
    case 'any':
      for (const member of condition.of) collect(member, into);
      break;
    case 'not':
      collect(condition.of, into);
      break;
    case 'test':
      for (const operand of [condition.left, condition.right]) collectOperand(operand, into);
      break;
    case 'under':
      into.add(condition.tree.entity);
      for (const operand of [condition.left, condition.right]) collectOperand(operand, into);
      break;
    case 'some':
      collectMany(condition.many, condition.of, into);
      break;
    case 'business_hours':
    case 'shared':
      break;
  }
}

function collectMany(many: Many, of: Condition, into: Set<string>): void {
  into.add(many.entity);
  collectOperand(many.anchor, into);
  collect(of, into);
}

function collectOperand(operand: Operand, into: Set<string>): void {
  if (operand.kind === 'field') for (const step of operand.steps) into.add(step.entity);
  if (operand.kind === 'count') collectMany(operand.many, operand.of, into);
  // The members of a team are looked up among the users.
  if (operand.kind === 'user' && operand.attribute === 'team_members') into.add(USER_ENTITY);
}
