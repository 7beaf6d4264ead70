/** Random numbers that a seed repeats (mulberry32, Tommy Ettinger). */
export interface Random {
  /** 0 ≤ n < 1. */
  next(): number;
  /** An integer from 0 up to, not including, `below`. */
  below(below: number): number;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, below: (below) => Math.floor(next() * below) };
}

/**
 * The same in every run, so that what fails was broken by a change and not by luck. `ARMATURE_SEED=n` takes another,
 * `ARMATURE_SEED=random` one that nobody has tried: it is printed, and repeats the run.
 */
export function seedOf(): number {
  const given = process.env['ARMATURE_SEED'] ?? '4';
  if (given === 'random') return 1 + Math.floor(Math.random() * (2 ** 31 - 1));
  const seed = Number(given);
  if (!Number.isInteger(seed) || seed < 1) throw new Error(`ARMATURE_SEED is ${given}: a number from 1, or random.`);
  return seed;
}
