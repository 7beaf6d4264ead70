import { describe, expect, it } from 'vitest';
import { inexactNumber } from './exact-numbers.ts';

describe('numbers that JavaScript would change', () => {
  it.each([
    ['{"js":[{"b":12345678901234567890}]}', '/js/0/b'],
    ['[1, {"a": "x, [1", "b/~": [true, 9007199254740993]}]', '/1/b~1~0/1'],
    ['{"a": {"b": []}, "c": 1e999}', '/c'],
    ['1e-400', ''],
    ['{"\\"": 0.1000000000000000055511151231257827}', '/"'],
    ['[[], {}, -123456789012345678.5]', '/2'],
  ])('finds the one in %s', (text, pointer) => {
    expect(inexactNumber(text)).toMatchObject({ pointer, error: { code: 'inexact_number' } });
  });

  it.each([
    '{"a":"12345678901234567890","12345678901234567890":1}',
    '[0.30000000000000004, 9007199254740992, -0, 1.00000000000000000000, 1e21, 1E+100, 5e-324]',
    '{"id":"01a1e234-0000-7000-8000-000000000000","b":1234567890123456}',
    '{"text":"\\\\\\" 12345678901234567890 \\\\"}',
    `[${Number.MAX_VALUE}, ${Number.MAX_SAFE_INTEGER}]`,
  ])('lets pass what survives: %s', (text) => {
    expect(inexactNumber(text)).toBeNull();
  });

  it('reads a megabyte of digits in no time', () => {
    expect(inexactNumber(`[${'1'.repeat(1_000_000)}]`)?.pointer).toBe('/0');
  });
});
