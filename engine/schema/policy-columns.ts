/**
 * Columns that a role's permissions and the guards of its transitions look at: subselects of policies and the compiler's
 * conditions run with the role's own rights, and without the right to the column every query of the role would fail.
 * Where the role may not read the records in question it still finds none of them, because no policy lets it.
 */
import type { Condition, Operand } from '../condition/condition.ts';
import { manyOf, operandsOf, treesOf } from '../condition/operands.ts';
import type { Entity, Role } from '../model/model.ts';
import type { Context } from './context.ts';
import { parentOf } from './context.ts';
import { USER_ENTITY } from '../model/system-fields.ts';
import { ownRights } from './own-rights.ts';

/** Field keys by qualified entity name. */
export type PolicyColumns = ReadonlyMap<string, ReadonlySet<string>>;

const TEAM_MEMBERS = ['id', 'team'];

export function policyColumns(context: Context, role: Role): PolicyColumns {
  const columns = new Map<string, Set<string>>();
  const add = (entity: string, ...keys: readonly string[]) => {
    const known = columns.get(entity) ?? new Set<string>();
    columns.set(entity, known);
    for (const key of keys) known.add(key);
  };
  for (const entity of context.model.entities.values()) {
    for (const permission of entity.permissions) {
      if (permission.role !== role.key || !permission.condition) continue;
      addCondition(context, entity, permission.condition, add);
    }
    // Shares are looked up by their records.
    if (ownRights(context.model, entity, role).share.length > 0) add(entity.name, 'id');
    for (const guard of guardsOf(context, entity, role)) addCondition(context, entity, guard, add);
    addParents(context, entity, role, add);
    addLinks(context, entity, role, add);
  }
  return columns;
}

/** Guards of the transitions that the role may take. */
function guardsOf(context: Context, entity: Entity, role: Role): readonly Condition[] {
  const { update } = ownRights(context.model, entity, role);
  const allowed = (transition: string) =>
    update.some((grant) => grant.transitions === null || grant.transitions.has(transition));
  return [...entity.fields.values()].flatMap((field) =>
    [...(field.guards ?? [])].flatMap(([key, guard]) => (allowed(key) ? [guard] : [])),
  );
}

type Add = (entity: string, ...keys: readonly string[]) => void;

/** What it looks at of the record, of the records that belong to it, and of the trees it asks about. */
function addCondition(context: Context, entity: Entity, condition: Condition, add: Add): void {
  for (const operand of operandsOf(condition)) addOperand(entity, operand, add);
  for (const tree of treesOf(condition)) add(tree.entity, 'id', tree.parent);
  for (const { many, of } of manyOf(condition)) {
    const inner = context.model.entities.get(many.entity);
    add(many.entity, 'id', ...(many.by === null ? [] : [many.by]));
    if (inner) addCondition(context, inner, of, add);
  }
}

function addOperand(entity: Entity, operand: Operand, add: Add): void {
  if (operand.kind === 'user' && operand.attribute === 'team_members') add(USER_ENTITY, ...TEAM_MEMBERS);
  if (operand.kind !== 'field') return;
  add(entity.name, operand.steps[0]?.field ?? operand.field);
  for (const [index, step] of operand.steps.entries())
    add(step.entity, 'id', operand.steps[index + 1]?.field ?? operand.field);
}

/** Both ends of links, which the policies of their tables look up. */
function addLinks(context: Context, entity: Entity, role: Role, add: Add): void {
  const { read, update } = ownRights(context.model, entity, role);
  if (read.length + update.length === 0) return;
  for (const { many } of entity.fields.values()) {
    if (many?.via !== 'links') continue;
    add(entity.name, 'id');
    add(many.entity, 'id');
  }
}

/** The way from a part to its outermost record. */
function addParents(context: Context, entity: Entity, role: Role, add: Add): void {
  const { read, update } = ownRights(context.model, entity, role);
  if (read.length + update.length === 0) return;
  for (let at = entity, parent = parentOf(context, at); parent; at = parent.entity, parent = parentOf(context, at)) {
    add(parent.entity.name, 'id');
    add(at.name, 'id', parent.field);
  }
}
