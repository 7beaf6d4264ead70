/**
 * The shares of a tenant's records: one table beside the entities' own. Whoever shares or ends a share writes it under
 * the row policies below; who reaches a record by a share is asked by a definer function, because the people a record
 * is shared with do not read this table.
 */
import { SHARED_RECORDS } from '../condition/to-sql.ts';
import { literal, qualified, quote } from '../db/identifiers.ts';
import type { Entity, Role } from '../model/model.ts';
import { TEAM_ENTITY, USER_ENTITY } from '../model/system-fields.ts';
import { plainColumns } from './columns.ts';
import type { Context } from './context.ts';
import { anyOf, tableOf } from './context.ts';
import { checkName, indexName, primaryKeyName, referenceName } from './names.ts';
import { ownRights } from './own-rights.ts';
import { ownerPolicy, type Policies } from './policies.ts';
import { holdsRole, rowsOf } from './row-rights.ts';
import type { GrantState, IndexState, TableState } from './state.ts';
import { PINNED } from './owner.ts';

/** Id and name. No entity's table is called so: those carry the pack's key and an underscore. */
export const SHARES = 'shares';

const COLUMNS = [
  ['id', 'uuid', true],
  ['entity', 'text', true],
  ['record', 'uuid', true],
  ['user', 'uuid', false],
  ['team', 'uuid', false],
  ['level', 'text', true],
  ['reason', 'text', false],
  ['until', 'timestamptz(3)', false],
  ['created_at', 'timestamptz(3)', true],
  ['created_by', 'uuid', false],
  ['ended_at', 'timestamptz(3)', false],
  ['ended_by', 'uuid', false],
] as const;
type Column = (typeof COLUMNS)[number][0];

const idOf = (column: Column): string => `${SHARES}_${column}`;
/** What is given when sharing; the rest is kept by the trigger. */
const GIVEN: readonly Column[] = ['id', 'entity', 'record', 'user', 'team', 'level', 'reason', 'until'];

export function sharedEntities({ model }: Context): readonly Entity[] {
  return [...model.entities.values()].filter(({ sharing }) => sharing);
}

/** @returns `null` when no entity's records are shared */
export function sharesTable(context: Context): TableState | null {
  const user = context.model.entities.get(USER_ENTITY);
  const team = context.model.entities.get(TEAM_ENTITY);
  if (sharedEntities(context).length === 0 || !user || !team) return null;
  const columns = plainColumns(SHARES, COLUMNS, { entity: { collation: 'C' }, level: { collation: 'C' } });
  const index = (columnsOf: readonly Column[], unique = false): IndexState => ({
    columns: columnsOf.map(idOf),
    unique,
    method: 'btree',
    whereNull: unique ? idOf('ended_at') : null,
  });
  return {
    id: SHARES,
    name: SHARES,
    label: 'Shares',
    entity: USER_ENTITY,
    history: false,
    aside: false,
    columns,
    primaryKey: { name: primaryKeyName(SHARES), column: idOf('id') },
    checks: {
      [checkName(idOf('level'), 'known')]: { column: idOf('level'), sql: `{} in ('read', 'write')` },
      [checkName(idOf('reason'), 'max')]: { column: idOf('reason'), sql: 'char_length({}) <= 500' },
      [checkName(idOf('user'), 'or_team')]: {
        column: idOf('user'),
        sql: `num_nonnulls({}, ${quote('team')}) = 1`,
      },
    },
    references: {
      // Whom it was given to is gone: so is the share.
      [referenceName(idOf('user'))]: { column: idOf('user'), table: user.id, onDelete: 'cascade' },
      [referenceName(idOf('team'))]: { column: idOf('team'), table: team.id, onDelete: 'cascade' },
      [referenceName(idOf('created_by'))]: { column: idOf('created_by'), table: user.id, onDelete: 'clear' },
      [referenceName(idOf('ended_by'))]: { column: idOf('ended_by'), table: user.id, onDelete: 'clear' },
    },
    indexes: {
      // One share of a record with somebody at a time; also how the records shared with somebody are found.
      [indexName(idOf('user'))]: index(['user', 'entity', 'record'], true),
      [indexName(idOf('team'))]: index(['team', 'entity', 'record'], true),
      [indexName(idOf('record'))]: index(['record']),
      [indexName(`${idOf('user')}_any`)]: index(['user']),
      [indexName(`${idOf('team')}_any`)]: index(['team']),
      [indexName(idOf('created_by'))]: index(['created_by']),
      [indexName(idOf('ended_by'))]: index(['ended_by']),
    },
    triggers: {
      before: `create trigger "before" before insert or update on ${qualified(context.tenant.names.schema, SHARES)} for each row execute function ${qualified(context.tenant.names.schema, `before_${SHARES}`)}()`,
      after: `create trigger "after" after insert or update on ${qualified(context.tenant.names.schema, SHARES)} for each row execute function ${qualified(context.tenant.names.schema, `after_${SHARES}`)}()`,
    },
    policies: policies(context),
    grants: grants(context),
  };
}

