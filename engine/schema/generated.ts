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

/** The expression of a field type, its places filled with the columns of the field, its companions, or its whole. */
export function generatedFrom(field: Field, expression: string | undefined): string | null {
  if (expression === undefined) return null;
  return placed(field, expression).replaceAll('{}', quote(field.key));
}

/**
 * SQL of a field type with its companions' columns (`{_city}`), its whole's (`{<}`) and others' of its record
 * (`{:account}`) put in; `{}` stays for its own.
 */
export function placed(field: Field, sql: string): string {
  return sql.replaceAll(/\{(<|[_:][a-z0-9_]+)\}/g, (_, place: string) => {
    if (place.startsWith(':')) return quote(place.slice(1));
    return quote(place === '<' ? (field.companionOf ?? field.key) : `${field.key}${place}`);
  });
}
