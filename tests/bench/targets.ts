/** What the benchmark demands, in one place. Ratios are medians over alternating rounds of one run. */

/** Product rate / rate of the handler written by hand. */
export const BY_HAND = {
  'read one': 0.75,
  'list of 50, filtered and sorted': 0.75,
  'list of 50 with two embedded references': 0.75,
  create: 0.65,
  update: 0.65,
  'create 1,000 at once': 0.7,
} as const;
export type ByHand = keyof typeof BY_HAND;

/** Time of `COPY` and `INSERT … SELECT` by hand / time of an import of the same file. */
export const IMPORT = { ratio: 0.5, seconds: 60 } as const;

/** Throughput with that many organisations in rotation / of one of them. */
export const TENANTS = { count: 700, ratio: 0.75 } as const;

/** Throughput of a list of 50 on that many rows / on a thousand. */
export const ROWS = { count: 1_000_000, ratio: 0.7 } as const;

/** Megabytes of the server's process, at most, over the whole run. */
export const MEMORY = 300;
