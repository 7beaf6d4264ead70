/** What fields that lead to other records say of the way: lists of records, and values computed over them. */
import type { Condition, Step } from '../condition/condition.ts';
import type { ValueType } from './value-type.ts';

/**
 * The list of records a field holds. How `far`, a record of `entity`, is on the list of `near`, the record at hand:
 *
 * | via        | on the list when                                           | who sees it                                   |
 * | ---------- | ---------------------------------------------------------- | --------------------------------------------- |
 * | `children` | `far.<field> = near.id`                                    | whoever sees the field of the parent          |
 * | `inverse`  | `far.<field> = near.id`                                    | whoever sees the field, and `far` by its own rights |
 * | `links`    | a row of `<table>` has `<near> = near.id, <far> = far.id`  | whoever sees the field, and `far` by its own rights |
 *
 * Deleted records (`softDelete`) are on no list.
 */
export type Many =
  | {
      readonly via: 'children' | 'inverse';
      /** Qualified name of the entity whose records are on the list. */
      readonly entity: string;
      /** Key of that entity's reference that points back here. */
      readonly field: string;
    }
  | {
      readonly via: 'links';
      readonly entity: string;
      /** Join table in the tenant's schema, not quoted; columns as given here, not quoted. */
      readonly table: string;
      readonly near: 'near' | 'far';
      readonly far: 'near' | 'far';
      /** Immutable id of the field whose links these are: an inverse field shares the table of the field it is the inverse of. */
      readonly of: string;
    };

export type RollupFunction = 'count' | 'sum' | 'avg' | 'min' | 'max';

/** A value over a list of records. */
export interface Rollup {
  /** Key of the record's own field that holds the list; `null` where it was named by its reference (`shop.order.buyer`). */
  readonly list: string | null;
  readonly many: Many;
  /** `currency`: of a money rollup's companion, the one currency of the amounts that count. */
  readonly fn: RollupFunction | 'currency';
  /** What is summed up: key of a field of the records on the list; `null` for `count`. */
  readonly field: string | null;
  /** Key of the currency beside the amount: amounts of several currencies have no sum. */
  readonly currency: string | null;
  /** Which records count, resolved against their entity; `null` for all of them. */
  readonly where: Condition | null;
}

/**
 * A value that stands in no column and is computed under the reader's rights when it is read: what the reader may not
 * see contributes nothing.
 */
export type Derived =
  /** The field at the end of a way over references. */
  | { readonly kind: 'lookup'; readonly steps: readonly Step[]; readonly entity: string; readonly field: string }
  | { readonly kind: 'rollup'; readonly rollup: Rollup; readonly type: ValueType }
  /** A reference to a record of one of several entities: the companion references, of which at most one has a value. */
  | { readonly kind: 'any'; readonly targets: readonly AnyTarget[] };

export interface AnyTarget {
  /** Qualified name. */
  readonly entity: string;
  /** Key of the companion, an ordinary reference. */
  readonly field: string;
}
