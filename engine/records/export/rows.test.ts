import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openedLines, through } from './rows.ts';

const upper = (line: string) => line.toUpperCase();

test('a file is made of rows as they come', async () => {
  const rows = new PassThrough();
  const file = through(rows, (source) => openedLines(source, upper));
  rows.write('a\nb');
  rows.end('c\n');
  expect(await text(file)).toBe('A\nBC\n');
});

test('whoever destroys the file destroys the rows, though none has come', async () => {
  const rows = new PassThrough();
  const file = through(rows, (source) => openedLines(source, upper));
  file.on('error', () => {});
  rows.write('a\n');
  await once(file, 'readable');
  file.read();
  await turn();
  file.destroy();
  await turn();
  expect(rows.destroyed).toBe(true);
});

test('what goes wrong with the rows is the error of the file', async () => {
  const rows = new PassThrough();
  const file = through(rows, (source) => openedLines(source, upper));
  const told = once(file, 'error');
  rows.destroy(new Error('gone'));
  expect(await told).toEqual([new Error('gone')]);
});

test('rows wait while nobody reads', async () => {
  let made = 0;
  const rows = new PassThrough();
  const file = through(rows, async function* (source) {
    for await (const chunk of source) {
      made += 1;
      yield chunk;
    }
  });
  for (let count = 0; count < 200; count++) rows.write(Buffer.alloc(10_000));
  for (let turns = 0; turns < 50; turns++) await turn();
  expect(made).toBeLessThan(30);
  file.destroy();
});
