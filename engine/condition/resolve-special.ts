/** Operators whose right side is a language of its own: periods, patterns, words, and the record a tree is asked about. */
import type { Entity, Field } from '../model/model.ts';
import type { Operator } from '../model/value-type.ts';
import { nearest } from '../nearest.ts';
import { type Condition, type Operand, TRUE } from './condition.ts';
import { describe, hint } from './faults.ts';
import { wordsOf } from './fold.ts';
import { isPattern } from './like.ts';
import { isPeriod, PERIODS } from './period.ts';
import type { RawOperand } from './raw.ts';
import { resolveRight, type Side } from './resolve-right.ts';
import { all, test } from './simplify.ts';
import { treeOf } from './tree.ts';

/** After a fault, any tree will do. */
const FAULTY = TRUE;

/** `{ "within": "last_30_days" }`: two comparisons with what the period is when the question is asked. */
export function resolveWithin(left: Operand, right: RawOperand, side: Side): Condition {
  const period = right.kind === 'value' ? right.value : undefined;
  if (typeof period !== 'string' || !isPeriod(period) || (left.type !== 'date' && left.type !== 'datetime')) {
    const suggestion = typeof period === 'string' ? nearest(period.slice(0, 40), PERIODS) : undefined;
    const message = `A period such as "this_month", "last_30_days" or "next_fiscal_quarter" is expected here, found ${describe(period)}.`;
    side.faults.add(right.at, 'invalid', `${message}${hint(suggestion)}`, {
      expected: [...PERIODS, 'last_N_days', 'last_N_weeks', 'last_N_months', 'next_N_days'],
      found: describe(period),
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
    return FAULTY;
  }
  const { type } = left;
  const edge = (which: 'from' | 'to'): Operand => ({ kind: 'period', type, period, edge: which });
  return all([test(left, 'gte', edge('from')), test(left, 'lt', edge('to'))]);
}

/** Every word of it is found. What a person types has no words now and then: that narrows to what has a text at all. */
export function resolveSearch(left: Operand, right: RawOperand, side: Side): Condition {
  const text = textOf(right, side);
  if (text === undefined) return FAULTY;
  const words = wordsOf(text);
  if (words.length > MAX_WORDS) {
    side.faults.add(right.at, 'too_large', `At most ${MAX_WORDS} words are searched for.`, { max: MAX_WORDS });
  }
  const tests = words.map((word) => test(left, 'search', { kind: 'literal', type: 'text', value: word }));
  return tests.length > 0 ? all(tests) : test(left, 'null', { kind: 'literal', type: 'boolean', value: false });
}

const MAX_WORDS = 20;

export function resolveLike(left: Operand, operator: Operator, right: RawOperand, side: Side): Condition {
  const pattern = textOf(right, side);
  if (pattern === undefined) return FAULTY;
  if (isPattern(pattern)) return test(left, operator, { kind: 'literal', type: 'text', value: pattern });
  side.faults.add(right.at, 'invalid', 'A pattern may not end with a backslash: write \\\\ for the character itself.', {
    expected: 'a pattern',
    found: describe(pattern),
  });
  return FAULTY;
}

/** Patterns and words are read before they are compared: no record brings them. */
function textOf(right: RawOperand, side: Side): string | undefined {
  if (right.kind !== 'value') {
    side.faults.add(right.at, 'invalid', 'A text is expected here.', { expected: 'text', found: right.kind });
    return undefined;
  }
  const operand = resolveRight(right, 'text', null, side);
  return operand?.kind === 'literal' && typeof operand.value === 'string' ? operand.value : undefined;
}

export function resolveUnder(
  left: Operand,
  right: RawOperand,
  field: Field | null,
  entity: Entity | undefined,
  side: Side,
): Condition {
  const tree = field === null || entity === undefined ? undefined : treeOf(field, entity, side.lookup, side.visible);
  if (tree === undefined) {
    const message = `"${field?.key ?? 'user'}" names no record of a tree: its entity has no reference to itself.`;
    side.faults.add(right.at, 'unknown_operator', message, { expected: 'a tree', found: field?.type.key });
    return FAULTY;
  }
  const top = resolveRight(right, 'uuid', null, side);
  return top === undefined ? FAULTY : Object.freeze({ kind: 'under', left, right: top, tree });
}
