import { describe, expect, it } from 'vitest';
import type { Value, ValueType } from '../model/value-type.ts';
import { evaluateFormula } from './evaluate.ts';
import { parseFormula } from './parse.ts';
import { FIELDS } from './testing/arbitraries.ts';

function value(source: string, returns: ValueType, record: Record<string, Value> = {}, scale?: number): Value {
  return evaluateFormula(
    parseFormula(source, { fields: FIELDS, returns, pointer: '', ...(scale === undefined ? {} : { scale }) }),
    record,
  );
}

describe('arithmetic', () => {
  it('is exact', () => {
    expect(value('amount + 0.2', 'decimal', { amount: '0.1' })).toBe('0.3');
    expect(value('amount * amount', 'decimal', { amount: '12345678901234567890.12' })).toBe(
      '152415787532388367504868162811315348393.6144',
    );
  });

  it('takes 10 percent as 10', () => {
    expect(value('amount * probability / 100', 'decimal', { amount: '1999.99', probability: '12.5' }, 2)).toBe(
      '250.00',
    );
  });

  it.each([
    ['1 / 3', '0.3333333333'],
    ['2 / 3', '0.6666666667'],
    ['-2 / 3', '-0.6666666667'],
    ['1 / 20000000000', '0.0000000001'],
    ['-1 / 20000000000', '-0.0000000001'],
    ['1 / 20000000001', '0'],
    ['-7 % 3', '-1'],
    ['7.5 % -2', '1.5'],
    ['round(2.5)', '3'],
    ['round(-2.5)', '-3'],
    ['round(1.005, 2)', '1.01'],
  ])('rounds half away from zero: %s is %s', (source, expected) => {
    expect(value(source, 'decimal')).toBe(expected);
  });

  it('rounds the result to the scale of its field and prints all of it', () => {
    expect(value('amount', 'decimal', { amount: '1.005' }, 2)).toBe('1.01');
    expect(value('0 - amount', 'decimal', { amount: '0.001' }, 2)).toBe('0.00');
  });

  it('gives NULL for NULL, for a division by zero and for what has too many digits', () => {
    expect(value('amount + 1', 'decimal')).toBeNull();
    expect(value('amount / count', 'decimal', { amount: '1', count: 0 })).toBeNull();
    expect(value('amount % 0', 'decimal', { amount: '1' })).toBeNull();
    expect(value('count * count', 'integer', { count: Number.MAX_SAFE_INTEGER })).toBeNull();
    expect(
      evaluateFormula(
        parseFormula('amount', { fields: FIELDS, returns: 'decimal', pointer: '', scale: 2, digits: 3 }),
        { amount: '999.995' },
      ),
    ).toBeNull();
  });

  it('passes over NULL in min, max and coalesce', () => {
    expect(value('min(amount, count)', 'decimal', { count: 3 })).toBe('3');
    expect(value('max(due, begun)', 'date', { due: '2026-01-31' })).toBe('2026-01-31');
    expect(value('coalesce(amount, count, 7)', 'decimal')).toBe('7');
  });
});

describe('logic', () => {
  it('is two-valued', () => {
    expect(value("stage = 'won'", 'boolean')).toBe(false);
    expect(value("stage != 'won'", 'boolean')).toBe(true);
    expect(value('not done', 'boolean')).toBe(true);
    expect(value('done or amount > 1', 'boolean')).toBe(false);
    expect(value("if(stage = 'won', amount, 0)", 'decimal', { amount: '5' })).toBe('0');
  });

  it('asks for NULL with = null', () => {
    expect(value('stage = null', 'boolean')).toBe(true);
    expect(value('null != stage', 'boolean', { stage: '' })).toBe(true);
  });
});

describe('texts', () => {
  it('are joined with nothing in the place of NULL, numbers without superfluous zeros', () => {
    expect(value("concat(first_name, ' ', stage)", 'text', { first_name: 'Ada' })).toBe('Ada ');
    expect(value("'€ ' & amount & ', ' & count & ', ' & done", 'text', { amount: '10.50', count: 3, done: true })).toBe(
      '€ 10.5, 3, true',
    );
    expect(value("'it''s'", 'text')).toBe("it's");
  });

  it('have code points', () => {
    expect(value('length(first_name)', 'integer', { first_name: 'a😀' })).toBe(2);
    expect(value('upper(first_name)', 'text', { first_name: 'straße' })).toBe('STRASSE');
    expect(value('lower(first_name)', 'text', { first_name: 'ÄΣ' })).toBe('äσ');
    expect(value('trim(first_name)', 'text', { first_name: ' \t a \n' })).toBe('a');
  });
});

describe('dates', () => {
  it.each([
    ['year(due)', 'integer', 2024],
    ['month(due)', 'integer', 2],
    ['day(due)', 'integer', 29],
    ['days_between(due, begun)', 'integer', 366],
    ['days_between(begun, due)', 'integer', -366],
    ['add_days(due, 1)', 'date', '2024-03-01'],
    ['add_days(due, -60)', 'date', '2023-12-31'],
    ['add_days(due, 99999999)', 'date', null],
    ['add_days(due, -99999999)', 'date', null],
    ["add_days(date '9999-12-30', 1)", 'date', '9999-12-31'],
    ["add_days(date '0001-01-02', -1)", 'date', '0001-01-01'],
    ["add_days(date '0001-01-01', -1)", 'date', null],
    ['date_of(seen_at)', 'date', '2026-01-30'],
  ] as const)('%s', (source, returns, expected) => {
    expect(value(source, returns, { due: '2024-02-29', begun: '2025-03-01', seen_at: '2026-01-31 00:30:00+01' })).toBe(
      expected,
    );
  });
});
