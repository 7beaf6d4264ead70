/** Computes a formula in JavaScript. The twin of `to-sql.ts`: property tests hold the two equal. */
import type { Value } from '../model/value-type.ts';
import { toCell, toValue } from './cells.ts';
import type { Expression, Formula } from './formula.ts';
import type { Cell } from './functions/function.ts';
import { functionOf } from './functions/index.ts';

/**
 * @param record field key → JSON value as the API answers it; an absent key is NULL
 * @returns a decimal as a string with the formula's scale ("10.50"; without a scale, without superfluous zeros), an
 *   integer as a number, a date-time in UTC with milliseconds
 */
export function evaluateFormula(formula: Formula, record: Readonly<Record<string, unknown>>): Value {
  return toValue(compute(formula.tree, record), formula.type, scaleOf(formula.tree));
}

function compute(tree: Expression, record: Readonly<Record<string, unknown>>): Cell {
  switch (tree.kind) {
    case 'literal':
      return toCell(tree.value, tree.type);
    case 'field':
      return toCell(record[tree.field], tree.type);
    case 'call':
      return functionOf(tree.function).evaluate(tree.args.map((arg) => compute(arg, record)));
  }
}

/** Decimal places that the last step rounds to; `undefined` when it does not. */
function scaleOf(tree: Expression): number | undefined {
  const scale = tree.kind === 'call' && tree.function === 'fit' ? tree.args[1] : undefined;
  return scale?.kind === 'literal' && typeof scale.value === 'number' ? scale.value : undefined;
}
