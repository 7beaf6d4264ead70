/** What every part of the desired state is made from: the tenant, its model, and how its names are written in SQL. */
import type { Condition } from '../condition/condition.ts';
import { conditionToSql, inlineValue } from '../condition/to-sql.ts';
import { qualified, quote } from '../db/identifiers.ts';
import type { Entity, Field, Model, Role } from '../model/model.ts';
import type { Tenant } from '../model/tenant.ts';

export interface Context {
  readonly tenant: Tenant;
  readonly model: Model;
  /** Quoted schema. */
  readonly schema: string;
  /** Roles in the order of the model. */
  readonly roles: readonly Role[];
}

export function contextOf(tenant: Tenant, model: Model): Context {
  return { tenant, model, schema: quote(tenant.names.schema), roles: [...model.roles.values()] };
}

/** `"t_acme"."crm_accounts"` */
export function tableOf({ tenant }: Context, entity: Entity): string {
  return qualified(tenant.names.schema, entity.table);
}

/** A condition as it stands in a policy or a trigger. `alias` is quoted, with the dot. `null` holds for every record. */
export function policySql(condition: Condition | null, alias: string, { schema }: Context): string {
  if (condition === null) return 'true';
  return conditionToSql(condition, { alias, schema, mode: 'policy', bind: inlineValue });
}

/** `a or b`, and `true` as soon as one of them is. `null` when there is none. */
export function anyOf(conditions: readonly string[]): string | null {
  const distinct = [...new Set(conditions)];
  if (distinct.length === 0) return null;
  if (distinct.includes('true')) return 'true';
  return distinct.length === 1 ? (distinct[0] ?? null) : `(${distinct.join(' or ')})`;
}

/** Fields that have a column, in the order of the model. */
export function storedFields(entity: Entity): readonly Field[] {
  return [...entity.fields.values()].filter((field) => field.column !== null && field.type.columns(field).length > 0);
}

/** The parent of a part, or null. */
export function parentOf(
  { model }: Context,
  entity: Entity,
): { readonly entity: Entity; readonly field: string } | null {
  if (!entity.parent) return null;
  const parent = model.entities.get(entity.parent.entity);
  return parent ? { entity: parent, field: entity.parent.field } : null;
}

/** An SQL array of texts. */
export function textArray(values: readonly string[]): string {
  return inlineValue([...values].sort(), 'text[]');
}
