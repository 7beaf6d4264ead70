/** The valid word that somebody probably meant, for error messages. */

/**
 * @param word what was written
 * @param candidates what would have been valid; at most a few hundred
 * @returns the candidate with the fewest typing slips (insert, leave out, replace, swap neighbours; case does not
 *   count), or `undefined` when none is close: at most one slip in short words, one in three letters in long ones
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const written = word.slice(0, 60).toLowerCase();
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = distance(written, candidate.toLowerCase(), fewest);
    if (slips < fewest) {
      fewest = slips;
      best = candidate;
    }
  }
  return best;
}

/** Optimal string alignment distance; any number of at least `limit` when it would not be smaller. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? limit;
}
