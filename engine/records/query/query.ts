/**
 * What a client asks for, as written: shaped and bounded, but of an unknown entity. `url.ts` and `json.ts` make it,
 * `read/plan.ts` resolves it against the model and the rights of whoever asks. Frozen.
 *
 * `at` says where a part stands, for error messages: the name of a query parameter, or a JSON Pointer into the body.
 */
import type { RawCondition } from '../../condition/raw.ts';

export interface Query {
  /** `null`: every readable field of the record itself. */
  readonly select: Selection | null;
  readonly where: RawCondition | null;
  /** The values of `where` come from a query string, where everything is text. */
  readonly fromText: boolean;
  /** Empty: the view's order, or else the newest first. */
  readonly order: readonly OrderTerm[];
  /** Records per page, 1 to {@link LIMITS.first}; of a summary the number of groups, 1 to {@link LIMITS.groups}. */
  readonly first: number;
  /** The last records of the order instead of the first; with a cursor, the last of those before or after it. */
  readonly last: boolean;
  /** Signed cursors, not yet looked into; at most one of the two. */
  readonly after: string | null;
  readonly before: string | null;
  readonly offset: number;
  /** `capped` counts to 10,000 and then says "at least". */
  readonly count: 'none' | 'exact' | 'capped';
  /** The words that are looked for, folded (`condition/fold.ts`), at most {@link LIMITS.searchWords}; never empty. */
  readonly search: readonly SearchedWord[] | null;
  /** Key of a view, qualified or not. */
  readonly view: string | null;
  /** Groups and aggregates; `null` for a list of records. */
  readonly summary: Summary | null;
  /** `only`: the records in the bin. */
  readonly deleted: 'exclude' | 'only';
  /**
   * Everything above that decides the SQL text, except `where`, as one text: equal shapes plan alike. Values (cursors,
   * the searched text) are not part of it, only whether they are there.
   */
  readonly shape: string;
}

export interface SearchedWord {
  readonly word: string;
  /** Numbers and codes are found as they are: another one is not a typing error. */
  readonly exact: boolean;
}

export interface Selection {
  readonly items: readonly SelectItem[];
  /** Canonical text: equal keys select the same. */
  readonly key: string;
}

export type SelectItem =
  /** Every readable field of the record itself. */
  | { readonly kind: 'all'; readonly at: string }
  /** A field, `_title`, `_actions` or `_may`. */
  | { readonly kind: 'field'; readonly at: string; readonly key: string }
  /** The record a reference points at, or the children. `order`, `first` and `where` are for children alone. */
  | {
      readonly kind: 'nested';
      readonly at: string;
      readonly key: string;
      readonly of: Selection;
      readonly order: readonly OrderTerm[];
      /** `null`: the default. */
      readonly first: number | null;
      /** Which of the children; `null` for all. */
      readonly where: RawCondition | null;
    };

export interface OrderTerm {
  readonly at: string;
  readonly descending: boolean;
  /** Field keys over references; in a summary a single element, the name of a group or an aggregate. */
  readonly path: readonly string[];
}

export interface Summary {
  readonly group: readonly GroupTerm[];
  readonly aggregate: readonly AggregateTerm[];
  /** Of the groups, by the names of the aggregates; `null` for all. */
  readonly having: RawCondition | null;
}

export const BUCKETS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type Bucket = (typeof BUCKETS)[number];

export interface GroupTerm {
  readonly at: string;
  /** Its key in the answer: the given name, or the term as written. */
  readonly name: string;
  readonly bucket: Bucket | null;
  readonly path: readonly string[];
}

export const FUNCTIONS = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'] as const;
export type AggregateFunction = (typeof FUNCTIONS)[number];

export interface AggregateTerm {
  readonly at: string;
  readonly name: string;
  readonly fn: AggregateFunction;
  /** Empty for `count()`. */
  readonly path: readonly string[];
}

/** What one query may at most ask for: somebody pays for it. */
export const LIMITS = {
  /** Records on a page, and without `$first`. */
  first: 200,
  defaultFirst: 50,
  /** Children of one record, and without `first`. */
  children: 500,
  defaultChildren: 100,
  /** Records inside the records of a page, all levels together, were every list as long as it may be. */
  nestedRows: 100_000,
  offset: 10_000,
  /** References on the way to a field. */
  steps: 3,
  selectDepth: 5,
  selectNodes: 200,
  orderTerms: 5,
  groups: 1000,
  groupTerms: 4,
  /** Characters of the name of a group or an aggregate: a column's name may not be longer. */
  termName: 60,
  aggregateTerms: 20,
  search: 200,
  /** Further words of a searched text narrow nothing more. */
  searchWords: 8,
  /** Query parameters, and characters of one. */
  parameters: 100,
  parameterLength: 16_000,
  /** Five sort keys of 2,000 characters, four bytes each: no longer one is given. */
  cursorLength: 60_000,
} as const;
