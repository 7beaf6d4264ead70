/** What a condition looks at. */
import type { Condition, Operand } from './condition.ts';

/** Both sides of every test. Business hours have none: they look at the clock. */
export function operandsOf(condition: Condition): readonly Operand[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(operandsOf);
    case 'not':
      return operandsOf(condition.of);
    case 'test':
      return [condition.left, condition.right];
    case 'business_hours':
      return [];
    case 'shared':
      return [condition.record];
  }
}

/** Whether it asks what time it is, in any form: a share ends at a time. */
export function asksTheClock(condition: Condition): boolean {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.some(asksTheClock);
    case 'not':
      return asksTheClock(condition.of);
    case 'test':
      return [condition.left, condition.right].some(({ kind }) => kind === 'now' || kind === 'today');
    case 'business_hours':
    case 'shared':
      return true;
  }
}
