/**
 * What makes `$search` quick: an index of trigrams over the folded texts, and, for roles that see some records only, a
 * function that finds candidates with it.
 *
 * Under a row policy Postgres uses an index only with operators it trusts, and LIKE is none of them. The function runs as
 * the owner, finds ids by one word and narrows them by as much of the role's own policy as the owner finds no less by: a
 * candidate that is hidden takes the place of one that is not. The statement around it asks for policy, masks and match
 * again, so it can only find too much, never too little of what may be seen, and never shows anything.
 */
import type { Condition, Operand } from '../condition/condition.ts';
import { TRUE } from '../condition/condition.ts';
import { all, any, negationNormalForm, isTrue } from '../condition/simplify.ts';
import { qualified, quote } from '../db/identifiers.ts';
import type { Operator } from '../model/value-type.ts';
import type { Entity, Role } from '../model/model.ts';
import { indexedForSearch } from '../model/search-fields.ts';
import type { Context } from './context.ts';
import { policySql, tableOf } from './context.ts';
import { searchFunctionName, searchIndexName } from './names.ts';
import { allFields, ownRights } from './own-rights.ts';
import type { ColumnState, IndexState } from './state.ts';

/** Candidates of one role for one search. */
const CANDIDATES = 2000;

/** A virtual column cannot be indexed, but what it is computed from can: Postgres knows the one in the other. */
export function searchIndex(entity: Entity, states: Readonly<Record<string, ColumnState>>): Record<string, IndexState> {
  const columns = indexedForSearch(entity).map((field) => field.id);
  if (columns.length === 0) return {};
  const computed = Object.fromEntries(
    columns.flatMap((id) => {
      const generated = states[id]?.generated;
      return generated == null ? [] : [[id, generated]];
    }),
  );
  const index: IndexState = { columns, unique: false, method: 'gin', whereNull: null, folded: true };
  return { [searchIndexName(entity)]: Object.keys(computed).length === 0 ? index : { ...index, computed } };
}

/** By name: the function, and who may call it. */
export function searchFunctions(context: Context, entity: Entity): Record<string, string> {
  const functions: Record<string, string> = {};
  for (const role of context.roles) {
    const sql = searchFunction(context, entity, role);
    if (sql !== null) functions[searchFunctionName(entity, role.key)] = sql;
  }
  return functions;
}

/** `null` where every record may be seen (no policy is in the way), none, or none by a condition of its own. */
function searchFunction(context: Context, entity: Entity, role: Role): string | null {
  if (entity.parent !== null) return null;
  const { read } = ownRights(context.model, entity, role);
  if (read.length === 0 || read.some(({ condition }) => condition === null)) return null;
  const shown = allFields(read);
  const fields = indexedForSearch(entity).filter((field) => shown === null || shown.has(field.id));
  if (fields.length === 0) return null;
  const rows = any(read.map(({ condition }) => widened(negationNormalForm(condition ?? TRUE))));
  const also = isTrue(rows) ? '' : ` and ${policySql(rows, 'x.', context)}`;
  const found = fields.map((field) => {
    const text = `armature.fold(x.${quote(field.key)})`;
    return `${text} like pattern or ${text} operator(public.%>) word`;
  });
  const name = qualified(context.tenant.names.schema, searchFunctionName(entity, role.key));
  return `create or replace function ${name}(word text, pattern text) returns setof uuid language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $body$
begin
  return query select x."id" from ${tableOf(context, entity)} x where (${found.join(' or ')})${also} limit ${CANDIDATES};
end
$body$;
grant execute on function ${name}(text, text) to ${quote(context.tenant.names.role(role.key))}`;
}

/** The condition with everything left out that the owner may find otherwise than the role: true for no fewer records. */
function widened(condition: Condition): Condition {
  switch (condition.kind) {
    case 'all':
      return all(condition.of.map(widened));
    case 'any':
      return any(condition.of.map(widened));
    case 'not':
      // What is asked for more widely inside would be asked for more narrowly here.
      return isExact(condition.of) ? condition : TRUE;
    case 'test':
    case 'under':
    case 'some':
    case 'shared':
    case 'business_hours':
      return isOwn(condition) ? condition : TRUE;
  }
}

/** Whether the owner finds it for the very records for which the role does. */
function isExact(condition: Condition): boolean {
  if (condition.kind === 'test') return isPlain(condition.left) && isPlain(condition.right);
  return isOwn(condition);
}

/** Whether the owner finds it for all the records for which the role does, at least. */
function isOwn(condition: Condition): boolean {
  if (condition.kind === 'business_hours') return true;
  // Who a record is shared with is asked of the user by a definer function as it is.
  if (condition.kind === 'shared') return condition.record.steps.length === 0;
  if (condition.kind !== 'test') return false;
  const { left, right } = condition;
  if (isPlain(left) && isPlain(right)) return true;
  // The owner finds behind references, and among the members of a team, no less than the role does: what is equal to
  // that for the role is so for the owner.
  return FINDS_MORE.has(condition.operator) && left.kind !== 'count' && right.kind !== 'count';
}

const FINDS_MORE: ReadonlySet<Operator> = new Set(['eq', 'in']);

/** The members of a team are looked up among the users; what the owner finds there is not what the role finds. */
function isPlain(operand: Operand): boolean {
  if (operand.kind === 'count') return false;
  if (operand.kind === 'user') return operand.attribute !== 'team_members';
  return operand.kind !== 'field' || operand.steps.length === 0;
}
