/** Grants: which columns a role may give, change and read. Writes are always column by column. */
import type { Entity, Field, Role } from '../model/model.ts';
import { isReservedField } from '../model/naming.ts';
import type { Context } from './context.ts';
import { storedFields } from './context.ts';
import { allFields, type OwnGrant, type OwnRights, ownRights, rootOf } from './own-rights.ts';
import type { GrantState } from './state.ts';

/** @returns by database role; only roles that may do anything at all */
export function tableGrants(context: Context, entity: Entity): Record<string, GrantState> {
  const { names } = context.tenant;
  const grants: Record<string, GrantState> = { [names.system]: systemGrant(entity) };
  for (const role of context.roles) {
    const grant = entity.parent ? partGrant(context, entity, role) : ownGrant(context, entity, role);
    if (grant) grants[names.role(role.key)] = grant;
  }
  return grants;
}

export function historyGrants(context: Context, entity: Entity): Record<string, GrantState> {
  const { names } = context.tenant;
  const select: GrantState = { select: 'all', insert: [], update: [], delete: false };
  const readers = context.roles.filter((role) => ownRights(rootOf(context.model, entity), role).read.length > 0);
  return Object.fromEntries([names.system, ...readers.map((role) => names.role(role.key))].map((name) => [name, select]));
}

/** Named service principals read everything and write what people can write. */
function systemGrant(entity: Entity): GrantState {
  const writable = storedFields(entity).filter((field) => !field.readOnly && !isReservedField(field.key));
  const moved = storedFields(entity).filter((field) => field.lifecycle !== null);
  const both = [...writable, ...moved].map((field) => field.id);
  return {
    select: 'all',
    insert: ids(entity, 'id', 'owner', both),
    update: ids(entity, 'owner', 'deleted_at', both),
    delete: !entity.softDelete,
  };
}

function ownGrant(context: Context, entity: Entity, role: Role): GrantState | null {
  const rights = ownRights(entity, role);
  const { read, create, update } = rights;
  if (read.length + create.length + update.length + rights.delete.length === 0) return null;
  return {
    select: readable(entity, rights),
    insert: create.length === 0 ? [] : ids(entity, 'id', 'owner', writable(entity, create), states(entity)),
    update: [
      ...(update.length === 0 ? [] : ids(entity, writable(entity, update), movable(context, entity, update))),
      ...(rights.delete.length > 0 && entity.softDelete ? ids(entity, 'deleted_at') : []),
    ].sort(),
    delete: rights.delete.length > 0 && !entity.softDelete,
  };
}

/** A part is read with its parent and written with it: every field. */
function partGrant(context: Context, entity: Entity, role: Role): GrantState | null {
  const { read, create, update } = ownRights(rootOf(context.model, entity), role);
  if (read.length + create.length + update.length === 0) return null;
  const all: readonly OwnGrant[] = [{ condition: null, fields: null, transitions: null }];
  const fields = writable(entity, all);
  return {
    select: read.length > 0 ? 'all' : [],
    insert: create.length + update.length > 0 ? ids(entity, 'id', 'owner', fields, states(entity)) : [],
    update: update.length === 0 ? [] : ids(entity, fields, movable(context, entity, all), entity.softDelete ? ['deleted_at'] : []),
    delete: update.length > 0 && !entity.softDelete,
  };
}

function readable(entity: Entity, { read }: OwnRights): GrantState['select'] {
  if (read.length === 0) return [];
  const fields = allFields(read);
  if (fields === null) return 'all';
  return storedFields(entity).filter((field) => isReservedField(field.key) || fields.has(field.id)).map((field) => field.id).sort();
}

function writable(entity: Entity, grants: readonly OwnGrant[]): readonly string[] {
  return writableFields(entity, allFields(grants));
}

/** Ids of the fields that clients may write, of those given (`null` = every field). */
export function writableFields(entity: Entity, fields: ReadonlySet<string> | null): readonly string[] {
  return storedFields(entity)
    .filter((field) => !field.readOnly && !isReservedField(field.key) && (fields === null || fields.has(field.id)))
    .map((field) => field.id);
}

const states = (entity: Entity): readonly string[] => storedFields(entity).filter((field) => field.lifecycle !== null).map((field) => field.id);

/** Fields that the transitions of these grants write: states, and what transitions set. */
export function movable(context: Context, entity: Entity, grants: readonly OwnGrant[]): readonly string[] {
  const written = new Set<string>();
  for (const field of storedFields(entity)) {
    const lifecycle = field.lifecycle === null ? undefined : context.model.lifecycles.get(field.lifecycle);
    if (!lifecycle) continue;
    const allowed = [...lifecycle.transitions.values()].filter((transition) =>
      grants.some((grant) => grant.transitions === null || grant.transitions.has(transition.key)),
    );
    if (allowed.length > 0) written.add(field.id);
    for (const key of allowed.flatMap((transition) => Object.keys(transition.sets))) {
      const set = entity.fields.get(key);
      if (set && isStored(set)) written.add(set.id);
    }
  }
  return [...written];
}

const isStored = (field: Field): boolean => field.column !== null && field.formula === null && !isReservedField(field.key);

/** Sorted ids; texts are keys of system fields (left out when the entity has none of that name), lists are ids or such keys. */
function ids(entity: Entity, ...parts: readonly (string | readonly string[])[]): readonly string[] {
  const found = parts.flat().map((part) => entity.fieldsById.get(part)?.id ?? entity.fields.get(part)?.id);
  return [...new Set(found.filter((id) => id !== undefined))].sort();
}
