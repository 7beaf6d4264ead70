/** INSERT statements: one record as parameters, several as one JSON text that Postgres takes apart. */
import { quote } from '#engine/db/identifiers.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';
import type { LinkChange } from './links.ts';
import { column, Parameters, recordColumns, sqlTypeOf, tableOf } from './sql.ts';

/** A record about to be stored. */
export interface NewRow {
  readonly id: string;
  /** JSON Pointer of the record in the request. */
  readonly pointer: string;
  /** By field key, `id` not among them. */
  readonly values: ReadonlyMap<string, Value>;
  /** Keys the client sent itself; the rest is defaults. */
  readonly sent: ReadonlySet<string>;
  readonly links?: readonly LinkChange[];
  /** A part of a record of the same request: the rights to it follow that one, which the row policies ask for. */
  readonly part?: boolean;
}

/**
 * @param fields columns to be written; a row without a value gets NULL. A constant list keeps the statement's text constant.
 */
export function insertStatement(
  scope: Scope,
  entity: Entity,
  fields: readonly Field[],
  rows: readonly NewRow[],
): Statement {
  const parameters = new Parameters();
  const columns = ['id', ...fields.map(column)].join(', ');
  const [first] = rows;
  if (rows.length === 1 && first) {
    const values = [
      parameters.bind(first.id, 'uuid'),
      ...fields.map((field) => parameters.bind(first.values.get(field.key) ?? null, sqlTypeOf(field))),
    ];
    return {
      text: `insert into ${tableOf(scope, entity)} (${columns}) values (${values.join(', ')})`,
      values: parameters.values,
    };
  }
  const source = recordset(fields, rows, parameters);
  return {
    text: `insert into ${tableOf(scope, entity)} (${columns}) select ${columns} from ${source}`,
    values: parameters.values,
  };
}

/** `json_to_recordset($1) as r(id uuid, …)`: the rows as a table inside a statement. */
export function recordset(fields: readonly Field[], rows: readonly NewRow[], parameters: Parameters): string {
  const json = rows.map((row) => {
    const record: Record<string, unknown> = { id: row.id };
    for (const field of fields) {
      const value = row.values.get(field.key);
      if (value === undefined || value === null) continue;
      record[field.key] = field.type.structured && typeof value === 'string' ? JSON.parse(value) : value;
    }
    return record;
  });
  const rest = recordColumns(fields);
  return `json_to_recordset(${parameters.bind(JSON.stringify(json), 'json')}) as ${quote('r')}(id uuid${rest === '' ? '' : `, ${rest}`})`;
}
