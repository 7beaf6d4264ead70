/**
 * What a function of the formula language is: its types, its meaning in JavaScript and its meaning in Postgres, side by
 * side in one object, so that neither is changed without the other. Every function is total: it never fails.
 */
import { Decimal } from 'decimal.js';
import type { Value, ValueType } from '../../model/value-type.ts';

/**
 * A value while a formula is computed: numbers of both types are decimals, date-times are milliseconds, dates are
 * `2026-01-31`.
 */
export type Cell = Decimal | string | boolean | number | null;

/** An argument as the type checker sees it. `type` is null for the word `null`, which has every type. */
export interface Argument {
  readonly type: ValueType | null;
  /** The value of a literal. */
  readonly literal?: Value;
}

/** The types a call takes and gives; or a sentence about what is wrong with it. */
export type Signature =
  | { readonly takes: readonly ValueType[]; readonly returns: ValueType }
  | { readonly wrong: string };

/** What constant arguments decide about a call: its value, or which of its arguments are left. */
export type Decision = { readonly value: Cell } | { readonly keep: readonly number[] } | undefined;

export interface FormulaFunction {
  readonly name: string;
  /** Least and greatest number of arguments. */
  readonly arity: readonly [least: number, most: number];
  /** Not to be called by name: an operator, or a step that the parser adds. */
  readonly internal?: true;
  signature(args: readonly Argument[]): Signature;
  evaluate(args: readonly Cell[]): Cell;
  /**
   * For calls of which some arguments are constants: the others are `undefined`. It must see every constant that
   * Postgres would see, see `fold.ts`.
   */
  decide?(args: readonly (Cell | undefined)[]): Decision;
  /**
   * @param args SQL of the arguments, each in parentheses where needed and to be used once at most: repeated twice on
   *   each of fifty levels, one argument would be a petabyte. Numbers are `numeric`, whatever their type.
   * @returns an expression of built-in functions that Postgres marks immutable, as generated columns ask for
   */
  sql(args: readonly string[], types: readonly ValueType[]): string;
}

/** Decimals as Postgres computes them: never rounded unless a function says so. The longest formula stays far below it. */
export const Exact = Decimal.clone({
  precision: 100_000,
  rounding: Decimal.ROUND_HALF_UP,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});

/** {@link FormulaFunction.decide} of functions that give NULL for NULL. */
export function strict(args: readonly (Cell | undefined)[]): Decision {
  return args.includes(null) ? { value: null } : undefined;
}

/** A signature that does not depend on the arguments. */
export function fixed(takes: readonly ValueType[], returns: ValueType): () => Signature {
  return () => ({ takes, returns });
}

export const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

/** The type that all arguments can be read as, `undefined` when there is none, null when all of them are `null`. */
export function commonType(args: readonly Argument[]): ValueType | null | undefined {
  let common: ValueType | null = null;
  for (const { type } of args) {
    if (type === null || type === common) continue;
    if (common === null) common = type;
    else if (isNumber(type) && isNumber(common)) common = 'decimal';
    else return undefined;
  }
  return common;
}

export function isNumber(type: ValueType | null): boolean {
  return type === 'integer' || type === 'decimal';
}

/** Names of the types in sentences. */
export const TYPE_NAME: Readonly<Record<ValueType, string>> = {
  text: 'a text',
  integer: 'an integer',
  decimal: 'a number',
  boolean: 'true or false',
  date: 'a date',
  datetime: 'a date and time',
  time: 'a time',
  uuid: 'an id',
  texts: 'a list of texts',
  uuids: 'a list of ids',
  json: 'a JSON value',
};
