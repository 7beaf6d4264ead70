/**
 * Deleting records for good, out of the bin. Roles have no right to delete rows of entities with a bin: a function does
 * it as the owner, after it has asked for the caller's rights. What the records said goes with them, out of the history
 * as well; that they were there, and who purged them, stays in the outbox.
 */
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { tableOf } from './context.ts';
import { historyTableName } from './names.ts';
import { ownRights } from './own-rights.ts';
import { callerReaches } from './row-rights.ts';
import { sharedEntities, SHARES } from './shares.ts';
import type { FunctionState } from './state.ts';
import { PINNED } from './owner.ts';

export const purgeName = (entity: Pick<Entity, 'id'>): string => fit(`purge_${entity.id}`);

/**
 * `(records)`. Refuses `unmatched`: one of them is not in the bin, or not the caller's to purge.
 * @returns `null` for entities without a bin, and for parts, which go with their whole
 */
export function purgeFunction(context: Context, entity: Entity): FunctionState | null {
  if (!entity.softDelete || entity.parent !== null) return null;
  const { names } = context.tenant;
  const users = context.roles.filter((role) => ownRights(context.model, entity, role).purge.length > 0);
  const reaches = (action: 'read' | 'purge') => callerReaches(context, entity, action, 'x.');
  const dependents = dependentsOf(context, entity);
  const declared = dependents.map((_, index) => `ids_${index} uuid[]; `).join('');
  const history = (one: Entity, ids: string) =>
    one.history
      ? [`delete from ${qualified(names.schema, historyTableName(one))} h where h."record_id" = any(${ids})`]
      : [];
  const shared = sharedEntities(context).includes(entity);
  const shares = `${qualified(names.schema, SHARES)} s`;
  const ofRecords = `s."record" = any($1) and s."entity" = ${literal(entity.id)}`;
  const statements = [
    // Ended while the records are there: whoever saw them by a share alone is told so, and by nothing else.
    ...(shared ? [`update ${shares} set "ended_at" = armature.now() where ${ofRecords} and s."ended_at" is null`] : []),
    ...dependents.map(
      ({ from, column, of }, index) =>
        `select coalesce(array_agg(x."id"), '{}') into ids_${index} from ${tableOf(context, from)} x where x.${quote(column)} = any(${of === null ? '$1' : `ids_${of}`})`,
    ),
    // From the leaves, so that a row is still there when its trigger looks for it.
    ...dependents
      .map(({ from }, index) => `delete from ${tableOf(context, from)} x where x."id" = any(ids_${index})`)
      .reverse(),
    `delete from ${tableOf(context, entity)} x where x."id" = any($1)`,
    ...dependents.flatMap(({ from }, index) => history(from, `ids_${index}`)),
    ...history(entity, '$1'),
    ...(shared ? [`delete from ${shares} where ${ofRecords}`] : []),
  ];
  return {
    users: [names.system, ...users.map((role) => names.role(role.key))].sort(),
    sql: `create or replace function ${qualified(names.schema, purgeName(entity))}(records uuid[]) returns void language plpgsql security definer ${PINNED} as $body$
declare ${declared}found_records integer;
begin
  select count(*) into found_records from (
    select from ${tableOf(context, entity)} x where x."id" = any($1) and x."deleted_at" is not null
      and ${reaches('read')}
      and ${reaches('purge')}
    order by x."id" for update) f;
  if found_records <> cardinality($1) then perform armature.refuse('unmatched'); end if;
${statements.map((sql) => `  ${sql};`).join('\n')}
end $body$`,
  };
}

interface Dependent {
  readonly from: Entity;
  readonly column: string;
  /** Index of the dependents that these depend on; `null`: the records themselves. */
  readonly of: number | null;
}

/** What a purge takes along: parts, and records whose reference says `cascade`, each kind of way once. */
function dependentsOf({ model }: Context, entity: Entity): readonly Dependent[] {
  const found: Dependent[] = [];
  const seen = new Set<string>();
  const look = (target: Entity, of: number | null): void => {
    for (const from of model.entities.values()) {
      for (const field of from.fields.values()) {
        if (field.reference?.entity !== target.name || field.column === null || field.system) continue;
        const part = from.parent?.entity === target.name && from.parent.field === field.key;
        if ((!part && field.reference.onDelete !== 'cascade') || seen.has(field.id)) continue;
        seen.add(field.id);
        found.push({ from, column: field.column, of });
        look(from, found.length - 1);
      }
    }
  };
  look(entity, null);
  return found;
}
