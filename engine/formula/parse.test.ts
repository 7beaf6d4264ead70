import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attempt, refusal } from '../condition/testing/refusal.ts';
import type { ProblemDetail } from '../problem.ts';
import { evaluateFormula } from './evaluate.ts';
import { parseFormula } from './parse.ts';
import { FIELDS, formulas } from './testing/arbitraries.ts';
import { formulaToSql } from './to-sql.ts';

const parse = (source: string, returns: 'decimal' | 'integer' | 'text' | 'boolean' | 'date' = 'decimal') =>
  parseFormula(source, { fields: FIELDS, returns, pointer: '/fields/7/expr' });

function refused(source: string, returns?: 'decimal' | 'integer' | 'text' | 'boolean' | 'date'): ProblemDetail {
  const [detail] = refusal(() => parse(source, returns)).errors;
  if (detail === undefined) throw new Error(`${source} was refused without a detail`);
  return detail;
}

describe('precedence', () => {
  it.each([
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['10 - 4 - 3', '3'],
    ['100 / 10 / 5', '2'],
    ['-2 * -3', '6'],
    ['- (2 + 1)', '-3'],
    ['7 % 4 + 1', '4'],
    ['if(1 + 1 = 2 and not 1 > 2, 1, 0)', '1'],
    ['if(true or false and false, 1, 0)', '1'],
    ['if(not true = false, 1, 0)', '1'],
    ["length('a' & 1 + 2)", '2'],
  ])('%s is %s', (source, value) => {
    expect(evaluateFormula(parse(source), {})).toBe(value);
  });
});

describe('a mistake', () => {
  it('is shown at its place', () => {
    const error = refused('amount * * 2');
    expect(error.pointer).toBe('/fields/7/expr');
    expect(error.message).toBe('A field, a value or a function is expected here, found "*" (at character 10)');
    expect(error.params).toMatchObject({ offset: 9, caret: 'amount * * 2\n         ^' });
  });

  it('in a long formula is shown with its surroundings', () => {
    const { caret } = refused(`${'1 + '.repeat(100)}amuont${' + 1'.repeat(100)}`).params as { caret: string };
    const [line = '', mark = ''] = caret.split('\n');
    expect(line.slice(mark.length - 1)).toMatch(/^amuont/);
    expect(line.length).toBeLessThanOrEqual(120);
  });

  it('in a name suggests the nearest one', () => {
    expect(refused('amuont * 2')).toMatchObject({ code: 'unknown_field', params: { nearest: 'amount' } });
    expect(refused('rond(amount)')).toMatchObject({ params: { nearest: 'round' } });
  });

  it.each([
    ['', 0],
    ['amount +', 8],
    ['(amount', 7],
    ['amount)', 6],
    ['amount amount', 7],
    ["'abc", 0],
    ['1.', 1],
    ['1.2.3', 3],
    ['2amount', 1],
    ['amount # 2', 7],
    ['count == 1', 6],
    ['count <> 1', 6],
    ['done && done', 5],
    ['! done', 0],
    ['"text"', 0],
    ['1 < count < 3', 10],
    ['and', 0],
    ["date '2026-02-30'", 5],
    ['round(amount, count)', 0],
    ['round(amount, 11)', 0],
    ['round()', 0],
    ['year(amount)', 5],
    ['fit(amount, 1, 2)', 0],
    ['negate(amount)', 0],
    ['is_null(amount)', 0],
    ['amount + first_name', 9],
    ['if(done, amount, first_name)', 0],
    ['if(amount, 1, 2)', 3],
    ['coalesce(null, null)', 0],
    ['due < seen_at', 4],
    ['done < done', 5],
    ["due & ''", 4],
  ])('%j is refused at %i', (source, offset) => {
    expect(refused(source).params).toMatchObject({ offset });
  });

  it('in the type of the result is refused', () => {
    expect(refused('first_name')).toMatchObject({ params: { expected: 'decimal', found: 'text' } });
    expect(refused('amount', 'integer').message).toContain('round');
    expect(() => parse('count', 'decimal')).not.toThrow();
    expect(() => parse('null', 'date')).not.toThrow();
  });

  it('in size is refused', () => {
    expect(refused('1'.repeat(2001)).code).toBe('too_large');
    expect(refused(`${'('.repeat(51)}1${')'.repeat(51)}`).code).toBe('too_deep');
    expect(refused(`${'-'.repeat(60)}1`).code).toBe('too_deep');
    expect(() => parse(`${'('.repeat(48)}1${')'.repeat(48)}`)).not.toThrow();
  });
});

describe('a formula', () => {
  it('knows the fields it reads, once each', () => {
    expect(parse('amount * probability / 100 + amount').reads).toEqual(['amount', 'probability']);
  });

  it('may use fields that are called like functions', () => {
    const fields = new Map([
      ['date', { valueType: 'date' }],
      ['if', { valueType: 'decimal' }],
    ] as const);
    const formula = parseFormula("if(date = date '2026-01-31', if, 0)", { fields, returns: 'decimal', pointer: '' });
    expect(formula.reads).toEqual(['date', 'if']);
    expect(evaluateFormula(formula, { date: '2026-01-31', if: '5' })).toBe('5');
  });

  it('cannot reach what is inherited', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) expect(refused(name).code).toBe('unknown_field');
    for (const name of ['constructor', 'toString']) expect(refused(`${name}(1)`).code).toBe('invalid');
  });

  it('uses no argument twice in SQL, however deep it is', () => {
    const nested = (depth: number): string =>
      depth === 0 ? 'due' : `add_days(${nested(depth - 1)}, round(amount / count))`;
    const sql = formulaToSql(parse(nested(20), 'date'), (key) => key);
    expect(sql.split('amount').length - 1).toBe(20);
  });
});

describe('whatever is written', () => {
  it('is parsed or refused, and nothing else happens', () => {
    const words = fc.constantFrom(
      'amount',
      'due',
      '(',
      ')',
      ',',
      '+',
      '-',
      '*',
      "'a'",
      '1',
      'if',
      'and',
      'not',
      'null',
      '=',
      '<',
      'date',
      'round',
      '&',
      ' ',
    );
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 12 }).map((each) => each.join(' ')),
      formulas.map((each) => each.text),
    );
    fc.assert(
      fc.property(noise, (source) => {
        expect(() => attempt(() => parse(source, 'text'))).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});
