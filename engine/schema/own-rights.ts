/**
 * What each role may do by its own permissions alone. What it inherits it gets in the database as a member of the other
 * role, so that there is one policy and one grant for each permission and not one for each combination.
 */
import type { Condition } from '../condition/condition.ts';
import type { Action, Entity, Model, Role } from '../model/model.ts';
import { rowsReached } from '../model/shared-rows.ts';

export interface OwnGrant {
  /** About the record, or, of a part, about the outermost record it belongs to. `null` = every record. */
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
  readonly assign: readonly OwnGrant[];
  readonly share: readonly OwnGrant[];
  readonly merge: readonly OwnGrant[];
  readonly purge: readonly OwnGrant[];
}

const NOTHING: OwnRights = {
  read: [],
  create: [],
  update: [],
  delete: [],
  assign: [],
  share: [],
  merge: [],
  purge: [],
};

/** The same rule as `model/rights.ts`, for one role without its ancestors. */
export function ownRights(model: Model, entity: Entity, role: Role): OwnRights {
  if (entity.parent) return partRights(model, entity, entity.parent.entity, role);
  const grants = (action: Action, fields: 'read' | 'create' | 'update' | null): readonly OwnGrant[] =>
    entity.permissions
      .filter((permission) => permission.role === role.key && permission.actions.has(action))
      .map((permission) => ({
        condition: rowsReached(entity, permission, action),
        fields: fields === null ? null : permission.fields[fields],
        transitions: permission.transitions,
      }));
  return {
    read: grants('read', 'read'),
    create: grants('create', 'create'),
    update: grants('update', 'update'),
    delete: grants('delete', null),
    assign: entity.owner ? grants('assign', null) : [],
    share: entity.sharing ? grants('share', null) : [],
    merge: entity.softDelete ? grants('merge', null) : [],
    purge: entity.softDelete ? grants('purge', null) : [],
  };
}

/** A part is read with its parent, and made, changed and deleted by whoever may change the field of the parent that holds it. */
function partRights(model: Model, entity: Entity, parent: string, role: Role): OwnRights {
  const whole = model.entities.get(parent);
  if (!whole) return NOTHING;
  const rights = ownRights(model, whole, role);
  const holder = [...whole.fields.values()].find(({ children }) => children?.entity === entity.name);
  const through = (grants: readonly OwnGrant[]): readonly OwnGrant[] =>
    grants
      .filter(({ fields }) => !holder || fields === null || fields.has(holder.id))
      .map(({ condition }) => ({ condition, fields: null, transitions: null }));
  const write = through(rights.update);
  return { ...NOTHING, read: through(rights.read), create: write, update: write, delete: write };
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
