/**
 * Patterns that documents may give for texts. They run in JavaScript (validation) and in Postgres (CHECK), so only
 * the part of the syntax that means the same in both is allowed, and nothing that can backtrack without end:
 * no groups with a quantifier, no look-around, no back references, at most three open-ended quantifiers.
 */
const MAX_LENGTH = 200;
const ATOM = /\\[dwsDWS.\\/^$|()[\]{}+*?-]|\[\^?(?:\\[dws\]\\^-]|[^\]\\[])+\]|[^\\[\](){}|^$*+?]/y;
const QUANTIFIER = /[*+?]|\{\d{1,3}(?:,(?:\d{1,3})?)?\}/y;

/** `null` when the pattern is allowed, otherwise what is wrong with it. */
export function patternError(pattern: string): string | null {
  if (pattern.length > MAX_LENGTH) return `a pattern has at most ${MAX_LENGTH} characters`;
  let depth = 0;
  let open = 0;
  let at = 0;
  while (at < pattern.length) {
    const char = pattern.charAt(at);
    if (char === '^' || char === '$' || char === '|') {
      at += 1;
      continue;
    }
    if (pattern.startsWith('(?:', at)) {
      depth += 1;
      at += 3;
      continue;
    }
    if (char === '(') return 'groups are written (?:…)';
    if (char === ')') {
      depth -= 1;
      at += 1;
      if (depth < 0) return 'a closing parenthesis has no opening one';
      if (match(QUANTIFIER, pattern, at)) return 'a group cannot be repeated';
      continue;
    }
    const atom = match(ATOM, pattern, at);
    if (!atom) return `“${char}” cannot stand here`;
    at += atom.length;
    const quantifier = match(QUANTIFIER, pattern, at);
    if (quantifier) {
      at += quantifier.length;
      if (quantifier === '*' || quantifier === '+' || quantifier.endsWith(',}')) open += 1;
      if (open > 3) return 'at most three open-ended repetitions (*, +, {n,})';
      if (match(QUANTIFIER, pattern, at)) return 'a repetition cannot be repeated';
    }
  }
  if (depth > 0) return 'a parenthesis is not closed';
  return compiles(pattern) ? null : 'it is not a regular expression';
}

function match(expression: RegExp, text: string, at: number): string | null {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? null;
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
