/** One record, in one row or none: its JSON and its version. */
import type { Binds } from './binds.ts';
import type { SelectPlan } from './plan.ts';
import { selectItems } from './sql-select.ts';
import type { SqlWriter } from './sql-source.ts';
import { RECORD, whereOf } from './template.ts';

export function oneSql(plan: SelectPlan, writer: SqlWriter, binds: Binds): string {
  const id = binds.once({ kind: 'id' }, 'uuid');
  const { from, where } = writer.source(plan.entity, RECORD, 'exclude');
  const items = selectItems(plan, RECORD, writer);
  // A lateral row is folded into the scan; a scalar subselect around it would be a plan of its own.
  return `select row_to_json(_o)::text, ${RECORD}."version"::text from ${from} cross join lateral (select ${items}) _o${whereOf([`${RECORD}."id" = ${id}`, ...where])}`;
}
