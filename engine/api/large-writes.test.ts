import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { giveBody } from './body.ts';
import { inTurn } from './large-writes.ts';

const LARGE = Buffer.alloc(64 * 1024);
const request = (): IncomingMessage => new IncomingMessage(new Socket());

test('a few large writes run at once, the others in their order, and what fails gives its turn on', async () => {
  const started: number[] = [];
  const finish = new Map<number, (error?: Error) => void>();
  const write = (index: number): Promise<void> =>
    inTurn(request(), LARGE, () => {
      started.push(index);
      return new Promise((resolve, reject) => {
        finish.set(index, (error) => (error ? reject(error) : resolve()));
      });
    });
  const writes = [0, 1, 2, 3, 4].map(write);
  const failed = writes[1]?.catch((error: unknown) => error);
  await turn();
  expect(started).toEqual([0, 1, 2]);

  // Small ones, and parts of a batch that has its turn, wait for nobody.
  expect(await inTurn(request(), LARGE.subarray(1), async () => 'small')).toBe('small');
  const part = request();
  giveBody(part, LARGE);
  expect(await inTurn(part, LARGE, async () => 'part')).toBe('part');

  finish.get(1)?.(new Error('refused'));
  expect(await failed).toEqual(new Error('refused'));
  expect(started).toEqual([0, 1, 2, 3]);
  finish.get(0)?.();
  await turn();
  expect(started).toEqual([0, 1, 2, 3, 4]);
  for (const index of [2, 3, 4]) finish.get(index)?.();
  await Promise.all([writes[0], writes[2], writes[3], writes[4]]);
  expect(await inTurn(request(), LARGE, async () => 'free')).toBe('free');
});
