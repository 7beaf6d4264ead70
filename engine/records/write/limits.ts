/** How much one request may write. */
export const LIMITS = {
  /** Records in one array. */
  records: 1000,
  /** Records inside one record: its parts, theirs, and new ones it refers to. */
  parts: 200,
  /** Records inside records. */
  depth: 5,
} as const;

/** How many records a filter may match that changes them: without a word of the client, and at most. */
export const MANY_LIMITS = { standard: 100, most: 5000 } as const;
