/** The expression of a computed column. */
import { quote } from '../db/identifiers.ts';
import { formulaToSql } from '../formula/to-sql.ts';
import type { ColumnSpec } from '../model/field-type.ts';
import type { Entity, Field } from '../model/model.ts';

/** A generated column may not read another one: the formula of a computed field stands where its name is. */
export function generatedSql(entity: Entity, field: Field, spec: ColumnSpec): string {
  return `(${formulaSql(entity, field)})::${spec.type}`;
}

function formulaSql(entity: Entity, field: Field): string {
  if (!field.formula) throw new TypeError(`${entity.name}.${field.key} has no formula`);
  return formulaToSql(field.formula, (key) => {
    const read = entity.fields.get(key);
    if (!read?.formula) return quote(key);
    // As its own column would give it: rounded to its scale.
    const [column] = read.type.columns(read);
    return `(${formulaSql(entity, read)})::${column?.type ?? 'text'}`;
  });
}
