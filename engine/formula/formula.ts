/** A parsed, typed formula: a total expression over the fields of one record (rule 11: its own parser tree, no eval). */
import type { Value, ValueType } from '../model/value-type.ts';

export interface Formula {
  readonly source: string;
  readonly type: ValueType;
  readonly tree: Expression;
  /** Keys of the fields it reads, directly. */
  readonly reads: readonly string[];
}

export type Expression =
  | { readonly kind: 'literal'; readonly type: ValueType; readonly value: Value }
  | { readonly kind: 'field'; readonly type: ValueType; readonly field: string }
  | {
      readonly kind: 'call';
      readonly type: ValueType;
      readonly function: string;
      readonly args: readonly Expression[];
    };
