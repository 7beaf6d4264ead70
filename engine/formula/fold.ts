/**
 * Computes what is constant in a formula. That is more than tidiness: Postgres folds the constants of a generated column
 * before it has worked out collations, and refuses `upper('a' collate …)` there. So whatever Postgres could fold must be
 * folded here already.
 */
import { toCell, toValue } from './cells.ts';
import type { Call, Expression } from './formula.ts';
import { functionOf } from './functions/index.ts';

type Literal = Extract<Expression, { kind: 'literal' }>;

/** The call, or what is left of it. Its arguments are folded already. */
export function fold(call: Call): Expression {
  const { args } = call;
  const called = functionOf(call.function);
  if (args.every(isLiteral)) return literal(call, called.evaluate(args.map(cellOf)));
  const decided = called.decide?.(args.map((arg) => (isLiteral(arg) ? cellOf(arg) : undefined)));
  if (decided === undefined) return call;
  if ('value' in decided) return literal(call, decided.value);
  const left = decided.keep.map((index) => args[index]).filter((arg) => arg !== undefined);
  const [only] = left;
  // An integer in the place of a number stays an integer: its column has to be made numeric.
  if (left.length === 1 && only !== undefined) return only;
  return left.length === args.length ? call : Object.freeze({ ...call, args: Object.freeze(left) });
}

function isLiteral(expression: Expression): expression is Literal {
  return expression.kind === 'literal';
}

function cellOf({ value, type }: Literal) {
  return toCell(value, type);
}

function literal({ type }: Call, cell: ReturnType<typeof cellOf>): Literal {
  return Object.freeze({ kind: 'literal', type, value: toValue(cell, type) });
}
