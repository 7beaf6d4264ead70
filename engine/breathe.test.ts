import { expect, test } from 'vitest';
import { atOnce, besideOthers } from './breathe.ts';

/** Five pieces, each of which takes longer than anybody should wait. */
function* long(done: string[]): Generator<void, number> {
  for (let piece = 1; piece <= 5; piece += 1) {
    for (const until = performance.now() + 25; performance.now() < until; );
    done.push(`piece ${piece}`);
    yield;
  }
  return done.length;
}

test('others are answered between the pieces of a long computation', async () => {
  const done: string[] = [];
  const result = besideOthers(long(done));
  // Whoever comes in anew as soon as they have been answered.
  let running = true;
  const ask = () => {
    done.push('answer');
    if (running) setImmediate(ask);
  };
  setImmediate(ask);
  const length = await result;
  running = false;
  expect(done.filter((one) => one !== 'answer')).toEqual(['piece 1', 'piece 2', 'piece 3', 'piece 4', 'piece 5']);
  for (let piece = 2; piece <= 5; piece += 1) expect(done[done.indexOf(`piece ${piece}`) - 1]).toBe('answer');
  expect(length).toBe(done.length);
});

test('what nobody waits for is computed without a break', () => {
  const done: string[] = [];
  expect(atOnce(long(done))).toBe(5);
  expect(done).toHaveLength(5);
});
