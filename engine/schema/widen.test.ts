import { expect, test } from 'vitest';
import { typeChange } from './widen.ts';

test.each([
  ['numeric(10,2)', 'numeric(12,2)', 'widening'],
  ['numeric(10,2)', 'numeric(12,4)', 'widening'],
  ['numeric(10,2)', 'numeric(10,4)', 'lossless'],
  ['numeric(10,2)', 'numeric(8,2)', 'lossless'],
  ['numeric(10,4)', 'numeric(12,2)', 'lossless'],
  ['text', 'bigint', 'refused'],
  ['bigint', 'numeric(19,0)', 'refused'],
  ['date', 'timestamptz(3)', 'refused'],
])('%s to %s is %s', (from, to, kind) => {
  expect(typeChange(from, to).kind).toBe(kind);
});

test('the rows that a smaller type would change are those with more digits before or after the point', () => {
  expect(typeChange('numeric(10,4)', 'numeric(8,2)')).toEqual({
    kind: 'lossless',
    lost: '{} <> trunc({}, 2) or abs({}) >= 1e6::numeric',
  });
});
