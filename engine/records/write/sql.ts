/** Building blocks of the statements that write: parameters, column types, the table's name. */
import { arrayText, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { SQL_TYPE } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';

/** Collects a statement's parameters; {@link bind} answers how the value is referred to. */
export class Parameters {
  readonly values: (string | null)[] = [];

  /** `$3::numeric` for the value; arrays and numbers are brought into Postgres's text form. */
  readonly bind = (value: Value, sqlType: string): string => {
    this.values.push(textOf(value));
    return `$${this.values.length}::${sqlType}`;
  };
}

/** A JSON value in Postgres's text form. */
export function textOf(value: Value): string | null {
  if (value === null) return null;
  return typeof value === 'object' ? arrayText(value) : String(value);
}

/** The type values of a field are sent as. Without precision: values are brought to their scale before. */
export function sqlTypeOf(field: Field): string {
  const { valueType } = field.type;
  if (valueType === null) throw new TypeError(`field "${field.key}" has no column`);
  return SQL_TYPE[valueType];
}

export function tableOf(scope: Scope, entity: Entity): string {
  return qualified(scope.tenant.names.schema, entity.table);
}

/** ` and x.deleted_at is null`, or nothing for entities that are deleted for good. */
export function andLive(entity: Entity, alias: string): string {
  return entity.softDelete ? ` and ${alias}.deleted_at is null` : '';
}

export function column(field: Field): string {
  if (field.column === null) throw new TypeError(`field "${field.key}" has no column`);
  return quote(field.column);
}

/** `r(id uuid, "name" text, …)`: the columns of a `json_to_recordset`. */
export function recordColumns(fields: readonly Field[]): string {
  return fields.map((field) => `${column(field)} ${sqlTypeOf(field)}`).join(', ');
}
