/** Patterns of `like` and `ilike`: `%` is any text, `_` one character, a backslash takes the next one as it is. */

/** A backslash at the end would take nothing. */
export function isPattern(pattern: string): boolean {
  return /^(?:[^\\]|\\[^])*$/u.test(pattern);
}

export function isLike(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\([^])|([^])/gu, (_, taken: string | undefined, plain: string | undefined) => {
    if (taken === undefined && plain === '%') return '[^]*';
    if (taken === undefined && plain === '_') return '[^]';
    return escape(taken ?? plain ?? '');
  });
  return new RegExp(`^${source}$`, 'u').test(text);
}

function escape(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
