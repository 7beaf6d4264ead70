import { expect, test } from 'vitest';
import { csvLine } from './error-file.ts';

test.each(['=1+1', '+cmd', '-cmd', '@x', '\tx', '\rx', '＝1+1', '＋x', '－x', '＠x'])('%j is no formula', (cell) => {
  expect(csvLine([cell]).replaceAll('"', '').trimEnd()).toBe(`'${cell}`.trimEnd());
});
test.each(['-5', '+49 30 123', '-1,200.50', '10%', 'a=b', ''])('%j stays as it is', (cell) => {
  expect(csvLine([cell]).replaceAll('"', '').trimEnd()).toBe(cell);
});
