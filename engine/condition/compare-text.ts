/**
 * The order of two texts by code point, as Postgres's `collate "C"` has it for UTF-8. JavaScript's own `<` goes by
 * UTF-16 units, where an emoji (a surrogate pair, U+D83D…) comes before U+FF01.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind the rest of the basic plane, because what they stand for lies behind it. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
