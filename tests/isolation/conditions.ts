/** Where conditions stand in the text of a function, and what they are made of: enough of SQL to loosen them one by one. */

/** A piece of a text: from, up to. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const BEGINS: ReadonlySet<string> = new Set(['where', 'if', 'elsif']);
const ENDS: ReadonlySet<string> = new Set([
  'then',
  'order',
  'limit',
  'group',
  'for',
  'union',
  'loop',
  'returning',
  'on',
]);

interface Token extends Span {
  readonly text: string;
  readonly depth: number;
}

/** Words and brackets, with how deep in brackets, CASE and BEGIN they stand; what is quoted, and comments, are none. */
function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  const found = [...sql.matchAll(/'(?:[^']|'')*'|"[^"]*"|--[^\n]*|[a-z_][a-z0-9_]*|[();]/gi)].filter(
    ([text]) => !/^['"-]/.test(text),
  );
  for (const [at, match] of found.entries()) {
    const text = match[0].toLowerCase();
    const next = found[at + 1]?.[0].toLowerCase();
    const opens = text === '(' || text === 'begin' || (text === 'case' && tokens.at(-1)?.text !== 'end');
    if (text === ')' || (text === 'end' && next !== 'if' && next !== 'loop')) depth--;
    tokens.push({ text, from: match.index, to: match.index + text.length, depth });
    if (opens) depth++;
  }
  return tokens;
}

/** What stands after WHERE and IF, without the blanks around it. */
export function conditionsIn(sql: string): readonly Span[] {
  const tokens = tokensOf(sql);
  return tokens.flatMap((token, index) => {
    if (!BEGINS.has(token.text) || tokens[index - 1]?.text === 'end') return [];
    const end = tokens
      .slice(index + 1)
      .find(({ text, depth }) => (depth === token.depth && (ENDS.has(text) || text === ';')) || depth < token.depth);
    return end ? [trimmed(sql, { from: token.to, to: end.from })] : [];
  });
}

/** The members of a condition that are joined by the word, when it is joined by it at its outside. */
export function membersOf(sql: string, span: Span, word: 'and' | 'or'): readonly Span[] {
  const tokens = tokensOf(sql).filter(({ from, to }) => from >= span.from && to <= span.to);
  const outside = Math.min(...tokens.map(({ depth }) => depth));
  const joints = tokens.filter(({ text, depth }) => text === word && depth === outside);
  const starts = [span.from, ...joints.map(({ to }) => to)];
  return starts.map((from, index) => trimmed(sql, { from, to: joints[index]?.from ?? span.to }));
}

/** What stands in the brackets, where all of it stands in one pair. */
export function inBrackets(sql: string, span: Span): Span | null {
  const tokens = tokensOf(sql).filter(({ from, to }) => from >= span.from && to <= span.to);
  const [first] = tokens;
  const close = tokens.find(({ text, depth }) => text === ')' && depth === first?.depth);
  if (first?.text !== '(' || first.from !== span.from || close?.to !== span.to) return null;
  return trimmed(sql, { from: first.to, to: close.from });
}

export const replaced = (sql: string, { from, to }: Span, by: string): string =>
  `${sql.slice(0, from)}${by}${sql.slice(to)}`;

export const textOf = (sql: string, { from, to }: Span): string => sql.slice(from, to);

function trimmed(sql: string, { from, to }: Span): Span {
  const text = sql.slice(from, to);
  const before = text.length - text.trimStart().length;
  return { from: from + before, to: from + text.trimEnd().length };
}
