/**
 * What a publish leaves for afterwards, because it would hold up a table of many records: building an index, going
 * through the records to validate a constraint, filling a column. It is kept as data and refers to tables and columns
 * by id; the SQL is written when the step runs, from the state that is stored then, so that a rename in between changes
 * nothing about it.
 */
import type { ChangeKind } from '../change.ts';

export type StepWork =
  /** Build an index of `TableState.indexes` beside the work of everybody else. */
  | { readonly kind: 'index'; readonly table: string; readonly index: string }
  /** Go through the rows of a constraint that holds for new rows already. */
  | {
      readonly kind: 'validate';
      readonly table: string;
      readonly column: string;
      readonly constraint: string;
      readonly what: 'check' | 'reference' | 'not_null';
    }
  /** Give the default to rows that have no value, in batches. */
  | { readonly kind: 'fill'; readonly table: string; readonly column: string }
  /** Compute a column that is kept over parts, in batches. */
  | { readonly kind: 'rollup'; readonly table: string; readonly column: string }
  /** The column becomes NOT NULL, once it is filled. */
  | { readonly kind: 'require'; readonly table: string; readonly column: string }
  /** Values of a column as another type, made ready before the release that needs them (`convert/ahead.ts`). */
  | {
      readonly kind: 'convert';
      readonly table: string;
      readonly column: string;
      readonly aside: string;
      /** Tells what type it becomes, as {@link aside} what it was. Absent in steps of earlier engines, as the next one. */
      readonly back?: string;
      readonly onFail?: 'refuse' | 'null';
      readonly type: string;
    }
  /** Drop what was set aside long ago: a column, or a table with `column: null`. */
  | { readonly kind: 'purge'; readonly table: string; readonly column: string | null };

/** A step that a change asks for. */
export interface StepDraft {
  readonly work: StepWork;
  /** Sentence and reason of the plan. */
  readonly title: string;
  readonly why: string;
  /** The change it belongs to. */
  readonly change: ChangeKind;
  /** What will run, for the plan. */
  readonly sql: readonly string[];
}

/** How a change is done on a table of many records. */
export interface Later {
  /** Ids of tables that are gone through besides the change's own. */
  readonly about?: readonly string[];
  /** In the transaction of the publish: nothing that reads or writes every row. */
  readonly now: readonly string[];
  /** After it, in this order. */
  readonly steps: readonly StepDraft[];
}
