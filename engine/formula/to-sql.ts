/**
 * Writes a formula as SQL made of immutable built-in functions alone, so that it can be a VIRTUAL generated column as
 * well as part of a query. It computes what `evaluate.ts` computes.
 */
import { literal } from '../db/identifiers.ts';
import { SQL_TYPE } from '../model/value-type.ts';
import type { Expression, Formula } from './formula.ts';
import { functionOf } from './functions/index.ts';

/**
 * @param columnOf SQL of a field's column, quoted: `"amount"` in a generated column, `x."amount"` in a query
 * @returns an expression of the Postgres type of the formula's value type; decimals are `numeric`, rounded to the
 *   formula's scale
 */
export function formulaToSql(formula: Formula, columnOf: (field: string) => string): string {
  const sql = write(formula.tree, columnOf);
  // Inside, all numbers are numeric.
  return formula.type === 'integer' ? `(${sql})::bigint` : `(${sql})`;
}

function write(tree: Expression, columnOf: (field: string) => string): string {
  switch (tree.kind) {
    case 'literal':
      return writeLiteral(tree);
    case 'field': {
      const column = columnOf(tree.field);
      return tree.type === 'integer' ? `${column}::numeric` : column;
    }
    case 'call':
      return functionOf(tree.function).sql(
        tree.args.map((arg) => write(arg, columnOf)),
        tree.args.map((arg) => arg.type),
      );
  }
}

function writeLiteral({ type, value }: Extract<Expression, { kind: 'literal' }>): string {
  const sqlType = type === 'integer' ? SQL_TYPE.decimal : SQL_TYPE[type];
  if (value === null) return `null::${sqlType}`;
  return `${literal(String(value))}::${sqlType}`;
}
