import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { context, fieldOf } from '../testing/fields.ts';
import { ALLOWED_TAGS, htmlOf, plainText, sanitised } from './rich-text.ts';

/** Ways into a page, as collections of such things have them. */
const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="java\tscript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href=" data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:x">x</a>',
  '<a href="//evil.example/">x</a>',
  '<iframe src="https://evil.example"></iframe>',
  '<object data="x"></object><embed src="x">',
  '<style>*{background:url(https://evil.example)}</style>',
  '<p style="position:fixed">x</p>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<form action="https://evil.example"><input name=password></form>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<p id="x" class="mantine-Modal" onclick="alert(1)">x</p>',
  '<<script>alert(1)//<</script>',
  '<p><b onmouseover=alert(1)//>x</b',
  '<base href="https://evil.example"><meta http-equiv=refresh content="0;url=x"><link rel=stylesheet href=x>',
  '<template><script>alert(1)</script></template>',
  '<textarea><img src=x onerror=alert(1)></textarea>',
  '<!--<img src="--><img src=x onerror=alert(1)//">',
  '<![CDATA[<script>alert(1)</script>]]>',
];

const TAG = /<\/?([a-z][a-z0-9]*)([^>]*)>/gi;

/** What is left consists of allowed elements with allowed attributes. */
function expectHarmless(html: string): void {
  for (const [, tag = '', attributes = ''] of html.matchAll(TAG)) {
    expect(ALLOWED_TAGS).toContain(tag.toLowerCase());
    const left = attributes
      .replaceAll(/ (rel="noopener noreferrer nofollow"|target="_blank"|(colspan|rowspan|start)="\d*")/g, '')
      .replaceAll(/ href="(https?:|mailto:|tel:)[^"<>]*"/g, '');
    expect(left.replace(/ ?\/$/, '')).toBe('');
  }
  expect(html.replaceAll(TAG, '')).not.toContain('<');
}

describe('rich text', () => {
  test.each(ATTACKS)('makes %s harmless', (html) => {
    const clean = sanitised(html);
    expectHarmless(clean);
    expect(sanitised(clean)).toBe(clean);
  });

  test('is harmless and stays the same, whatever the pieces it is put together from', () => {
    const pieces = fc.constantFrom(
      ...ATTACKS,
      '<',
      '>',
      '"',
      '&',
      '&lt;',
      '</p>',
      '<p>',
      '<a href="',
      'x',
      '\u00a0',
      '😀',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 6 })), { maxLength: 8 }), (parts) => {
        const clean = sanitised(parts.join(''));
        expectHarmless(clean);
        expect(sanitised(clean)).toBe(clean);
      }),
    );
  });

  test('of plain text says what the text said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const plain = text.replaceAll(/[\s\u00a0]+/g, ' ').trim();
        expect(plainText(sanitised(htmlOf(plain)))).toBe(plain);
      }),
    );
  });

  test('has a size, and empty markup is no text', () => {
    const field = fieldOf('rich_text', { max: 20 });
    expect(field.type.normalise('<p>  </p><br>', field, context)).toEqual({ value: null });
    expect(field.type.normalise(`<p>${'x'.repeat(20)}</p>`, field, context)).toMatchObject({
      error: { code: 'too_long' },
    });
    // Deep nesting neither hangs nor ends the process.
    expect(sanitised('<ul><li>'.repeat(5000)).length).toBeLessThan(2000);
  });
});
