import { expect, test } from 'vitest';
import { patternError } from './pattern.ts';

test.each(['^[A-Z]{2}-\\d+$', '^(?:a|b)$', '[^a-z]', '^\\w+@\\w+$', '^[A-Za-z0-9_+/-]+$', 'a.b', 'x?y*'])(
  'allows %s',
  (pattern) => {
    expect(patternError(pattern)).toBeNull();
  },
);

test.each([
  '(a+)+',
  '(?:a+)+',
  '(?=a)',
  'a**',
  '\\1',
  '(a)',
  '[z-a]',
  'a+b+c+d+',
  '(?:a',
  'a)',
  '\\p{L}',
  '{2}',
  'x'.repeat(201),
])('refuses %s', (pattern) => {
  expect(patternError(pattern)).toEqual(expect.any(String));
});
