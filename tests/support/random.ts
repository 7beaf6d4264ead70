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

/** `ARMATURE_SEED` repeats a run. */
export function seedOf(): number {
  const given = Number(process.env['ARMATURE_SEED']);
  return Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 2 ** 31);
}
