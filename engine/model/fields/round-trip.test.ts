import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChoiceLabel, ValueContext } from '../field-type.ts';
import { context, fieldOf } from '../testing/fields.ts';
import type { Value } from '../value-type.ts';
import { isDay, isoDate } from './calendar.ts';
import { zonedToUtc } from './zoned.ts';

const digits = (max: number) => fc.bigInt({ min: 0n, max: 10n ** BigInt(max) - 1n }).map(String);
const decimals = (whole: number, scale: number) =>
  fc
    .tuple(fc.boolean(), digits(whole), digits(scale))
    .map(([minus, a, b]) => `${minus ? '-' : ''}${a}.${b.padStart(scale, '0')}`);
const day = fc
  .record({
    year: fc.integer({ min: 1, max: 9999 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 31 }),
  })
  .filter(isDay)
  .map(isoDate);
const choices = [
  { key: 'a', label: 'Alpha' },
  { key: 'b', label: 'a' },
  { key: 'c', label: 'Alpha' },
  { key: 'd', label: 'Delta' },
];

/** Another language: one choice is called as another one is in English, two are called the same. */
const inGerman: ChoiceLabel = (_, { key }) => ({ a: 'Delta', b: 'Zwei', c: 'zwei', d: 'Vier; fünf' })[key] ?? key;
const MARKUP = ['a', ' < ', '&', '&lt;', '<b>x</b>', '<br>', '<p>', '</p>', '<ul><li>y</li></ul>', '\n', '<span>', 'é'];

const TYPES: readonly (readonly [string, Readonly<Record<string, unknown>>, fc.Arbitrary<Value>])[] = [
  ['text', {}, fc.string({ unit: 'grapheme', maxLength: 40 })],
  ['long_text', {}, fc.string({ unit: 'binary', maxLength: 80 })],
  ['email', {}, fc.emailAddress()],
  ['url', {}, fc.webUrl()],
  ['integer', {}, fc.maxSafeInteger()],
  ['decimal', {}, decimals(17, 2)],
  ['decimal', { scale: 5 }, decimals(14, 5)],
  ['money', {}, decimals(17, 2)],
  ['percent', {}, decimals(7, 2)],
  ['boolean', {}, fc.boolean()],
  ['date', {}, day],
  [
    'datetime',
    {},
    fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  ],
  ['choice', { choices }, fc.constantFrom('a', 'b', 'c', 'd')],
  ['reference', { to: 'x' }, fc.uuid()],
  ['tags', {}, fc.array(fc.string({ maxLength: 20 }), { maxLength: 10 })],
  ['currency', {}, fc.constantFrom('USD', 'eur', 'JPY')],
  [
    'time',
    {},
    fc.integer({ min: 0, max: 86_399 }).map((seconds) => new Date(seconds * 1000).toISOString().slice(11, 19)),
  ],
  ['duration', { min: Number.MIN_SAFE_INTEGER }, fc.maxSafeInteger()],
  ['rating', { max: 10 }, fc.integer({ min: 1, max: 10 })],
  ['colour', {}, fc.integer({ min: 0, max: 0xff_ff_ff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)],
  ['multiple_choice', { choices }, fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })],
  ['json', {}, fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value))],
  ['country', {}, fc.constantFrom('DE', 'AE', 'CI')],
  ['rich_text', {}, fc.array(fc.constantFrom(...MARKUP), { maxLength: 8 }).map((pieces) => pieces.join(''))],
];

/** What a file calls choices, and what is known of its words when it comes back. */
const LANGUAGES: readonly (readonly [ChoiceLabel | null, ValueContext])[] = [
  [null, context],
  [(_, { label }) => label, context],
  [inGerman, { ...context, choiceLabel: inGerman }],
  [null, { ...context, choiceLabel: inGerman }],
  [(_, { label }) => label, { ...context, choiceLabel: inGerman }],
];

test.each(TYPES)('%s %j: what is exported comes back from the file', (type, options, values) => {
  const field = fieldOf(type, options);
  fc.assert(
    fc.property(values, (value) => {
      const stored = field.type.normalise(value, field, context);
      // What cannot be stored is not exported; what is empty is an empty cell.
      if ('error' in stored || stored.value === null) return;
      for (const [label, surroundings] of LANGUAGES) {
        const { type } = field;
        const written = type.fileCell
          ? type.fileCell(stored.value, field, label)
          : type.exportCell(stored.value, field);
        expect(type.importCell(written.trim(), field, surroundings)).toMatchObject({ value: stored.value });
      }
      // And what is stored is normal already.
      expect(field.type.normalise(stored.value, field, context)).toEqual({ value: stored.value });
    }),
  );
});

const wall = (moment: number) => new Date(moment).toLocaleString('sv-SE', { timeZone: 'America/New_York' });

test('a wall-clock time in a zone is the moment at which its clocks show it', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1990-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }), (date) => {
      const shown = wall(date.getTime());
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = shown.split(/[- :]/).map(Number);
      const moment = zonedToUtc({ year, month, day, hour, minute, second, millisecond: 0 }, 'America/New_York');
      expect(wall(moment)).toBe(shown);
    }),
  );
});
