/** The answer of a write: the record as its writer may read it. */
import type { Statement } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';
import { andReadable } from './predicate.ts';
import { column, Parameters, tableOf } from './sql.ts';

/** One row [JSON text of the record, version], or none when the record may not be read. */
export function recordStatement(scope: Scope, entity: Entity, id: string): Statement {
  const parameters = new Parameters();
  const which = parameters.bind(id, 'uuid');
  const { readableFields } = scope.rights.of(entity.name);
  const columns = [...entity.fields.values()].flatMap((field) =>
    field.column !== null && readableFields.get(field.key) === 'always'
      ? [`${field.type.select(`x.${column(field)}`, field)} as ${column(field)}`]
      : [],
  );
  const readable = andReadable(scope, entity, 'x', parameters);
  return {
    text: `select row_to_json(r)::text, r.version from (select ${columns.join(', ')} from ${tableOf(scope, entity)} x where x.id = ${which}${readable}) r`,
    values: parameters.values,
  };
}
