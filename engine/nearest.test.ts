import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance, nearest } from './nearest.ts';

describe('nearest', () => {
  it('finds a key with a slip of the finger', () => {
    expect(nearest('amuont', ['name', 'amount', 'account'])).toBe('amount');
    expect(nearest('Stage', ['stage'])).toBe('stage');
  });

  it('suggests nothing when nothing is close', () => {
    expect(nearest('zebra', ['name', 'amount'])).toBeUndefined();
    expect(nearest('ab', ['xy'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });

  it('measures a distance: zero for the same word only, and the same in both directions', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, b) === 0).toBe(a === b);
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
