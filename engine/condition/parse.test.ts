import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCondition, parseShortConditions } from './parse.ts';
import { conditionJson } from './testing/arbitraries.ts';
import { attempt, refusal } from './testing/refusal.ts';

const refused = (json: unknown) => refusal(() => parseCondition(json, { pointer: '/condition' })).errors;

describe('the json-rules-engine form', () => {
  it('keeps fields, paths and the user apart', () => {
    const json = {
      all: [{ fact: 'account', path: '$.country', operator: 'notEqual', value: { fact: 'user', path: '$.country' } }],
    };
    expect(parseCondition(json, { pointer: '' })).toEqual({
      kind: 'all',
      at: '/all',
      of: [
        {
          kind: 'test',
          at: '/all/0',
          left: { kind: 'path', at: '/all/0', path: ['account', 'country'] },
          operator: 'ne',
          right: { kind: 'user', at: '/all/0/value', attribute: 'country' },
        },
      ],
    });
  });

  it('names a misspelled operator and the nearest right one', () => {
    const [error] = refused({ any: [{ fact: 'stage', operator: 'equals', value: 'won' }] });
    expect(error).toMatchObject({
      code: 'unknown_operator',
      pointer: '/condition/any/0/operator',
      params: { found: 'equals', nearest: 'equal' },
    });
  });

  it('names a misspelled key', () => {
    const [error] = refused({ fact: 'stage', operator: 'equal', valeu: 'won', value: 1 });
    expect(error).toMatchObject({ pointer: '/condition/valeu', params: { nearest: 'value' } });
  });

  it.each([
    ['a JSONPath that computes', { fact: 'a', path: '$[?(true)]', operator: 'equal', value: 1 }, '/condition/path'],
    ['a missing value', { fact: 'a', operator: 'equal' }, '/condition/value'],
    ['a user without attribute', { fact: 'user', operator: 'equal', value: 1 }, '/condition/path'],
    ['parts of now', { fact: 'now', path: '$.year', operator: 'equal', value: 1 }, '/condition/path'],
    ['a fact that is no key', { fact: '__proto__', operator: 'equal', value: 1 }, '/condition/fact'],
    ['an empty any', { any: [] }, '/condition/any'],
    ['an object as value', { fact: 'a', operator: 'equal', value: { b: 1 } }, '/condition/value'],
    ['parameters', { fact: 'a', operator: 'equal', value: 1, params: {} }, '/condition/params'],
  ])('refuses %s', (_, json, pointer) => {
    expect(refused(json)[0]?.pointer).toBe(pointer);
  });
});

describe('the filter form', () => {
  it('reads scalars as equality and nested objects as references', () => {
    const raw = parseCondition({ stage: 'won', account: { country: { in: ['DE'] } } }, { pointer: '' });
    expect(raw).toMatchObject({
      kind: 'all',
      of: [
        { left: { path: ['stage'] }, operator: 'eq', right: { value: 'won' } },
        {
          left: { path: ['account', 'country'] },
          operator: 'in',
          at: '/account/country/in',
          right: { of: [{ at: '/account/country/in/0', value: 'DE' }] },
        },
      ],
    });
  });

  it('lets and, or, not stand inside a field', () => {
    const raw = parseCondition(
      { account: { or: [{ country: 'DE' }, { size: { gt: 5 } }] }, amount: { not: { lt: '5' } } },
      { pointer: '' },
    );
    expect(raw).toMatchObject({
      of: [
        { kind: 'any', of: [{ left: { path: ['account', 'country'] } }, { left: { path: ['account', 'size'] } }] },
        { kind: 'not', of: { left: { path: ['amount'] }, operator: 'lt' } },
      ],
    });
  });

  it('takes nothing to mean every record', () => {
    expect(parseCondition({}, { pointer: '' })).toEqual({ kind: 'all', at: '', of: [] });
  });

  it('escapes keys in pointers', () => {
    expect(refused({ 'a/b~c': [] })[0]?.pointer).toBe('/condition/a~1b~0c');
  });

  it.each([
    [null],
    [[]],
    ['text'],
    [5],
    [{ or: {} }],
    [{ or: [] }],
    [{ stage: {} }],
    [{ stage: ['won'] }],
    [{ and: [1] }],
  ])('refuses %j', (json) => {
    expect(refused(json)[0]?.code).toBe('invalid');
  });
});

describe('the short form of permissions', () => {
  it('knows the owner, the team and the business hours', () => {
    const raw = parseShortConditions(
      { owner: 'self', department: 'sales', time_restriction: 'business_hours' },
      { pointer: '/conditions' },
    );
    expect(raw).toMatchObject({
      kind: 'all',
      of: [
        { kind: 'test', left: { path: ['owner'] }, operator: 'eq', right: { kind: 'user', attribute: 'id' } },
        { kind: 'short', key: 'department', right: { value: 'sales' } },
        { kind: 'business_hours' },
      ],
    });
    expect(parseShortConditions({ owner: 'team' }, { pointer: '' })).toMatchObject({
      of: [{ operator: 'in', right: { attribute: 'team_members' } }],
    });
  });

  it('refuses other times, in a document as such', () => {
    const problem = refusal(() =>
      parseShortConditions(
        { time_restriction: 'night' },
        { pointer: '/conditions', problem: 'invalid_document', document: 'a.json' },
      ),
    );
    expect(problem.code).toBe('invalid_document');
    expect(problem.errors[0]).toMatchObject({ pointer: '/conditions/time_restriction', document: 'a.json' });
  });
});

describe('limits', () => {
  it('hold depth, parts and values', () => {
    const nested = (depth: number): unknown => (depth === 0 ? { a: 1 } : { not: nested(depth - 1) });
    expect(() => parseCondition(nested(18), { pointer: '' })).not.toThrow();
    expect(refused(nested(21))[0]?.code).toBe('too_deep');
    expect(refused(nested(5000))[0]?.code).toBe('too_deep');
    expect(refused({ and: Array.from({ length: 501 }, () => ({ a: 1 })) })[0]?.code).toBe('too_large');
    expect(refused({ a: { in: Array.from({ length: 1001 }, () => 1) } })[0]?.code).toBe('too_large');
  });

  it('hold the number of faults that are told', () => {
    expect(refused({ and: Array.from({ length: 100 }, () => 1) })).toHaveLength(20);
  });
});

describe('whatever is sent', () => {
  it('is parsed or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), conditionJson), (json) => {
        expect(() => attempt(() => parseCondition(json, { pointer: '' }))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
