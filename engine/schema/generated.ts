/** The expression of a computed column. */
import { quote } from '../db/identifiers.ts';
import { formulaToSql } from '../formula/to-sql.ts';
import type { ColumnSpec } from '../model/field-type.ts';
import type { Entity, Field } from '../model/model.ts';

/** A generated column may not read another one; the model's formulas read stored fields alone (`formula/order.ts`). */
export function generatedSql(entity: Entity, field: Field, spec: ColumnSpec): string {
  if (!field.formula) throw new TypeError(`${entity.name}.${field.key} has no formula`);
  return `(${formulaToSql(field.formula, quote)})::${spec.type}`;
}
