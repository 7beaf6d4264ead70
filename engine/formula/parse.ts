/** From the text of a formula to a typed tree. */
import type { ValueType } from '../model/value-type.ts';
import { check } from './check.ts';
import { fault, type Place } from './fault.ts';
import type { Call, Expression, Formula } from './formula.ts';
import { isNumber, TYPE_NAME } from './functions/function.ts';
import { parseSyntax } from './syntax.ts';

export interface FormulaOptions {
  /** What the formula may read: fields of the same record, other formulas included, without the formula itself. */
  readonly fields: ReadonlyMap<string, { readonly valueType: ValueType | null }>;
  /** Value type of the formula's field. */
  readonly returns: ValueType;
  /** JSON Pointer of the source. */
  readonly pointer: string;
  /** Decimal places of the result; without them it is not rounded. */
  readonly scale?: number;
  /** Digits before the decimal point that the column has room for (default 30). A longer result is NULL. */
  readonly digits?: number;
}

const DEFAULT_DIGITS = 30;

/**
 * `parseFormula('amount * probability / 100', { fields, returns: 'decimal', scale: 2, pointer: '/fields/7/expr' })`
 * @returns the typed formula. It is total: computing it never fails, in Postgres as little as in JavaScript.
 * @throws Problem `invalid_document` at the first mistake, with `params.offset` and `params.caret`
 */
export function parseFormula(source: string, options: FormulaOptions): Formula {
  const place: Place = { source, pointer: options.pointer };
  const node = parseSyntax(place);
  const tree = finish(check(node, options.fields, place), options, place);
  return Object.freeze({ source, type: options.returns, tree, reads: Object.freeze([...new Set(fieldsOf(tree))]) });
}

/** Makes the result fit its column: rounded, and NULL instead of an overflow. */
function finish(tree: Expression | null, options: FormulaOptions, place: Place): Expression {
  const { returns } = options;
  if (tree === null) return { kind: 'literal', type: returns, value: null };
  if (tree.type === 'decimal' && returns === 'integer') {
    fault(place, 0, 'The result is a number and its field holds integers; use "round"', 'invalid', {
      expected: returns,
      found: tree.type,
    });
  }
  if (tree.type !== returns && !(isNumber(tree.type) && isNumber(returns))) {
    fault(place, 0, `The result is ${TYPE_NAME[tree.type]} and its field holds ${TYPE_NAME[returns]}`, 'invalid', {
      expected: returns,
      found: tree.type,
    });
  }
  if (returns === 'integer') return call('fit_integer', returns, [tree]);
  if (returns !== 'decimal' || options.scale === undefined) return tree;
  return call('fit', returns, [tree, integer(options.scale), integer(options.digits ?? DEFAULT_DIGITS)]);
}

function call(name: string, type: ValueType, args: readonly Expression[]): Call {
  return Object.freeze({ kind: 'call', type, function: name, args: Object.freeze(args) });
}

function integer(value: number): Expression {
  return Object.freeze({ kind: 'literal', type: 'integer', value });
}

/** Keys of the fields a tree reads, in the order of reading, repeated as it repeats them. */
export function fieldsOf(tree: Expression): string[] {
  if (tree.kind === 'field') return [tree.field];
  return tree.kind === 'call' ? tree.args.flatMap(fieldsOf) : [];
}
