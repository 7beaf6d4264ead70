import { describe, expect, test } from 'vitest';
import type { Setting } from '../model/parts.ts';
import { asksTheClock } from './operands.ts';
import { parseCondition } from './parse.ts';
import { resolveCondition } from './resolve.ts';
import { settingsOf } from './resolve-setting.ts';
import { lookup, THING } from './testing/entities.ts';
import { refusal } from './testing/refusal.ts';
import { SETTINGS } from './testing/settings.ts';

const resolve = (json: unknown, settings = SETTINGS) =>
  resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup, { settings });
const faults = (json: unknown, settings = SETTINGS) =>
  refusal(() => resolve(json, settings)).errors.map(({ pointer, message }) => `${pointer} ${message}`);

test('a setting stands where a value stands, in both forms and in lists', () => {
  expect(resolve({ amount: { gt: { setting: 'lab.number' } } })).toMatchObject({
    kind: 'test',
    operator: 'gt',
    right: { kind: 'setting', type: 'decimal', setting: 'lab.number', own: false, fallback: '1' },
  });
  const form = { fact: 'name', operator: 'equal', value: { setting: 'lab.own_word' } };
  expect(resolve(form)).toMatchObject({ right: { setting: 'lab.own_word', own: true, fallback: 'sales' } });
  expect(resolve({ name: { in: ['a', { setting: 'lab.word' }] } })).toMatchObject({ kind: 'any' });
  expect(resolve({ due: { between: [{ setting: 'lab.day' }, '2026-03-01'] } })).toMatchObject({
    kind: 'all',
    of: [{ right: { type: 'date', fallback: '2026-01-30' } }, {}],
  });
});

test('what a setting decides is decided by the database, every time', () => {
  expect(asksTheClock(resolve({ amount: { gt: { setting: 'lab.number' } } }))).toBe(true);
});

describe('is refused', () => {
  const secret: Setting = {
    name: 'lab.key',
    label: 'Key',
    help: null,
    scope: 'tenant',
    secret: true,
    default: undefined,
    schema: { type: 'string' },
  };
  const list: Setting = { ...secret, name: 'lab.list', secret: false, schema: { type: 'array' } };
  const some = settingsOf(new Map([secret, list].map((one) => [one.name, one])));

  test('when it is not there, with what was probably meant', () => {
    expect(faults({ name: { setting: 'lab.wort' } })).toEqual(expect.any(Array));
    expect(faults({ name: { eq: { setting: 'lab.wort' } } })).toEqual([
      '/name/eq There is no setting "lab.wort". Did you mean "lab.word"?',
    ]);
  });

  test('when it is a secret, in the words for one that is not there', () => {
    expect(faults({ name: { eq: { setting: 'lab.key' } } }, some)).toEqual(['/name/eq There is no setting "lab.key".']);
    expect(faults({ name: { eq: { setting: 'lab.kee' } } }, some)).toEqual(['/name/eq There is no setting "lab.kee".']);
  });

  test('when it is of another type, or of none to compare with', () => {
    expect(faults({ amount: { gt: { setting: 'lab.word' } } })).toHaveLength(1);
    expect(faults({ done: { eq: { setting: 'lab.number' } } })).toHaveLength(1);
    expect(faults({ name: { eq: { setting: 'lab.list' } } }, some)).toEqual([
      '/name/eq The setting "lab.list" has no single value to compare with.',
    ]);
  });

  test('when it is written wrongly, or stands where there are none', () => {
    expect(faults({ name: { eq: { setting: 'Lab!' } } })).toHaveLength(1);
    expect(faults({ name: { eq: { setting: 'lab.word', path: '$' } } })).toHaveLength(1);
    expect(
      refusal(() =>
        resolveCondition(parseCondition({ name: { eq: { setting: 'lab.word' } } }, { pointer: '' }), THING, lookup),
      ).errors,
    ).toHaveLength(1);
  });
});
