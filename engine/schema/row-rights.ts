/**
 * Which rows of an entity a role may read, create, change or delete, as SQL over an alias. Parts (children) have no
 * rights of their own: they follow the outermost parent, hop by hop.
 */
import { quote } from '../db/identifiers.ts';
import type { Entity, Role } from '../model/model.ts';
import type { Context } from './context.ts';
import { anyOf, parentOf, policySql, tableOf } from './context.ts';
import { ownRights } from './own-rights.ts';

/** `null`: the role has no such right. Otherwise a boolean expression, `true` for every row. */
export type Rows = string | null;

export function readRows(context: Context, entity: Entity, role: Role, alias: string): Rows {
  const parent = parentOf(context, entity);
  if (!parent) return anyOf(ownRights(entity, role).read.map((grant) => policySql(grant.condition, alias, context)));
  const above = readRows(context, parent.entity, role, alias);
  // The parent's own policy decides within the subselect. A role that reads every parent reads every part.
  return above === null || above === 'true' ? above : throughParent(context, entity, alias, () => 'true');
}

/** Rows a role may send through UPDATE: those it may change and, with soft delete, those it may delete. */
export function updateRows(context: Context, entity: Entity, role: Role, alias: string): Rows {
  if (entity.parent) return changeRows(context, entity, role, alias);
  const rights = ownRights(entity, role);
  const grants = entity.softDelete ? [...rights.update, ...rights.delete] : rights.update;
  return anyOf(grants.map((grant) => policySql(grant.condition, alias, context)));
}

/** Rows a role may change; of a part: whose parent it may change. */
export function changeRows(context: Context, entity: Entity, role: Role, alias: string): Rows {
  if (!entity.parent) return anyOf(ownRights(entity, role).update.map((grant) => policySql(grant.condition, alias, context)));
  return throughParent(context, entity, alias, (parent, inner) => changeRows(context, parent, role, inner));
}

/** Rows a role may really delete (entities without soft delete). Removing a part is changing its parent. */
export function deleteRows(context: Context, entity: Entity, role: Role, alias: string): Rows {
  if (entity.parent) return changeRows(context, entity, role, alias);
  return anyOf(ownRights(entity, role).delete.map((grant) => policySql(grant.condition, alias, context)));
}

export function createRows(context: Context, entity: Entity, role: Role, alias: string): Rows {
  if (!entity.parent) return anyOf(ownRights(entity, role).create.map((grant) => policySql(grant.condition, alias, context)));
  return throughParent(context, entity, alias, (parent, inner) => {
    const change = changeRows(context, parent, role, inner);
    if (change === 'true') return change;
    const create = createRows(context, parent, role, inner);
    if (create === null) return change;
    // Whoever may create a record but not change it gives its parts with it, in the same transaction.
    const fresh = `(${inner}"created_by" = (select armature.user_id()) and ${inner}"created_at" = (select armature.now()::timestamptz(3)) and ${create})`;
    return anyOf([...(change === null ? [] : [change]), fresh]);
  });
}

function throughParent(context: Context, entity: Entity, alias: string, rows: (parent: Entity, alias: string) => Rows): Rows {
  const parent = parentOf(context, entity);
  if (!parent) return null;
  const name = `p_${parent.entity.id}`;
  const inner = rows(parent.entity, `${quote(name)}.`);
  if (inner === null) return null;
  const also = inner === 'true' ? '' : ` and ${inner}`;
  return `exists (select from ${tableOf(context, parent.entity)} ${quote(name)} where ${quote(name)}."id" = ${alias}${quote(parent.field)}${also})`;
}
