import { describe, expect, it } from 'vitest';
import { refusal } from '../condition/testing/refusal.ts';
import { evaluateFormula } from './evaluate.ts';
import type { Formula } from './formula.ts';
import { orderFormulas } from './order.ts';
import { parseFormula } from './parse.ts';

function formulas(sources: Record<string, string>): Map<string, Formula> {
  const fields = new Map(['stored', ...Object.keys(sources)].map((key) => [key, { valueType: 'decimal' }] as const));
  return new Map(
    Object.entries(sources).map(([key, source]) => [
      key,
      parseFormula(source, { fields, returns: 'decimal', scale: 2, pointer: `/${key}` }),
    ]),
  );
}

const refused = (sources: Record<string, string>) =>
  refusal(() => orderFormulas(formulas(sources), (key) => `/fields/${key}/expr`));

describe('formulas of formulas', () => {
  it('come after what they read', () => {
    expect(orderFormulas(formulas({ c: 'a + b', b: 'a * 2', a: 'stored' })).order).toEqual(['a', 'b', 'c']);
  });

  it('are put in, and round where the field they stand for rounds', () => {
    const { inlined } = orderFormulas(formulas({ third: 'stored / 3', whole: 'third * 3' }));
    const whole = inlined.get('whole');
    expect(whole?.reads).toEqual(['stored']);
    expect(whole && evaluateFormula(whole, { stored: '10' })).toBe('9.99');
  });

  it('may share what they read', () => {
    expect(orderFormulas(formulas({ d: 'b + c', b: 'a', c: 'a', a: 'stored' })).order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('may not go in a circle', () => {
    const problem = refused({ x: 'a', a: 'b + 1', b: 'stored + a' });
    expect(problem.message).toBe('cyclic formula: a → b → a');
    expect(problem.errors[0]).toMatchObject({ code: 'cyclic', pointer: '/fields/a/expr' });
    expect(refused({ a: 'a' }).message).toBe('cyclic formula: a → a');
  });

  it('may not grow without end', () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`f${index}`, index === 0 ? 'stored' : `f${index - 1} + f${index - 1}`]),
    );
    expect(refused(doubling).errors[0]?.code).toBe('too_large');
  });
});
