/**
 * `_actions`: the transitions a record can take now, as far as is known before anything is sent. From its state, with
 * the right to it on this very record, and with the guard fulfilled by the record as the transition would leave it.
 */
import type { Condition, FieldOperand } from '../../condition/condition.ts';

import { isFalse, isTrue } from '../../condition/simplify.ts';
import { conditionToSql } from '../../condition/to-sql.ts';
import { literal, quote } from '../../db/identifiers.ts';
import type { Entity, Field, Transition } from '../../model/model.ts';
import type { Value } from '../../model/value-type.ts';
import { SQL_TYPE } from '../../model/value-type.ts';
import { fieldsOf, rowsOf } from './access.ts';
import type { SqlWriter } from './sql-source.ts';

/** @returns an expression of type json: `["win","lose"]` */
export function actionsSql(entity: Entity, alias: string, writer: SqlWriter, used?: (column: string) => void): string {
  const entries = [...entity.fields.values()].flatMap((field) =>
    transitionsOf(field, entity, writer).map((transition) => ({ field, transition })),
  );
  const rows = entries.flatMap(({ field, transition }) => {
    const column = `${alias}.${quote(field.key)}`;
    const conditions = [`${column} = any(${textArray(transition.from)})`];
    const may = mayTake(transition, entity, writer);
    if (isFalse(may)) return [];
    used?.(field.key);
    if (writer.predicates && !isTrue(may)) {
      used?.('id');
      conditions.push(permitted(may, entity, alias, writer));
    }
    const guard = field.guards?.get(transition.key);
    if (guard !== undefined && isDecided(guard, transition, entity, writer)) {
      conditions.push(`(${over(guard, { field, transition }, alias, writer, used)}) is true`);
    }
    return [`case when ${conditions.join(' and ')} then ${literal(transition.key).trim()} end`];
  });
  if (rows.length === 0) return `'[]'::json`;
  return `array_to_json(array_remove(array[${rows.join(', ')}]::text[], null))`;
}

/**
 * `_may`: whether this very record may be changed, and deleted, by this reader, so that nobody is offered what would be refused.
 * @returns an expression of type json: `["update","delete"]`
 */
export function maySql(entity: Entity, alias: string, writer: SqlWriter, used?: (column: string) => void): string {
  const rights = writer.access.rights.of(entity.name);
  const grants = {
    update: rights.update.filter((grant) => grant.fields === null || grant.fields.size > 0),
    delete: rights.delete,
    assign: rights.assign,
    share: rights.share,
    merge: rights.merge,
  };
  const entries = Object.entries(grants).flatMap(([right, list]) => {
    const may = rowsOf(list);
    if (isFalse(may)) return [];
    if (!writer.predicates || isTrue(may)) return [literal(right).trim()];
    used?.('id');
    return [`case when ${permitted(may, entity, alias, writer)} then ${literal(right).trim()} end`];
  });
  if (entries.length === 0) return `'[]'::json`;
  return `array_to_json(array_remove(array[${entries.join(', ')}]::text[], null))`;
}

function transitionsOf(field: Field, entity: Entity, writer: SqlWriter): Transition[] {
  const { access } = writer;
  const lifecycle = field.lifecycle === null ? undefined : access.model.lifecycles.get(field.lifecycle);
  if (lifecycle === undefined || !access.of(entity).visible(field)) return [];
  return [...lifecycle.transitions.values()];
}

/** Records on which one of the grants allows this transition. */
function mayTake(transition: Transition, entity: Entity, writer: SqlWriter): Condition {
  const grants = writer.access.rights.of(entity.name).update;
  return rowsOf(grants.filter((grant) => grant.transitions === null || grant.transitions.has(transition.key)));
}

/** Of the record as it is stored: what this reader may not see decides about the right all the same. */
function permitted(may: Condition, entity: Entity, alias: string, writer: SqlWriter): string {
  const inner = writer.alias('_w');
  return `exists (select from ${writer.table(entity)} ${inner} where ${inner}."id" = ${alias}."id" and ${writer.rowCondition(may, entity, inner)})`;
}

/**
 * Whether the guard says something already: what the transition asks for may still make it true. A guard over fields
 * that this reader may not see is left to the transition itself.
 */
function isDecided(guard: Condition, transition: Transition, entity: Entity, writer: SqlWriter): boolean {
  const asked = fieldsOf(guard).some(({ steps, field }) => transition.requires.includes(steps[0]?.field ?? field));
  return !asked && writer.access.withoutHidden(guard, entity);
}

interface Effect {
  readonly field: Field;
  readonly transition: Transition;
}

/** A condition over the record as it would be after the effect. */
function over(
  condition: Condition,
  effect: Effect,
  alias: string,
  writer: SqlWriter,
  used?: (column: string) => void,
): string {
  return conditionToSql(condition, {
    alias: `${alias}.`,
    schema: quote(writer.schema),
    mode: 'query',
    bind: writer.binds.bind,
    user: writer.binds.user,
    field: (operand) => {
      const changed = changedValue(operand, effect, writer);
      if (changed !== undefined) return changed;
      used?.(operand.steps[0]?.field ?? operand.field);
      return reach(operand, alias, writer);
    },
    others: (name) => writer.related(name),
  });
}

function changedValue(operand: FieldOperand, { field, transition }: Effect, writer: SqlWriter): string | undefined {
  if (operand.steps.length > 0) return undefined;
  if (operand.field === field.key) return writer.binds.bind(transition.to, 'text');
  if (!Object.hasOwn(transition.sets, operand.field)) return undefined;
  const value = transition.sets[operand.field];
  const sqlType = SQL_TYPE[operand.type];
  if (isScalar(value)) return writer.binds.bind(value, sqlType);
  if (typeof value === 'object' && value !== null) {
    if ('now' in value) return '(select armature.now())';
    if ('today' in value) return '(select armature.today())';
    if ('user' in value) return writer.binds.bind(writer.binds.user('id'), sqlType);
  }
  return `null::${sqlType}`;
}

function isScalar(value: unknown): value is Value {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Over references: under the row policies of what is reached, which the condition of a guard is written for. */
function reach({ steps, field }: FieldOperand, alias: string, writer: SqlWriter): string {
  let reached = `${alias}.${quote(steps[0]?.field ?? field)}`;
  for (const [index, step] of steps.entries()) {
    const inner = writer.alias('_g');
    const target = writer.target(step);
    const column = quote(steps[index + 1]?.field ?? field);
    const { from, where } = writer.source(target, inner, 'any');
    reached = `(select ${inner}.${column} from ${from} where ${[`${inner}."id" = ${reached}`, ...where].join(' and ')})`;
  }
  return reached;
}

function textArray(values: readonly string[]): string {
  return `array[${values.map((value) => literal(value).trim()).join(', ')}]::text[]`;
}