/** Functions of the shares by name. */
export function sharesFunctions(context: Context): Record<string, string> {
  if (sharedEntities(context).length === 0) return {};
  const { schema } = context.tenant.names;
  const teams = context.model.entities.get(TEAM_ENTITY);
  if (!teams) return {};
  return {
    [`before_${SHARES}`]: `create or replace function ${qualified(schema, `before_${SHARES}`)}() returns trigger language plpgsql ${PINNED} as $body$
begin
  if tg_op = 'INSERT' then
    new."created_at" := armature.now();
    new."created_by" := armature.user_id();
    new."ended_at" := null;
    new."ended_by" := null;
  elsif new."ended_at" is distinct from old."ended_at" then
    if old."ended_at" is not null then
      raise insufficient_privilege using message = 'this share has ended';
    end if;
    new."ended_at" := armature.now();
    new."ended_by" := armature.user_id();
  end if;
  return new;
end $body$`,
    [`after_${SHARES}`]: tellShares(context, teams),
    // Sharing with a team is sharing with its members and with those of the teams that are a part of it. It is asked in
    // every statement about such records: plpgsql keeps its plans, and the way up the teams is gone only where some
    // team has a share at all.
    [SHARED_RECORDS]: `create or replace function ${qualified(schema, SHARED_RECORDS)}(entity text, level text) returns setof uuid language plpgsql stable security definer ${PINNED} as $body$
begin
  return query select s."record" from ${qualified(schema, SHARES)} s
  where s."user" = armature.user_id() and s."entity" = $1 and s."ended_at" is null
    and (s."until" is null or s."until" > armature.now()) and ($2 = 'read' or s."level" = 'write');
  if armature.team() is null or not exists (select from ${qualified(schema, SHARES)} s where s."team" is not null) then
    return;
  end if;
  return query with recursive mine(id, parent) as (
    select t."id", t."parent" from ${tableOf(context, teams)} t where t."id" = armature.team()
    union
    select t."id", t."parent" from ${tableOf(context, teams)} t join mine m on t."id" = m.parent)
  select s."record" from mine m join ${qualified(schema, SHARES)} s on s."team" = m.id
  where s."entity" = $1 and s."ended_at" is null
    and (s."until" is null or s."until" > armature.now()) and ($2 = 'read' or s."level" = 'write');
end $body$`,
  };
}

/** Key of an outbox event's `before` under which stands whom a share is about. */
export const SHARED_WITH = '@shared';

/** Tells the change feed of a share that is given or ends: the person, or the teams that are reached by it now. */
function tellShares(context: Context, teams: Entity): string {
  const { tenant } = context;
  const versions = sharedEntities(context).map(
    (entity) =>
      `    when ${literal(entity.id)} then select x."version" into found_version from ${tableOf(context, entity)} x where x."id" = new."record";`,
  );
  return `create or replace function ${qualified(tenant.names.schema, `after_${SHARES}`)}() returns trigger language plpgsql security definer ${PINNED} as $body$
declare found_version integer; reached uuid[];
begin
  if tg_op = 'UPDATE' and new."ended_at" is not distinct from old."ended_at" then return null; end if;
  case new."entity"
${versions.join('\n')}
    else null;
  end case;
  if found_version is null then return null; end if;
  with recursive parts(id) as (
    select new."team" where new."team" is not null
    union
    select t."id" from ${tableOf(context, teams)} t join parts p on t."parent" = p.id)
  select array_agg(p.id) into reached from parts p;
  insert into armature.outbox (tenant_id, entity_id, record_id, version, operation, actor, at, before)
  values (${literal(tenant.id)}::uuid, new."entity", new."record", found_version, 'share', armature.user_id(), armature.now(),
    jsonb_build_object(${literal(SHARED_WITH)}, jsonb_build_object('user', new."user", 'teams', reached, 'ended', new."ended_at" is not null)));
  return null;
end $body$`;
}

/** Who may share an entity's records, and see and end what is shared. */
function sharers(context: Context): readonly Role[] {
  const entities = sharedEntities(context);
  return context.roles.filter((role) =>
    entities.some((entity) => ownRights(context.model, entity, role).share.length > 0),
  );
}

function grants(context: Context): Record<string, GrantState> {
  const { names } = context.tenant;
  const given = GIVEN.map(idOf).sort();
  const grant: GrantState = { select: 'all', insert: given, update: [idOf('ended_at')], delete: false };
  const roles = sharers(context).map((role) => names.role(role.key));
  return { ...Object.fromEntries(roles.map((role) => [role, grant])), [names.system]: { ...grant, delete: true } };
}

function policies(context: Context): Policies {
  const { names } = context.tenant;
  const found: Policies = {
    ...ownerPolicy(),
    system: { role: names.system, command: 'all', using: 'true', check: 'true' },
  };
  for (const role of sharers(context)) {
    const to = names.role(role.key);
    const see = records(context, role, false);
    const give = records(context, role, true);
    found[`read_${role.key}`] = { role: to, command: 'select', using: see, check: null };
    found[`create_${role.key}`] = { role: to, command: 'insert', using: null, check: give };
    found[`update_${role.key}`] = { role: to, command: 'update', using: see, check: see };
  }
  return found;
}

/**
 * Shares of the records that the role's permissions to share reach. The lookups run under the policies of the records'
 * tables: what may not be read is not shared.
 * @param giving nobody gives more than they have: to share for changing, one must be able to change
 */
function records(context: Context, role: Role, giving: boolean): string {
  const share = quote(SHARES);
  const parts = sharedEntities(context).flatMap((entity) => {
    const rows = rowsOf(context, entity, ownRights(context.model, entity, role).share, '"r".');
    if (rows === null) return [];
    const level = giving ? ` and (${share}."level" = 'read' or ${changeable(context, entity)})` : '';
    return [
      `(${share}."entity" = ${literal(entity.id)} and exists (select from ${tableOf(context, entity)} "r" where "r"."id" = ${share}."record" and ${rows}${level}))`,
    ];
  });
  return anyOf(parts) ?? 'false';
}

/** Whether some role of the acting one may change the record: the right to share and the right to change may come from two. */
function changeable(context: Context, entity: Entity): string {
  const parts = context.roles.flatMap((role) => {
    const rows = rowsOf(context, entity, ownRights(context.model, entity, role).update, '"r".');
    if (rows === null) return [];
    return [`(${holdsRole('current_user', context.tenant.names.role(role.key))} and ${rows})`];
  });
  return anyOf(parts) ?? 'false';
}
