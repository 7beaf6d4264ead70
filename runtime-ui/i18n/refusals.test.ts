import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROBLEMS } from '../../engine/problem.ts';
import { ApiProblem } from '../api/problem.ts';
import ar from '../locales/refusals.ar.json' with { type: 'json' };
import de from '../locales/refusals.de.json' with { type: 'json' };
import { detailText, problemText, problemTitle } from './refusals.ts';

const placeholders = (text: string): readonly string[] => [...text.matchAll(/\{\{\w+\}\}/g)].map(String).toSorted();

test('whatever the server refuses, and whatever a field type finds wrong, has words in every language', () => {
  const types = new URL('../../engine/model/fields/', import.meta.url);
  const source = readdirSync(types, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
    .map((name) => readFileSync(new URL(name.replaceAll('\\', '/'), types), 'utf8'))
    .join('\n');
  const codes = [...source.matchAll(/refuse\(\s*'(\w+)'/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(40);
  for (const { problem, detail } of [ar, de]) {
    expect(Object.keys(problem).toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
    expect(codes.filter((code) => !Object.keys(detail).includes(code ?? ''))).toEqual([]);
  }
  expect(Object.keys(ar.detail)).toEqual(Object.keys(de.detail));
  expect(Object.values(ar.detail).map(placeholders)).toEqual(Object.values(de.detail).map(placeholders));
});

test('a refusal is said in the language of the screens, with its figures', () => {
  const detail = { code: 'too_long', message: 'At most 40 characters; this has 41.', params: { max: 40, length: 41 } };
  expect(detailText(detail, 'de-CH')).toBe('Höchstens 40 Zeichen.');
  expect(detailText(detail, 'en')).toBe(detail.message);
  const seconds = { code: 'too_small', message: 'At least 1:00.', params: { min: 3600, unit: 'seconds' } };
  expect(detailText(seconds, 'de')).toBe('Mindestens 3600 Sekunden.');
  const problem = new ApiProblem(422, 'invalid', 'Some values are not valid', 'At most 40 … (and 1 more)', [
    detail,
    { code: 'rule', message: 'Ein Kran hat einen Haken.' },
  ]);
  expect(problemTitle(problem, 'de')).toBe('Einige Werte sind nicht gültig');
  // What the organisation says itself stays as it is.
  expect(problemText(problem, 'de')).toBe('Höchstens 40 Zeichen. Ein Kran hat einen Haken.');
  expect(problemText(problem, 'en')).toBe('At most 40 … (and 1 more)');
});

test('what has no words in a language, or lacks a figure, is said as the server says it', () => {
  const unknown = { code: 'of_a_plugin', message: 'This is no tail number.' };
  expect(detailText(unknown, 'de')).toBe(unknown.message);
  expect(detailText({ code: 'too_long', message: 'Too long.' }, 'de')).toBe('Too long.');
  expect(detailText({ code: 'too_long', message: 'Too long.', params: { max: 4 } }, 'fr')).toBe('Too long.');
  expect(problemTitle(new ApiProblem(409, 'new_one', 'New', ''), 'ar')).toBe('New');
});
