/** Row policies: one permissive policy for each role and command, made of that role's own permissions. */
import { fit, quote } from '../db/identifiers.ts';
import type { Entity, Role } from '../model/model.ts';
import type { Context } from './context.ts';
import { anyOf, policySql, tableOf, textArray } from './context.ts';
import { ownRights, type OwnGrant } from './own-rights.ts';
import { createRows, deleteRows, readRows, updateRows } from './row-rights.ts';
import type { PolicyState } from './state.ts';

type Policies = Record<string, PolicyState>;

/** Publishing fills and checks columns, and the definer functions write history and outbox, as the owner. */
const OWNER: PolicyState = { role: 'armature_owner', command: 'all', using: 'true', check: 'true' };

/** Policies of an entity's table. A SELECT policy never looks at `deleted_at`: that filter belongs in the queries. */
export function tablePolicies(context: Context, entity: Entity): Policies {
  const { names } = context.tenant;
  const alias = `${quote(entity.table)}.`;
  const policies: Policies = { owner: OWNER, system: { role: names.system, command: 'all', using: 'true', check: 'true' } };
  for (const role of context.roles) {
    const to = names.role(role.key);
    const read = readRows(context, entity, role, alias);
    const create = createRows(context, entity, role, alias);
    const update = updateRows(context, entity, role, alias);
    const remove = entity.softDelete ? null : deleteRows(context, entity, role, alias);
    if (read) policies[fit(`read_${role.key}`)] = { role: to, command: 'select', using: read, check: null };
    if (create) policies[fit(`create_${role.key}`)] = { role: to, command: 'insert', using: null, check: create };
    if (update) policies[fit(`update_${role.key}`)] = { role: to, command: 'update', using: update, check: update };
    if (remove) policies[fit(`delete_${role.key}`)] = { role: to, command: 'delete', using: remove, check: null };
  }
  return policies;
}

/** Policies of a history table: the rows of readable fields of readable records. */
export function historyPolicies(context: Context, entity: Entity, table: string): Policies {
  const { names } = context.tenant;
  const policies: Policies = {
    owner: OWNER,
    system: { role: names.system, command: 'select', using: 'true', check: null },
  };
  for (const role of context.roles) {
    const using = historyRows(context, entity, role, `${quote(table)}.`);
    if (using) policies[fit(`read_${role.key}`)] = { role: names.role(role.key), command: 'select', using, check: null };
  }
  return policies;
}

/**
 * Each permission's fields on that permission's records: a person with two roles does not read the fields of the one
 * on the records of the other.
 */
function historyRows(context: Context, entity: Entity, role: Role, alias: string): string | null {
  if (entity.parent) {
    return readRows(context, entity, role, '"r".') === null ? null : recordExists(context, entity, alias, 'true');
  }
  return anyOf(
    ownRights(entity, role).read.map((grant) => {
      const record = recordExists(context, entity, alias, policySql(grant.condition, '"r".', context));
      return grant.fields === null ? record : `(${fieldReadable(entity, grant, alias)} and ${record})`;
    }),
  );
}

function recordExists(context: Context, entity: Entity, alias: string, condition: string): string {
  const also = condition === 'true' ? '' : ` and ${condition}`;
  return `exists (select from ${tableOf(context, entity)} "r" where "r"."id" = ${alias}"record_id"${also})`;
}

function fieldReadable(entity: Entity, grant: OwnGrant, alias: string): string {
  const system = [...entity.fields.values()].filter((field) => field.system).map((field) => field.id);
  return `${alias}"field_id" = any(${textArray([...system, ...(grant.fields ?? [])])})`;
}
