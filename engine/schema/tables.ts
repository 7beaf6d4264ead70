/** From an entity to its table: columns, constraints, indexes. */
import { operandsOf } from '../condition/operands.ts';
import type { Entity, Field } from '../model/model.ts';
import { columnsOf } from './columns.ts';
import type { Context } from './context.ts';
import { placed } from './generated.ts';
import { storedFields } from './context.ts';
import { duplicateIndexes } from './duplicates.ts';
import { tableGrants } from './grants.ts';
import {
  checkName,
  indexName,
  primaryKeyName,
  referenceName,
  sequenceId,
  sequenceName,
  uniqueKeyName,
} from './names.ts';
import { ownRights } from './own-rights.ts';
import { tablePolicies } from './policies.ts';
import { searchIndex } from './search.ts';
import type { ColumnState, IndexState, ReferenceState, SequenceState, TableState } from './state.ts';

type Checks = Record<string, { readonly column: string; readonly sql: string }>;

export function entityTable(context: Context, entity: Entity, triggers: Readonly<Record<string, string>>): TableState {
  const columns: Record<string, ColumnState> = {};
  const checks: Checks = {};
  for (const field of storedFields(entity)) {
    for (const [id, column, spec] of columnsOf(context, entity, field)) {
      columns[id] = column;
      for (const check of spec.checks ?? [])
        checks[checkName(id, check.suffix)] = { column: id, sql: placed(field, check.sql) };
    }
  }
  const created = idOf(entity, 'created_at');
  const at = columns[created];
  // Where a record belongs is decided before its triggers run.
  if (entity.partition && at) columns[created] = { ...at, default: 'armature.now()' };
  return {
    id: entity.id,
    name: entity.table,
    label: entity.label,
    entity: entity.name,
    history: false,
    aside: false,
    columns,
    ...(entity.partition && { partition: { column: created, keep: entity.partition.keep } }),
    primaryKey: { name: primaryKeyName(entity.id), column: idOf(entity, 'id') },
    checks,
    references: references(context, entity),
    indexes: { ...indexes(entity), ...searchIndex(entity, columns) },
    triggers,
    policies: tablePolicies(context, entity),
    grants: tableGrants(context, entity),
  };
}

/** Sequences behind numbered fields. Whoever may create a record draws from them, whether the field is shown to them or not. */
export function entitySequences(context: Context, entity: Entity): Record<string, SequenceState> {
  const sequences: Record<string, SequenceState> = {};
  const { names } = context.tenant;
  const creators = context.roles.filter((role) => ownRights(context.model, entity, role).create.length > 0);
  const users = [names.system, ...creators.map((role) => names.role(role.key))].sort();
  for (const field of storedFields(entity)) {
    for (const [id, , spec] of columnsOf(context, entity, field)) {
      if (!spec.sequence || spec.sequence.gapless) continue;
      const shared = sequenceId(field, id);
      sequences[shared] = { name: sequenceName(shared), start: spec.sequence.start, users };
    }
  }
  return sequences;
}

function idOf(entity: Entity, key: string): string {
  const field = entity.fields.get(key);
  if (!field) throw new TypeError(`${entity.name} has no field ${key}`);
  return field.id;
}

function references({ model }: Context, entity: Entity): Record<string, ReferenceState> {
  const found: Record<string, ReferenceState> = {};
  for (const field of storedFields(entity)) {
    const target = field.reference && model.entities.get(field.reference.entity);
    if (!field.reference || !target) continue;
    // The engine's own references outlive the user they name only as an empty value; parts go with their whole.
    const onDelete =
      entity.parent?.field === field.key
        ? 'cascade'
        : field.system && field.key !== 'owner'
          ? 'clear'
          : field.reference.onDelete;
    found[referenceName(field.id)] = { column: field.id, table: target.id, onDelete };
  }
  return found;
}

function indexes(entity: Entity): Record<string, IndexState> {
  const found: Record<string, IndexState> = {};
  const live = entity.softDelete ? idOf(entity, 'deleted_at') : null;
  const id = idOf(entity, 'id');
  const byPolicies = fieldsInPolicies(entity);
  for (const field of storedFields(entity)) {
    // A virtual column is computed when it is read: there is nothing to index.
    if (field.type.computed || field.key === 'id') continue;
    if (field.reference || field.key === 'owner' || byPolicies.has(field.key) || field.index) {
      found[indexName(field.id)] = indexOf(field, id);
    }
  }
  for (const key of entity.unique) {
    found[uniqueKeyName(key)] = {
      columns: key.fields.map((field) => idOf(entity, field)),
      unique: true,
      method: 'btree',
      whereNull: live,
    };
  }
  Object.assign(found, duplicateIndexes(entity, live));
  // The order of a list that asks for none.
  const created = idOf(entity, 'created_at');
  found[indexName(created)] = { columns: [created, id], unique: false, method: 'btree', whereNull: null };
  return found;
}

/** Fields people sort by have the id in the index: pages of a list are found by (value, id). */
function indexOf(field: Field, id: string): IndexState {
  if (field.type.valueType === 'texts') return { columns: [field.id], unique: false, method: 'gin', whereNull: null };
  const sorted = field.index && !field.reference;
  return { columns: sorted ? [field.id, id] : [field.id], unique: false, method: 'btree', whereNull: null };
}

/** Keys of the fields of this entity that a permission's condition asks for: every row policy needs its index. */
function fieldsInPolicies(entity: Entity): ReadonlySet<string> {
  const operands = entity.permissions.flatMap((permission) =>
    permission.condition ? operandsOf(permission.condition) : [],
  );
  return new Set(
    operands.flatMap((operand) => (operand.kind === 'field' ? [operand.steps[0]?.field ?? operand.field] : [])),
  );
}
