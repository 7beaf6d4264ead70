/** Grants: which columns a role may give, change and read. Writes are always column by column. */
import type { Entity, Role } from '../model/model.ts';
import type { Context } from './context.ts';
import { storedFields } from './context.ts';
import { allFields, type OwnGrant, ownRights } from './own-rights.ts';
import { policyColumns } from './policy-columns.ts';
import type { GrantState } from './state.ts';
import { stepColumns } from './steps.ts';

/** @returns by database role; only roles that may do anything at all */
export function tableGrants(context: Context, entity: Entity): Record<string, GrantState> {
  const { names } = context.tenant;
  const grants: Record<string, GrantState> = { [names.system]: systemGrant(entity) };
  for (const role of context.roles) {
    const grant = roleGrant(context, entity, role);
    if (grant.select.length + grant.insert.length + grant.update.length > 0 || grant.delete)
      grants[names.role(role.key)] = grant;
  }
  return grants;
}

export function historyGrants(context: Context, entity: Entity): Record<string, GrantState> {
  const { names } = context.tenant;
  const select: GrantState = { select: 'all', insert: [], update: [], delete: false };
  const readers = context.roles.filter((role) => ownRights(context.model, entity, role).read.length > 0);
  return Object.fromEntries(
    [names.system, ...readers.map((role) => names.role(role.key))].map((name) => [name, select]),
  );
}

/** Named service principals read everything and write what anybody can write. */
function systemGrant(entity: Entity): GrantState {
  const fields = [...creatable(entity, null), ...updatable(entity, null), ...states(entity)];
  return {
    select: 'all',
    insert: sorted(keyed(entity, 'id'), fields),
    update: sorted(keyed(entity, 'owner', 'deleted_at'), fields),
    delete: !entity.softDelete,
  };
}

function roleGrant(context: Context, entity: Entity, role: Role): GrantState {
  const { read, create, update, delete: remove } = ownRights(context.model, entity, role);
  const looked = keyed(entity, ...(policyColumnsOf(context, role).get(entity.name) ?? []));
  const readable = read.length === 0 ? new Set<string>() : allFields(read);
  const stored = new Set(storedFields(entity).map((field) => field.id));
  return {
    // Every query asks for live records, whether or not the reader may see when one was deleted.
    select:
      readable === null
        ? 'all'
        : sorted(looked, [...readable], read.length > 0 ? keyed(entity, 'deleted_at') : []).filter((id) =>
            stored.has(id),
          ),
    insert: create.length === 0 ? [] : sorted(keyed(entity, 'id'), creatable(entity, allFields(create))),
    update: sorted(
      update.length === 0
        ? []
        : [
            ...updatable(entity, allFields(update)),
            ...movable(context, entity, update),
            ...touchable(entity, allFields(update)),
          ],
      remove.length > 0 ? keyed(entity, 'deleted_at') : [],
    ),
    delete: remove.length > 0 && !entity.softDelete,
  };
}

const known = new WeakMap<Context, Map<Role, ReturnType<typeof policyColumns>>>();

function policyColumnsOf(context: Context, role: Role): ReturnType<typeof policyColumns> {
  const roles = known.get(context) ?? new Map<Role, ReturnType<typeof policyColumns>>();
  known.set(context, roles);
  const columns = roles.get(role) ?? policyColumns(context, role);
  roles.set(role, columns);
  return columns;
}

/** What may be given at creation: as `model/rights.ts` has it, the owner and the state among it. */
export function creatable(entity: Entity, allowed: ReadonlySet<string> | null): readonly string[] {
  return storedFields(entity)
    .filter((field) => field.key === 'owner' || field.lifecycle !== null || (!field.system && !field.readOnly))
    .map((field) => field.id)
    .filter((id) => allowed === null || allowed.has(id));
}

/** Ids of the fields that people may change, of those given (`null` = every field). */
export function updatable(entity: Entity, allowed: ReadonlySet<string> | null): readonly string[] {
  return storedFields(entity)
    .filter((field) => !field.system && !field.readOnly)
    .map((field) => field.id)
    .filter((id) => allowed === null || allowed.has(id));
}

const states = (entity: Entity): readonly string[] =>
  storedFields(entity)
    .filter((field) => field.lifecycle !== null)
    .map((field) => field.id);

/** Ids of the fields that the steps of these grants write: states, and what steps set (see the guard for when). */
function movable(context: Context, entity: Entity, grants: readonly OwnGrant[]): readonly string[] {
  const columns = grants.flatMap((grant) => stepColumns(context, entity, grant).map(({ column }) => column));
  return keyed(entity, ...columns);
}

/**
 * With a list of other records a record changes too: its version rises. Whoever may change nothing but lists writes a
 * column for it that the row trigger sets anyway.
 */
function touchable(entity: Entity, allowed: ReadonlySet<string> | null): readonly string[] {
  if (updatable(entity, allowed).length > 0) return [];
  const lists = [...entity.fields.values()].filter(({ many }) => many !== null && many.via !== 'inverse');
  return lists.some(({ id }) => allowed === null || allowed.has(id)) ? keyed(entity, 'updated_at') : [];
}

/** Ids of the fields of these keys, those left out that the entity does not have. */
function keyed(entity: Entity, ...keys: readonly string[]): readonly string[] {
  return keys.map((key) => entity.fields.get(key)?.id).filter((id) => id !== undefined);
}

const sorted = (...parts: readonly (readonly string[])[]): readonly string[] => [...new Set(parts.flat())].sort();
