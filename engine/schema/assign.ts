/**
 * Giving a record to another owner. The giver may not see it afterwards, and Postgres wants the new row of an UPDATE to
 * be visible to whoever writes it: so nobody may change the column, and this function does it as the owner after it has
 * asked for the caller's rights on the record as it was.
 *
 * Conditions that look at other records see them as they are stored, not as the caller may see them; the compiler asks
 * the same question as the caller before.
 */
import { fit, qualified } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import { USER_ENTITY } from '../model/system-fields.ts';
import type { Context } from './context.ts';
import { tableOf } from './context.ts';
import { ownRights } from './own-rights.ts';
import { callerReaches } from './row-rights.ts';
import type { FunctionState } from './state.ts';
import { PINNED } from './owner.ts';

export const assignName = (entity: Pick<Entity, 'id'>): string => fit(`assign_${entity.id}`);

/**
 * `(record, owner, version or null)` → the record's version afterwards. Refuses `unmatched` (details: the record;
 * there is none, another version of it, or no right to assign it) and `owner` (nobody who is active).
 * @returns `null` when there is no owner to change, or nobody may
 */
export function assignFunction(context: Context, entity: Entity): FunctionState | null {
  const users = context.roles.filter((role) => ownRights(context.model, entity, role).assign.length > 0);
  const people = context.model.entities.get(USER_ENTITY);
  if (!entity.owner || users.length === 0 || !people) return null;
  const { names } = context.tenant;
  const live = entity.softDelete ? ' and x."deleted_at" is null' : '';
  const reaches = (action: 'read' | 'assign') => callerReaches(context, entity, action, 'x.');
  const field = entity.fields.get('owner')?.id ?? '';
  const sees = callerReaches(context, entity, 'read', 'x.', ({ fields }) => fields === null || fields.has(field));
  return {
    users: users.map((role) => names.role(role.key)).sort(),
    sql: `create or replace function ${qualified(names.schema, assignName(entity))}(record uuid, owner uuid, version integer) returns integer language plpgsql security definer ${PINNED} as $body$
declare found_version integer; found_owner uuid; shown boolean;
begin
  select x."version", x."owner", ${sees} into found_version, found_owner, shown from ${tableOf(context, entity)} x
    where x."id" = $1${live} and ($3 is null or x."version" = $3)
      and ${reaches('read')}
      and ${reaches('assign')}
    for update;
  if not found then perform armature.refuse('unmatched', pg_catalog.json_build_array($1)); end if;
  perform from ${tableOf(context, people)} u where u."id" = $2 and u."active" for share;
  if not found then perform armature.refuse('owner'); end if;
  -- Leaving it alone would tell whoever is not shown the owner that this is the one.
  if shown and found_owner is not distinct from $2 then return found_version; end if;
  update ${tableOf(context, entity)} x set "owner" = $2 where x."id" = $1;
  return found_version + 1;
end $body$`,
  };
}
