/**
 * Merging records of one entity: everything that refers to the losers refers to the winner afterwards, whoever may see
 * it, and the losers go to the bin. Nobody's rights reach that far, so a function does it as the owner, after it has
 * asked for the caller's rights on each of the records.
 */
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { tableOf } from './context.ts';
import { canMerge, MERGES } from './merges.ts';
import { ownRights } from './own-rights.ts';
import { callerReaches } from './row-rights.ts';
import { SHARES } from './shares.ts';
import type { FunctionState } from './state.ts';
import { PINNED } from './owner.ts';

export const mergeName = (entity: Pick<Entity, 'id'>): string => fit(`merge_${entity.id}`);

/**
 * `(winner, losers, version of the winner or null)`. Refuses `unmatched`: one of the records is not there, or is not the
 * caller's to merge, to change (the winner) or to delete (the losers).
 * @returns `null` where nobody may merge
 */
export function mergeFunction(context: Context, entity: Entity): FunctionState | null {
  const users = context.roles.filter((role) => ownRights(context.model, entity, role).merge.length > 0);
  if (!canMerge(entity) || users.length === 0) return null;
  const { names } = context.tenant;
  const table = tableOf(context, entity);
  const reaches = (action: 'read' | 'merge' | 'update' | 'delete') => callerReaches(context, entity, action, 'x.');
  return {
    users: users.map((role) => names.role(role.key)).sort(),
    sql: `create or replace function ${qualified(names.schema, mergeName(entity))}(winner uuid, losers uuid[], version integer) returns void language plpgsql security definer ${PINNED} as $body$
declare found_records integer;
begin
  -- In one order, so that two who merge the same records wait for each other instead of forever.
  select count(*) into found_records from (
    select from ${table} x where x."id" = any($2 || $1) and x."deleted_at" is null
      and (x."id" <> $1 or $3 is null or x."version" = $3)
      and ${reaches('read')}
      and ${reaches('merge')}
      and case when x."id" = $1 then ${reaches('update')} else ${reaches('delete')} end
    order by x."id" for update) f;
  if $1 = any($2) or found_records <> cardinality($2) + 1 then perform armature.refuse('unmatched'); end if;
${[...references(context, entity), ...links(context, entity), ...shares(context, entity)].map((sql) => `  ${sql};`).join('\n')}
  update ${qualified(names.schema, MERGES)} m set "winner" = $1 where m."winner" = any($2);
  insert into ${qualified(names.schema, MERGES)} ("record", "entity", "winner", "at", "actor")
    select l, ${literal(entity.id)}, $1, armature.now(), armature.user_id() from unnest($2) l
    on conflict ("record") do update set "winner" = excluded."winner", "at" = excluded."at", "actor" = excluded."actor";
  update ${table} x set "deleted_at" = armature.now() where x."id" = any($2);
end $body$`,
  };
}

/** Records that refer to a loser, deleted ones too, refer to the winner; the winner never to itself. */
function references({ model, tenant }: Context, entity: Entity): readonly string[] {
  return [...model.entities.values()].flatMap((from) =>
    [...from.fields.values()].flatMap((field) => {
      if (field.reference?.entity !== entity.name || field.column === null || field.system) return [];
      const column = quote(field.column);
      const value = from === entity ? 'case when x."id" = $1 then null else $1 end' : '$1';
      const others = from === entity ? ' and x."id" <> all($2)' : '';
      return [
        `update ${qualified(tenant.names.schema, from.table)} x set ${column} = ${value} where x.${column} = any($2)${others}`,
      ];
    }),
  );
}

/** Links of the losers become the winner's; those that the winner has already go, and those among the merged ones. */
function links({ model, tenant }: Context, entity: Entity): readonly string[] {
  const ends = new Map<string, { readonly table: string; readonly own: string; readonly other: string }>();
  for (const from of model.entities.values()) {
    for (const { many } of from.fields.values()) {
      if (many?.via !== 'links') continue;
      const { table, near, far } = many;
      if (from === entity) ends.set(`${table} ${near}`, { table, own: near, other: far });
      if (many.entity === entity.name) ends.set(`${table} ${far}`, { table, own: far, other: near });
    }
  }
  const paths = [...ends.values()];
  return paths.flatMap(({ table, own, other }) => {
    const name = qualified(tenant.names.schema, table);
    const [a, b] = [quote(own), quote(other)];
    // Of an entity's own records with each other: nothing is to be linked to itself.
    const inner = paths.some((one) => one.table === table && one.own === other);
    return [
      ...(inner ? [`delete from ${name} x where x.${a} = any($2) and x.${b} = any($2 || $1)`] : []),
      `update ${name} x set ${a} = $1 where x.${a} = any($2) and not exists (select from ${name} y where y.${a} = $1 and y.${b} = x.${b}) and x.ctid = (select min(y.ctid) from ${name} y where y.${a} = any($2) and y.${b} = x.${b})`,
      `delete from ${name} x where x.${a} = any($2)`,
    ];
  });
}

/** With whom a loser is shared, the winner is, at the wider level; a share of the winner's own stays as it is, until its end. */
function shares({ tenant }: Context, entity: Entity): readonly string[] {
  if (!entity.sharing) return [];
  const name = qualified(tenant.names.schema, SHARES);
  const live = `s."record" = any($2) and s."entity" = ${literal(entity.id)} and s."ended_at" is null and (s."until" is null or s."until" > armature.now())`;
  const same = `(o."user" = s."user" or o."team" = s."team")`;
  const given = `select from ${name} s where ${live} and ${same}`;
  return [
    // What has run out is in the way of another share until it is ended.
    `update ${name} o set "ended_at" = armature.now() where o."record" = $1 and o."entity" = ${literal(entity.id)} and o."ended_at" is null and o."until" <= armature.now() and exists (${given})`,
    `insert into ${name} ("id", "entity", "record", "user", "team", "level", "reason", "until")
    select distinct on (s."user", s."team") gen_random_uuid(), s."entity", $1, s."user", s."team", s."level", s."reason", s."until" from ${name} s
    where ${live} and not exists (select from ${name} o where o."record" = $1 and o."ended_at" is null and ${same})
    order by s."user", s."team", s."level" desc, s."until" desc nulls first`,
    `update ${name} s set "ended_at" = armature.now() where s."record" = any($2) and s."entity" = ${literal(entity.id)} and s."ended_at" is null`,
  ];
}
