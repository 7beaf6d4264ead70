/**
 * The permissions' conditions in SQL. A condition counts only together with the fields it was given for: of two
 * overlapping permissions neither lends its fields to the records of the other.
 */
import { quote } from '#engine/db/identifiers.ts';
import { conditionToSql } from '#engine/condition/to-sql.ts';
import { userAttribute } from '#engine/condition/user-attributes.ts';
import type { Condition } from '#engine/condition/condition.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Grant } from '#engine/model/rights.ts';
import type { Scope } from '../scope.ts';
import type { Parameters } from './sql.ts';

/** One condition about the record called `alias`. May be NULL where it does not hold. */
export function conditionSql(scope: Scope, condition: Condition, alias: string, parameters: Parameters): string {
  return conditionToSql(condition, {
    alias: `${alias}.`,
    schema: quote(scope.tenant.names.schema),
    mode: 'query',
    bind: parameters.bind,
    user: (attribute) => userAttribute(scope.principal, attribute),
  });
}

/** Some grant holds; `null` when nothing needs to be asked, because one has no condition. */
function anyGrant(scope: Scope, grants: readonly Grant[], alias: string, parameters: Parameters): string | null {
  if (grants.some(({ condition }) => condition === null)) return null;
  if (grants.length === 0) return 'false';
  const members = grants.flatMap(({ condition }) =>
    condition === null ? [] : [`(${conditionSql(scope, condition, alias, parameters)})`],
  );
  return `(${members.join(' or ')})`;
}

/**
 * For every one of `fields` some grant that covers it holds for the record `alias`; and some grant at all.
 * @returns SQL conditions to be joined with `and`; empty when nothing needs to be asked
 */
export function pairedPredicates(
  scope: Scope,
  grants: readonly Grant[],
  fields: Iterable<string>,
  alias: string,
  parameters: Parameters,
): readonly string[] {
  if (!scope.predicates) return [];
  const groups = new Map<string, readonly Grant[]>();
  for (const field of fields) {
    const covering = grants.filter((grant) => grant.fields === null || grant.fields.has(field));
    groups.set(covering.map((grant) => grants.indexOf(grant)).join(','), covering);
  }
  if (groups.size === 0) groups.set('', grants);
  return [...groups.values()].flatMap((group) => {
    const predicate = anyGrant(scope, group, alias, parameters);
    return predicate === null ? [] : [predicate];
  });
}

/** ` and (…)` for the records of an entity that the principal may read. */
export function andReadable(scope: Scope, entity: Entity, alias: string, parameters: Parameters): string {
  if (!scope.predicates) return '';
  const predicate = anyGrant(scope, scope.rights.of(entity.name).read, alias, parameters);
  return predicate === null ? '' : ` and ${predicate}`;
}

export function andAll(predicates: readonly string[]): string {
  return predicates.map((predicate) => ` and ${predicate}`).join('');
}
