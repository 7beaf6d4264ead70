/** Which rows of an entity grants reach, as SQL over an alias. */
import { literal, quote } from '../db/identifiers.ts';
import type { Action, Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { anyOf, parentOf, policySql, tableOf } from './context.ts';
import { type OwnGrant, ownRights } from './own-rights.ts';

/**
 * @param alias quoted, with the dot
 * @returns a boolean expression, `true` for every row; `null` when there is no grant
 */
export function rowsOf(context: Context, entity: Entity, grants: readonly OwnGrant[], alias: string): string | null {
  if (grants.length === 0) return null;
  // Every part has its parent: the foreign key sees to that.
  if (grants.some((grant) => grant.condition === null)) return 'true';
  return within(context, entity, grants, alias);
}

/** Conditions are about the outermost record; a part finds it hop by hop, under that table's own policies. */
function within(context: Context, entity: Entity, grants: readonly OwnGrant[], alias: string): string | null {
  const parent = parentOf(context, entity);
  if (!parent) return anyOf(grants.map((grant) => policySql(grant.condition, alias, context)));
  const name = quote(`p_${parent.entity.id}`);
  const inner = within(context, parent.entity, grants, `${name}.`);
  if (inner === null) return null;
  return `exists (select from ${tableOf(context, parent.entity)} ${name} where ${name}."id" = ${alias}${quote(parent.field)} and ${inner})`;
}

/** Whether a database role (SQL of its name) has another one's rights. */
export const holdsRole = (who: string, role: string): string =>
  `pg_catalog.pg_has_role(${who}, ${literal(role)}, 'USAGE')`;

/**
 * For a definer function, which runs as the owner: whether the role that was set for the request reaches the row by one
 * of its permissions for this action. Conditions see the records they look at as they are stored.
 */
export function callerReaches(
  context: Context,
  entity: Entity,
  action: Exclude<Action, 'create' | 'import' | 'export'>,
  alias: string,
  which: (grant: OwnGrant) => boolean = () => true,
): string {
  const parts = context.roles.flatMap((role) => {
    const rows = rowsOf(context, entity, ownRights(context.model, entity, role)[action].filter(which), alias);
    if (rows === null) return [];
    const holds = holdsRole(`current_setting('role')`, context.tenant.names.role(role.key));
    return [rows === 'true' ? holds : `(${holds} and (${rows}) is true)`];
  });
  return `(${[holdsRole(`current_setting('role')`, context.tenant.names.system), ...parts].join(' or ')})`;
}
