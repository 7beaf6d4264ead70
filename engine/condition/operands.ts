/** What a condition looks at. */
import type { Condition, Many, Operand, Tree } from './condition.ts';

/**
 * Both sides of every test, of this record alone: what a condition on many records asks of each of them is about their
 * entity. Business hours have none: they look at the clock.
 */
export function operandsOf(condition: Condition): readonly Operand[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(operandsOf);
    case 'not':
      return operandsOf(condition.of);
    case 'test':
      return [condition.left, condition.right].flatMap(anchored);
    case 'under':
      return [condition.left, condition.right];
    case 'some':
      return [condition.many.anchor];
    case 'business_hours':
      return [];
    case 'shared':
      return [condition.record];
  }
}

function anchored(operand: Operand): Operand {
  return operand.kind === 'count' ? operand.many.anchor : operand;
}

/** The conditions on many records in it, with those records; not those inside of them. */
export function manyOf(condition: Condition): readonly { readonly many: Many; readonly of: Condition }[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(manyOf);
    case 'not':
      return manyOf(condition.of);
    case 'some':
      return [condition];
    case 'test':
      return [condition.left, condition.right].flatMap((operand) => (operand.kind === 'count' ? [operand] : []));
    case 'under':
    case 'shared':
    case 'business_hours':
      return [];
  }
}

/** The trees it asks about. */
export function treesOf(condition: Condition): readonly Tree[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(treesOf);
    case 'not':
      return treesOf(condition.of);
    case 'under':
      return [condition.tree];
    case 'some':
    case 'test':
    case 'shared':
    case 'business_hours':
      return [];
  }
}

/** Whether it can be decided with the record and the user alone. */
export function looksFurther(condition: Condition): boolean {
  return treesOf(condition).length > 0 || manyOf(condition).length > 0;
}

/** Whether it asks for what changes by itself: the time, a share, which ends at a time, a setting. */
export function asksTheClock(condition: Condition): boolean {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.some(asksTheClock);
    case 'not':
      return asksTheClock(condition.of);
    case 'test':
      return [condition.left, condition.right].some(
        (operand) =>
          operand.kind === 'setting' ||
          operand.kind === 'now' ||
          operand.kind === 'today' ||
          operand.kind === 'period' ||
          (operand.kind === 'count' && asksTheClock(operand.of)),
      );
    case 'some':
      return asksTheClock(condition.of);
    case 'under':
      return false;
    case 'business_hours':
    case 'shared':
      return true;
  }
}
