import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Condition, FALSE, TRUE } from './condition.ts';
import { type EvaluationContext, evaluate } from './evaluate.ts';
import { and, negationNormalForm, not, or, simplify, test } from './simplify.ts';

const NAMES = ['a', 'b', 'c'] as const;

const leaf: fc.Arbitrary<Condition> = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom('eq', 'ne', 'lt', 'null', 'in', 'nin', 'between'),
    fc.integer({ min: 0, max: 2 }),
  )
  .map(([field, operator, value]) => {
    const left = { kind: 'field', type: 'integer', steps: [], field, fieldId: field } as const;
    if (operator === 'null') return test(left, 'null', { kind: 'literal', type: 'boolean', value: value > 0 });
    if (operator === 'in' || operator === 'nin' || operator === 'between') {
      return test(left, operator, {
        kind: 'list',
        type: 'integer',
        values: operator === 'between' ? [value, 2] : [0, 1, 2].slice(value + 1),
      });
    }
    return test(left, operator, { kind: 'literal', type: 'integer', value });
  });

const condition = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    fc.constantFrom(TRUE, FALSE),
    // Written out, not with the constructors, which would simplify on the way.
    fc
      .tuple(fc.constantFrom('all', 'any'), fc.array(tie('node'), { maxLength: 3 }))
      .map(([kind, of]): Condition => ({ kind, of })),
    tie('node').map((of): Condition => ({ kind: 'not', of })),
  ),
})).node;

const record = fc.record(
  Object.fromEntries(NAMES.map((name) => [name, fc.option(fc.integer({ min: 0, max: 2 }), { freq: 2 })])),
);

/** Groups that should not be there: of one or none inside others, of the kind they stand in, negations of negations. */
function flaws(each: Condition, outer: Condition | null): Condition[] {
  if (each.kind === 'not') return [...(outer?.kind === 'not' ? [each] : []), ...flaws(each.of, each)];
  if (each.kind !== 'all' && each.kind !== 'any') return [];
  const wrong = each.kind === outer?.kind || each.of.length === 1 || (outer !== null && each.of.length === 0);
  return [...(wrong ? [each] : []), ...each.of.flatMap((member) => flaws(member, each))];
}

const context: EvaluationContext = {
  user: () => null,
  now: 0,
  timeZone: 'UTC',
  businessHours: { timeZone: 'UTC', days: [], from: '09:00', to: '17:00' },
};

describe('simplify', () => {
  it('changes no meaning', () => {
    fc.assert(
      fc.property(condition, record, (each, values) => {
        expect(evaluate(simplify(each), values, context)).toBe(evaluate(each, values, context));
        expect(evaluate(negationNormalForm(each), values, context)).toBe(evaluate(each, values, context));
      }),
      { numRuns: 1000 },
    );
  });

  it('is done after once', () => {
    fc.assert(
      fc.property(condition, (each) => {
        expect(simplify(simplify(each))).toEqual(simplify(each));
      }),
    );
  });

  it('leaves no constant inside, no group in a group of its kind, no `not` of a group in normal form', () => {
    fc.assert(
      fc.property(condition, (each) => {
        expect(flaws(simplify(each), null)).toEqual([]);
        const normal = negationNormalForm(each);
        expect(flaws(normal, null)).toEqual([]);
        expect(JSON.stringify(normal)).not.toMatch(/"kind":"not","of":\{"kind":"(all|any|not)"/);
      }),
    );
  });

  it('knows that something holds or does not, NULL or not', () => {
    fc.assert(
      fc.property(condition, (each) => {
        expect(or(simplify(each), not(simplify(each)))).toEqual(TRUE);
        expect(and(simplify(each), not(simplify(each)))).toEqual(FALSE);
      }),
    );
  });
});
