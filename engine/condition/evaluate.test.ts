import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operator, Value, ValueType } from '../model/value-type.ts';
import { compareText } from './compare-text.ts';
import { type EvaluationContext, evaluate } from './evaluate.ts';
import { evaluateTest } from './evaluate-test.ts';
import { parseCondition } from './parse.ts';
import { resolveCondition } from './resolve.ts';
import { lookup, THING } from './testing/entities.ts';

const context: EvaluationContext = {
  user: (attribute) => (attribute === 'id' ? '0197a000-0000-7000-8000-000000000001' : null),
  now: Date.UTC(2026, 0, 31, 23, 30),
  timeZone: 'Europe/Berlin',
  businessHours: { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' },
};

const holds = (json: unknown, record: Record<string, unknown>, changed: Partial<EvaluationContext> = {}) =>
  evaluate(resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup), record, { ...context, ...changed });

describe('NULL', () => {
  const operators: [Operator, ValueType, Value][] = [
    ['eq', 'text', 'a'],
    ['lt', 'text', 'a'],
    ['gte', 'integer', 1],
    ['in', 'text', ['a']],
    ['between', 'integer', ['1', '2']],
    ['contains', 'text', 'a'],
    ['istarts', 'text', ''],
    ['ends', 'text', ''],
    ['has', 'texts', 'a'],
    ['hasAny', 'texts', ['a']],
    ['hasAll', 'texts', []],
  ];
  it.each(operators)('%s is false when a side is NULL', (operator, type, value) => {
    expect(evaluateTest(operator, type, null, value)).toBe(false);
    expect(evaluateTest(operator, type, type === 'texts' ? ['a'] : 'a', null)).toBe(false);
  });

  it('ne and nin are the negations of eq and in', () => {
    expect(evaluateTest('ne', 'text', null, 'a')).toBe(true);
    expect(evaluateTest('nin', 'text', null, ['a'])).toBe(true);
    expect(evaluateTest('ne', 'text', null, null)).toBe(true);
  });

  it('null asks for it', () => {
    expect(holds({ name: null }, {})).toBe(true);
    expect(holds({ name: { null: false } }, { name: '' })).toBe(true);
  });
});

/** From the documentation of json-rules-engine, with the operators as it defines them on values that are there. */
describe('json-rules-engine', () => {
  it.each<[string, unknown, unknown, boolean]>([
    ['equal', 'name', 'a', true],
    ['equal', 'name', 'b', false],
    ['notEqual', 'name', 'b', true],
    ['notEqual', 'name', 'a', false],
    ['in', 'name', ['a', 'b'], true],
    ['in', 'name', ['b'], false],
    ['notIn', 'name', ['b'], true],
    ['notIn', 'name', ['a'], false],
    ['lessThan', 'count', 6, true],
    ['lessThan', 'count', 5, false],
    ['lessThanInclusive', 'count', 5, true],
    ['greaterThan', 'count', 5, false],
    ['greaterThan', 'count', 4, true],
    ['greaterThanInclusive', 'count', 5, true],
    ['contains', 'tags', 'x', true],
    ['contains', 'tags', 'z', false],
    ['doesNotContain', 'tags', 'z', true],
    ['doesNotContain', 'tags', 'x', false],
  ])('%s of %j and %j is as there', (operator, fact, value, expected) => {
    expect(holds({ all: [{ fact, operator, value }] }, { name: 'a', count: 5, tags: ['x', 'y'] })).toBe(expected);
  });

  it('nests all, any and not, compares facts with facts, and walks paths', () => {
    const json = {
      any: [
        {
          all: [
            { fact: 'count', operator: 'greaterThan', value: 3 },
            { not: { fact: 'name', operator: 'equal', value: 'b' } },
          ],
        },
        { fact: 'box', path: '$.label', operator: 'equal', value: { fact: 'name' } },
      ],
    };
    expect(holds(json, { count: 5, name: 'a' })).toBe(true);
    expect(holds(json, { count: 1, name: 'a', box: { label: 'a' } })).toBe(true);
    expect(holds(json, { count: 5, name: 'b', box: { label: 'a' } })).toBe(false);
    expect(holds({ all: [] }, {})).toBe(true);
  });

  it('differs where it is loose: it takes null as 0 and "10" as a number', () => {
    expect(holds({ fact: 'count', operator: 'lessThan', value: 1 }, { count: null })).toBe(false);
  });
});

describe('values', () => {
  it('of decimals are exact, whatever they are written as', () => {
    expect(holds({ amount: '10.5' }, { amount: '10.50' })).toBe(true);
    expect(holds({ amount: { lt: '0.3' } }, { amount: 0.1 })).toBe(true);
    expect(holds({ amount: { gt: '123456789012345678.01' } }, { amount: '123456789012345678.02' })).toBe(true);
    expect(holds({ fact: 'amount', operator: 'equal', value: { fact: 'count' } }, { amount: '2.00', count: 2 })).toBe(
      true,
    );
  });

  it.each([
    '2026-01-31 10:00:00+00',
    '2026-01-31T10:00:00.000Z',
    '2026-01-31 12:00:00.000123+02',
    '2026-01-31T12:00:00+02:00',
  ])('of date-times are moments: %s', (seen_at) => {
    expect(holds({ seen_at: '2026-01-31T10:00:00Z' }, { seen_at })).toBe(true);
  });

  it('of today go by the time zone of the user', () => {
    expect(holds({ due: '@today' }, { due: '2026-02-01' })).toBe(true);
    expect(holds({ due: '@today' }, { due: '2026-01-31' }, { timeZone: 'UTC' })).toBe(true);
  });

  it('of references are ids or the records themselves', () => {
    const id = '0197a000-0000-7000-8000-000000000001';
    expect(holds({ owner: '@me' }, { owner: id })).toBe(true);
    expect(holds({ owner: '@me' }, { owner: { id, name: 'Ada' } })).toBe(true);
    expect(
      holds({ box: { size: 3 } }, { box: id }, { follow: (entity) => (entity === 'lab.box' ? { size: 3 } : null) }),
    ).toBe(true);
    expect(holds({ box: { size: { ne: 3 } } }, { box: id }, { follow: () => null })).toBe(true);
    expect(() => holds({ box: { size: 3 } }, { box: id })).toThrow(TypeError);
  });

  it('of texts are ordered by code point', () => {
    expect(holds({ name: { gt: '！' } }, { name: '😀' })).toBe(true);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });
});

describe('business hours', () => {
  const json = { fact: 'business_hours', operator: 'equal', value: true };
  it.each([
    ['Monday at nine', Date.UTC(2026, 1, 2, 8, 0), true],
    ['a minute before', Date.UTC(2026, 1, 2, 7, 59), false],
    ['Monday at five', Date.UTC(2026, 1, 2, 16, 0), false],
    ['a minute before five, in summer', Date.UTC(2026, 6, 6, 14, 59), true],
    ['Saturday', Date.UTC(2026, 0, 31, 11, 0), false],
  ])('on %s', (_, now, expected) => {
    expect(holds(json, {}, { now })).toBe(expected);
    expect(holds({ ...json, value: false }, {}, { now })).toBe(!expected);
  });
});
