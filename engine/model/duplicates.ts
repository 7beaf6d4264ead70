/** When two records are probably one: rules of an entity, each of some fields that must all be alike. */

export type Alike = 'exact' | 'normalised' | 'fuzzy';

export interface DuplicateMatch {
  /** Field key. */
  readonly field: string;
  /**
   * `exact`: equal as stored (web addresses: the same host). `normalised`: equal without case, accents, punctuation and
   * the words to ignore. `fuzzy`: so, and then alike by trigrams.
   */
  readonly how: Alike;
  /** For `fuzzy`: how alike, 0.3 to 1. */
  readonly threshold: number;
  /** Words that say nothing, lower case, sorted. */
  readonly ignore: readonly string[];
}

export interface DuplicateRule {
  readonly key: string;
  readonly label: string;
  readonly match: readonly DuplicateMatch[];
  /** Whether creating a record that matches is refused until somebody says that it is meant. */
  readonly onCreate: 'warn' | 'refuse';
}
