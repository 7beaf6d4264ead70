/** Row policies: one permissive policy for each role and command, made of that role's own permissions. */
import { fit, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { anyOf, tableOf, textArray } from './context.ts';
import { seenLinks } from './links.ts';
import { type OwnGrant, ownRights } from './own-rights.ts';
import { OWNER } from './owner.ts';
import { rowsOf } from './row-rights.ts';
import type { PolicyState } from './state.ts';

export type Policies = Record<string, PolicyState>;

export const ownerPolicy = (): Policies => ({ owner: OWNER });

/**
 * Policies of an entity's table. A SELECT policy never looks at `deleted_at`: that filter belongs in the queries. With
 * soft delete the UPDATE policy lets through what may be changed and what may be deleted; which of them a statement
 * does is decided by its columns (grants, and the guard where permissions overlap).
 *
 * A role that may change records it may not read changes nothing by a WHERE: Postgres asks for both.
 */
export function tablePolicies(context: Context, entity: Entity): Policies {
  const { names } = context.tenant;
  const alias = `${quote(entity.table)}.`;
  const policies: Policies = {
    ...ownerPolicy(),
    system: { role: names.system, command: 'all', using: 'true', check: 'true' },
  };
  for (const role of context.roles) {
    const rights = ownRights(context.model, entity, role);
    const to = names.role(role.key);
    const read = rowsOf(context, entity, rights.read, alias);
    const create = rowsOf(context, entity, rights.create, alias);
    const update = rowsOf(
      context,
      entity,
      entity.softDelete ? [...rights.update, ...rights.delete] : rights.update,
      alias,
    );
    const remove = entity.softDelete ? null : rowsOf(context, entity, rights.delete, alias);
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
    ...ownerPolicy(),
    system: { role: names.system, command: 'select', using: 'true', check: null },
  };
  for (const role of context.roles) {
    const { read } = ownRights(context.model, entity, role);
    const rows = historyRows(context, entity, read, `${quote(table)}.`);
    const using = rows && [rows, ...seenLinks(context, entity, `${quote(table)}.`)].join(' and ');
    if (using)
      policies[fit(`read_${role.key}`)] = { role: names.role(role.key), command: 'select', using, check: null };
  }
  return policies;
}

/**
 * Each permission's fields on that permission's records: a person with two roles does not read the fields of the one
 * on the records of the other.
 */
function historyRows(context: Context, entity: Entity, grants: readonly OwnGrant[], alias: string): string | null {
  return anyOf(
    grants.map((grant) => {
      const rows = rowsOf(context, entity, [grant], '"r".') ?? 'false';
      const also = rows === 'true' ? '' : ` and ${rows}`;
      const record = `exists (select from ${tableOf(context, entity)} "r" where "r"."id" = ${alias}"record_id"${also})`;
      return grant.fields === null
        ? record
        : `(${alias}"field_id" = any(${textArray([...grant.fields])}) and ${record})`;
    }),
  );
}
