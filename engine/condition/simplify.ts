/**
 * Rewriting of condition trees. Because the language is two-valued, the laws of ordinary logic hold without exception:
 * `x or not x` is true and `x and not x` is false, NULLs included.
 */
import type { Operator } from '../model/value-type.ts';
import { type Condition, FALSE, type Operand, TRUE } from './condition.ts';
import { evaluateTest } from './evaluate-test.ts';

type Test = Extract<Condition, { kind: 'test' }>;

export function all(of: readonly Condition[]): Condition {
  return group('all', of);
}

export function any(of: readonly Condition[]): Condition {
  return group('any', of);
}

/** `and(a, b)`: both hold; without arguments: always. */
export function and(...of: readonly Condition[]): Condition {
  return all(of);
}

/** `or(a, b)`: one holds; without arguments: never. */
export function or(...of: readonly Condition[]): Condition {
  return any(of);
}

/** The negation; of a negation, what was negated. */
export function not(of: Condition): Condition {
  if (of.kind === 'not') return of.of;
  if (isTrue(of)) return FALSE;
  if (isFalse(of)) return TRUE;
  return Object.freeze({ kind: 'not', of });
}

export function test(left: Operand, operator: Operator, right: Operand): Condition {
  return Object.freeze({ kind: 'test', left: Object.freeze(left), operator, right: Object.freeze(right) });
}

export function isTrue(condition: Condition): boolean {
  return condition.kind === 'all' && condition.of.length === 0;
}

export function isFalse(condition: Condition): boolean {
  return condition.kind === 'any' && condition.of.length === 0;
}

/**
 * A tree that means the same with less: nested groups are merged, repeated and constant parts are gone, `ne`, `nin` and
 * `between` are expressed by `eq`, `in`, `gte` and `lte`. Applying it twice changes nothing more.
 */
export function simplify(condition: Condition): Condition {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return group(condition.kind, condition.of.map(simplify));
    case 'not':
      return not(simplify(condition.of));
    case 'test':
      return simplifyTest(condition);
    case 'some':
      return simplifySome(condition);
    case 'under':
    case 'business_hours':
    case 'shared':
      return condition;
  }
}

/**
 * Negation normal form: `not` stands only around single tests. The SQL compiler needs it, because SQL's own `not` of
 * NULL is NULL.
 */
export function negationNormalForm(condition: Condition): Condition {
  return push(simplify(condition), false);
}

function push(condition: Condition, negated: boolean): Condition {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const flipped = condition.kind === 'all' ? 'any' : 'all';
      return group(
        negated ? flipped : condition.kind,
        condition.of.map((member) => push(member, negated)),
      );
    }
    case 'not':
      return push(condition.of, !negated);
    case 'test':
    case 'under':
    case 'some':
    case 'business_hours':
    case 'shared':
      return negated ? not(condition) : condition;
  }
}

/** Flattens, drops what changes nothing, and recognises a member together with its negation. */
function group(kind: 'all' | 'any', of: readonly Condition[]): Condition {
  const neutral = kind === 'all' ? isTrue : isFalse;
  const absorbing = kind === 'all' ? isFalse : isTrue;
  const constant = kind === 'all' ? FALSE : TRUE;
  const members = new Map<string, Condition>();
  for (const member of of.flatMap((each) => (each.kind === kind ? each.of : [each]))) {
    if (absorbing(member)) return constant;
    if (!neutral(member)) members.set(JSON.stringify(member), member);
  }
  for (const member of members.values()) {
    if (member.kind !== 'not') continue;
    // What is negated may have been merged into this group, and stands here in parts.
    const parts = member.of.kind === kind ? member.of.of : [member.of];
    if (parts.every((part) => members.has(JSON.stringify(part)))) return constant;
  }
  const [only] = members.values();
  if (only !== undefined && members.size === 1) return only;
  return members.size === 0 ? not(constant) : Object.freeze({ kind, of: Object.freeze([...members.values()]) });
}

/** Nothing fulfils what cannot be fulfilled. */
function simplifySome(condition: Extract<Condition, { kind: 'some' }>): Condition {
  const of = simplify(condition.of);
  return isFalse(of) ? FALSE : Object.freeze({ kind: 'some', many: condition.many, of });
}

function simplifyTest(condition: Test): Condition {
  const { left, operator, right } = condition;
  const constant = isConstant(left) && isConstant(right);
  if (constant) return evaluateTest(operator, left.type, valueOf(left), valueOf(right)) ? TRUE : FALSE;
  if (operator === 'ne') return not(simplifyTest({ ...condition, operator: 'eq' }));
  if (operator === 'nin') return not(simplifyTest({ ...condition, operator: 'in' }));
  if (operator === 'null' && right.kind === 'literal' && right.value === false) {
    return not(test(left, 'null', { ...right, value: true }));
  }
  if (right.kind !== 'list') return test(left, operator, right);
  const literals = right.values.map((value): Operand => ({ kind: 'literal', type: right.type, value }));
  const [first, second] = literals;
  if (operator === 'between') {
    if (first === undefined || second === undefined) return FALSE;
    return all([test(left, 'gte', first), test(left, 'lte', second)]);
  }
  if (operator === 'in' || operator === 'hasAny') {
    if (first === undefined) return FALSE;
    if (second === undefined) return test(left, operator === 'in' ? 'eq' : 'has', first);
  }
  return test(left, operator, right);
}

function isConstant(operand: Operand): operand is Extract<Operand, { kind: 'literal' | 'list' }> {
  return operand.kind === 'literal' || operand.kind === 'list';
}

function valueOf(operand: Extract<Operand, { kind: 'literal' | 'list' }>) {
  return operand.kind === 'list' ? operand.values : operand.value;
}
