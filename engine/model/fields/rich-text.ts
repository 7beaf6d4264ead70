/** What rich text may consist of, and how it becomes that. Everything else is dropped on the way in, so nobody has to on the way out. */
import sanitize from 'sanitize-html';

/** Elements that people write with. No images, no frames, no styles: those load things and imitate the page around them. */
export const ALLOWED_TAGS = [
  'p',
  'br',
  'hr',
  'h2',
  'h3',
  'h4',
  'strong',
  'b',
  'em',
  'i',
  'u',
  's',
  'code',
  'pre',
  'blockquote',
  'ul',
  'ol',
  'li',
  'a',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
] as const;

const SCHEMES = ['http', 'https', 'mailto', 'tel'] as const;

/** A whole address: one without a scheme would lead into the product. Read as a browser reads it. */
function leadsOut(href: string | undefined): href is string {
  if (href === undefined || !URL.canParse(href)) return false;
  const scheme = new URL(href).protocol.slice(0, -1);
  return SCHEMES.some((known) => known === scheme);
}

const OPTIONS: sanitize.IOptions = {
  allowedTags: [...ALLOWED_TAGS],
  allowedAttributes: {
    a: ['href', 'rel', 'target'],
    th: ['colspan', 'rowspan'],
    td: ['colspan', 'rowspan'],
    ol: ['start'],
  },
  allowedSchemes: [...SCHEMES],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  // Deeper is never meant, and costs whoever shows it.
  nestingLimit: 30,
  transformTags: {
    // Where a link leads does not learn whence it was followed, nor get a hand on the window.
    a: (tagName, { href }) => ({
      tagName,
      attribs: !leadsOut(href) ? {} : { href, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
    h1: 'h2',
    h5: 'h4',
    h6: 'h4',
    del: 's',
    strike: 's',
  },
};

/** HTML of which nothing but the allowed elements and their text is left. The same for what has been through it already. */
export function sanitised(html: string): string {
  // Twice, because what the first pass takes from a link (its address) is known to the second one only.
  return sanitize(sanitize(html, OPTIONS), OPTIONS).trim();
}

/** Whether the text of sanitised HTML says anything. */
export function isBlank(html: string): boolean {
  return !/<hr/.test(html) && plainText(html) === '';
}

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };

/** The words of sanitised HTML; the twin of {@link plainTextSql}. */
export function plainText(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(lt|gt|quot|amp);/g, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .trim();
}

/** The words of a column of sanitised HTML. Only functions that come with Postgres may stand in a VIRTUAL column. */
export function plainTextSql(column: string): string {
  const stripped = `regexp_replace(${column}, '<[^>]*>', ' ', 'g')`;
  // The ampersand last: `&amp;lt;` means the four characters `&lt;`.
  const decoded = [
    ['&lt;', '<'],
    ['&gt;', '>'],
    ['&quot;', '"'],
    ['&amp;', '&'],
  ].reduce((sql, [entity = '', sign = '']) => `replace(${sql}, '${entity}', '${sign}')`, stripped);
  return `nullif(btrim(regexp_replace(${decoded}, '[\\s\\u00a0]+', ' ', 'g')), '')`;
}

/** From plain text, e.g. a cell of a file, to HTML: blank lines part paragraphs. */
export function htmlOf(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br />')}</p>`)
    .join('');
}
