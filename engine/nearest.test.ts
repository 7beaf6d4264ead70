import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['amuont', ['amount', 'account'], 'amount'],
  ['Amount', ['amount', 'account'], 'amount'],
  ['stag', ['stage', 'state'], 'stage'],
  ['requierd', ['required', 'removed'], 'required'],
  ['zzz', ['amount', 'account'], undefined],
  ['', ['a'], 'a'],
  ['owner', [], undefined],
])('%s among %j means %s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
