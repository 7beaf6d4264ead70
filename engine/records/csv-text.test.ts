import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvLine, guardFormula, guardUntyped, unguardFormula } from './csv-text.ts';

test.each(['=1+1', '+cmd', '-cmd', '@x', '\tx', '\rx', '＝1+1', '＋x', '－x', '＠x'])('%j is no formula', (cell) => {
  expect(guardFormula(cell)).toBe(`'${cell}`);
  expect(guardUntyped(cell)).toBe(`'${cell}`);
});
test.each(['-5', '+49 30 123', '-1,200.50', '10%', 'a=b', ''])('%j of a type nobody knows stays as it is', (cell) => {
  expect(guardUntyped(cell)).toBe(cell);
});
test('every text comes back as it was, and none leaves as a formula', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.stringMatching(/^'{0,3}$/), fc.constantFrom('=', '+', '-', '@', '＝', 'x'), fc.string())
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (written) => {
      for (const guard of [guardFormula, guardUntyped]) expect(unguardFormula(guard(written))).toBe(written);
      expect(guardFormula(written)).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
    }),
  );
});
test('cells are quoted by RFC 4180', () => {
  expect(csvLine(['a,b', 'say "x"', 'two\nlines', ' padded', 'plain'])).toBe(
    '"a,b","say ""x""","two\nlines"," padded",plain\r\n',
  );
});
