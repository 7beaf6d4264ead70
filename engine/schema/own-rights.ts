/**
 * What each role may do by its own permissions alone. What it inherits it gets in the database as a member of the other
 * role, so that there is one policy and one grant for each permission and not one for each combination.
 */
import type { Condition } from '../condition/condition.ts';
import type { Action, Entity, Model, Role } from '../model/model.ts';

export interface OwnGrant {
  /** `null` = every record. */
  readonly condition: Condition | null;
  /** Field ids; `null` = every field. */
  readonly fields: ReadonlySet<string> | null;
  /** Transitions, for `update`; `null` = all. */
  readonly transitions: ReadonlySet<string> | null;
}

export interface OwnRights {
  readonly read: readonly OwnGrant[];
  readonly create: readonly OwnGrant[];
  readonly update: readonly OwnGrant[];
  readonly delete: readonly OwnGrant[];
}

const EVERYTHING: OwnGrant = { condition: null, fields: null, transitions: null };

/** @returns the rights a role has on an entity without its ancestors' and without what an entity has from its parent */
export function ownRights(entity: Entity, role: Role): OwnRights {
  if (role.administrator) {
    return { read: [EVERYTHING], create: [EVERYTHING], update: [EVERYTHING], delete: [EVERYTHING] };
  }
  const grants = (action: Action, fields: 'read' | 'create' | 'update' | null): readonly OwnGrant[] =>
    entity.permissions
      .filter((permission) => permission.role === role.key && permission.actions.has(action))
      .map((permission) => ({
        condition: permission.condition,
        fields: fields === null ? null : permission.fields[fields],
        transitions: permission.transitions,
      }));
  return {
    read: grants('read', 'read'),
    create: grants('create', 'create'),
    update: grants('update', 'update'),
    delete: grants('delete', null),
  };
}

/** The entity whose permissions decide: that of the outermost parent. */
export function rootOf(model: Model, entity: Entity): Entity {
  let root = entity;
  while (root.parent) {
    const parent = model.entities.get(root.parent.entity);
    if (!parent) break;
    root = parent;
  }
  return root;
}

/** The fields of all grants together; `null` = every field. */
export function allFields(grants: readonly OwnGrant[]): ReadonlySet<string> | null {
  const fields = new Set<string>();
  for (const grant of grants) {
    if (grant.fields === null) return null;
    for (const field of grant.fields) fields.add(field);
  }
  return fields;
}
