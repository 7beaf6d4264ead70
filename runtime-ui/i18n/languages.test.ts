import { describe, expect, test } from 'vitest';
import ar from '../locales/ar.json' with { type: 'json' };
import de from '../locales/de.json' with { type: 'json' };
import en from '../locales/en.json' with { type: 'json' };
import { createFormat } from './format.ts';
import { browserLanguages, languageTag, preferred, regional } from './languages.ts';

test('the screens say everything in every language they speak', () => {
  const keysOf = (texts: object, before = ''): readonly string[] =>
    Object.entries(texts).flatMap(([key, text]) =>
      typeof text === 'string' ? [`${before}${key}`] : keysOf(text, `${before}${key}.`),
    );
  // Arabic has more forms of the plural.
  const wanted = keysOf(en);
  for (const texts of [ar, de]) expect(wanted.filter((key) => !keysOf(texts).includes(key))).toEqual([]);
  expect(keysOf(de).filter((key) => !wanted.includes(key))).toEqual([]);
  expect(createFormat('de', 'UTC').integer(1234567)).toBe('1.234.567');
});

describe('languages a browser reports', () => {
  test.each([
    ['en-GB', 'en-GB'],
    ['en-US@posix', 'en-US'],
    ['de_DE.UTF-8', 'de-DE'],
    ['AR-eg', 'ar-EG'],
    ['C', null],
    ['', null],
    ['*', null],
  ])('%s is %s', (reported, tag) => {
    expect(languageTag(reported)).toBe(tag);
  });

  test('what names no language is left out', () => {
    expect(browserLanguages(['C', 'en-US@posix', 'ar'])).toEqual(['en-US', 'ar']);
    expect(browserLanguages([])).toEqual([]);
  });

  test("the reader's region is kept for the language of the screens", () => {
    expect(regional('en', ['de-DE', 'en-GB'])).toBe('en-GB');
    expect(regional('ar', ['en-GB'])).toBe('ar');
    expect(regional('C', [])).toBe('en');
  });

  test('the first language spoken here wins', () => {
    expect(preferred(['en', 'ar'], ['fr-FR', 'ar-EG', 'en'])).toBe('ar');
    expect(preferred(['en', 'ar'], ['fr-FR'])).toBeUndefined();
  });

  test('formats are made for any of them', () => {
    for (const locale of ['en-US@posix', 'C', '', 'ar']) {
      expect(createFormat(locale, 'UTC').integer(1234)).toMatch(/1[.,]?234/);
    }
  });
});
