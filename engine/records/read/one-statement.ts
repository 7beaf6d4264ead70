/** The statement that reads one record, for the Reader and for writes, which answer with it in the same round trip. */
import type { Statement } from '../../db/execute.ts';
import type { Entity } from '../../model/model.ts';
import { notFound } from '../../problem.ts';
import type { Selection } from '../query/query.ts';
import type { Scope } from '../scope.ts';
import type { BindSource } from './binds.ts';
import { bindValue, Binds } from './binds.ts';
import { oneSql } from './sql-one.ts';
import { planSelect } from './plan.ts';
import { accessOf, Shapes } from './shapes.ts';
import { SqlWriter } from './sql-source.ts';

const shapes = new Shapes<{ readonly text: string; readonly sources: readonly BindSource[] }>();

/**
 * @param selection `null`: every readable field
 * @param id a UUID
 * @returns a statement that answers one row `[JSON text of the record, version]`, or none when it may not be seen
 * @throws Problem `not_found` when the entity may not be read at all, `unknown_field` or `invalid_parameter` for the
 *   selection
 */
export function oneStatement(scope: Scope, entity: Entity, selection: Selection | null, id: string): Statement {
  const { text, sources } = shapes.get(scope, entity, selection?.key ?? '', () => {
    const access = accessOf(scope);
    if (!access.of(entity).readable) throw notFound();
    const binds = new Binds();
    const writer = new SqlWriter(access, binds, scope.tenant.names.schema, scope.predicates);
    return { text: oneSql(planSelect(selection, entity, access), writer, binds), sources: binds.sources };
  });
  const values = { principal: scope.principal, id };
  return { text, values: sources.map((source) => bindValue(source, values)) };
}

/**
 * Whether whoever sees the record sees all that is selected of it, whatever has become of it and of other records since:
 * fields of its own that are shown wherever it is.
 */
export function showsWhole(scope: Scope, entity: Entity, selection: Selection | null): boolean {
  const access = accessOf(scope);
  const { masks } = access.of(entity);
  return planSelect(selection, entity, access).items.every(
    (item) => item.kind === 'field' && item.field.derived === null && !masks.has(item.field.key),
  );
}
