/** A parsed, typed formula: a total expression over the fields of one record (rule 11: its own parser tree, no eval). */
import type { Value, ValueType } from '../model/value-type.ts';

export interface Formula {
  readonly source: string;
  readonly type: ValueType;
  readonly tree: Expression;
  /** Keys of the fields it reads, directly. */
  readonly reads: readonly string[];
}

/** Operators are calls of functions named by their sign, see `functions/`. */
export type Expression =
  | { readonly kind: 'literal'; readonly type: ValueType; readonly value: Value }
  | { readonly kind: 'field'; readonly type: ValueType; readonly field: string }
  | Call;

export interface Call {
  readonly kind: 'call';
  readonly type: ValueType;
  readonly function: string;
  readonly args: readonly Expression[];
}

/** What one formula may at most be: it is computed for every record that is read. */
export const LIMITS = {
  /** Characters of the source. */
  length: 2000,
  /** Parentheses, calls and signs inside one another. */
  depth: 50,
  /** Parts of the tree after the formulas it refers to have been put in. */
  nodes: 2000,
} as const;
