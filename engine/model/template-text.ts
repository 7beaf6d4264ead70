/**
 * The text of a template, taken apart. Mustache's own parser does it (`{{field.path}}`, `{{#lines}}…{{/lines}}`,
 * `{{^lines}}…{{/lines}}`, `{{! remark}}`); what would leave the page unescaped, load another template or change the
 * language is refused. Rendering is a walk over this tree (`records/templates`): nothing in it can call anything.
 */
import Mustache from 'mustache';

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  /** A field, reached over references: `['account', 'name']`. */
  | { readonly kind: 'value'; readonly path: readonly string[] }
  /** Repeated for every part, or shown when the field has a value; `inverted`: when there is none. */
  | {
      readonly kind: 'section';
      readonly path: readonly string[];
      readonly inverted: boolean;
      readonly nodes: TemplateText;
    };

export type TemplateText = readonly TemplateNode[];

/** Sections inside sections. */
const MAX_DEPTH = 5;
const PATH = /^[a-z_][a-z0-9_]{0,39}(\.[a-z_][a-z0-9_]{0,39}){0,3}$/;

const REFUSED: Readonly<Record<string, string>> = {
  '>': 'A template cannot bring in another one.',
  '=': 'The braces of a template cannot be changed.',
  '&': 'Values are always escaped: write {{field}} with two braces.',
};

/**
 * @returns the tree, or a sentence about what is wrong with the text
 */
export function parseTemplate(text: string): TemplateText | { readonly error: string } {
  let tokens: readonly unknown[];
  try {
    tokens = Mustache.parse(text, ['{{', '}}']);
  } catch (error) {
    return { error: `The template cannot be read: ${error instanceof Error ? error.message : 'unknown'}.` };
  }
  try {
    return nodesOf(tokens, 1);
  } catch (error) {
    if (error instanceof Refused) return { error: error.message };
    throw error;
  }
}

class Refused extends Error {}

function nodesOf(tokens: readonly unknown[], depth: number): TemplateText {
  if (depth > MAX_DEPTH) throw new Refused(`Sections stand in each other at most ${MAX_DEPTH} deep.`);
  return tokens.flatMap((token) => nodeOf(token, depth));
}

function nodeOf(token: unknown, depth: number): readonly TemplateNode[] {
  if (!Array.isArray(token)) throw new TypeError('Mustache answers lists');
  const list: readonly unknown[] = token;
  const kind = String(list[0]);
  const value = String(list[1]);
  const refused = REFUSED[kind];
  if (refused !== undefined) throw new Refused(refused);
  switch (kind) {
    case 'text':
      return [{ kind: 'text', text: value }];
    case '!':
      return [];
    case 'name':
      return [{ kind: 'value', path: pathOf(value) }];
    case '#':
    case '^': {
      const inner: unknown = list[4];
      const nodes = Array.isArray(inner) ? nodesOf(inner, depth + 1) : [];
      return [{ kind: 'section', path: pathOf(value), inverted: kind === '^', nodes }];
    }
    default:
      throw new Refused(`“${kind}” means nothing in a template.`);
  }
}

function pathOf(text: string): readonly string[] {
  if (!PATH.test(text)) throw new Refused(`“${text}” is no field, nor one over at most three references.`);
  return text.split('.');
}

/** Whether it could be read. */
export function isTemplateText(parsed: TemplateText | { readonly error: string }): parsed is TemplateText {
  return Array.isArray(parsed);
}
