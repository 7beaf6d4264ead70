/** The expression of a computed column. */
import type { ColumnSpec } from '../model/field-type.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Context } from './context.ts';

export function generatedSql(_context: Context, _entity: Entity, _field: Field, spec: ColumnSpec): string {
  return `null::${spec.type}`;
}
