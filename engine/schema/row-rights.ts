/** Which rows of an entity grants reach, as SQL over an alias. */
import { quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import type { Context } from './context.ts';
import { anyOf, parentOf, policySql, tableOf } from './context.ts';
import type { OwnGrant } from './own-rights.ts';

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
