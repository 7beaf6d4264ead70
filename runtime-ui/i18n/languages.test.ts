import { describe, expect, test } from 'vitest';
import { createFormat } from './format.ts';
import { browserLanguages, languageTag, preferred, regional } from './languages.ts';

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
