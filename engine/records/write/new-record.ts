/**
 * Conditions about a record that is not stored yet. Most of them look at nothing but the record's own values and the
 * user, and are decided here by the evaluator, the proven twin of the SQL; the rest is asked in the batch.
 */
import type { Condition } from '#engine/condition/condition.ts';
import { evaluate, type EvaluationContext, type PlainRecord } from '#engine/condition/evaluate.ts';
import { asksTheClock, looksFurther, operandsOf } from '#engine/condition/operands.ts';
import { userAttribute } from '#engine/condition/user-attributes.ts';
import { isFilled } from '#engine/model/fill.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Grant } from '#engine/model/rights.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';

/** System fields whose first value is known before the record is stored. */
const KNOWN: ReadonlySet<string> = new Set(['id', 'owner', 'version', 'created_by', 'updated_by']);

/** Whether all of these conditions can be decided without the database. */
export function isDecidable(entity: Entity, grants: readonly Grant[]): boolean {
  return grants.every(({ condition }) => condition === null || looksAtItself(entity, condition));
}

/** Whether it asks for nothing but values of the record that are known before it is stored, and the user. */
export function looksAtItself(entity: Entity, condition: Condition): boolean {
  if (asksTheClock(condition) || looksFurther(condition)) return false;
  return operandsOf(condition).every((operand) => {
    if (operand.kind !== 'field') return true;
    const field = entity.fields.get(operand.field);
    // Formulas, sequences and what is filled from elsewhere get their values from the database.
    return (
      operand.steps.length === 0 &&
      field !== undefined &&
      !isFilled(entity, field) &&
      (field.system ? KNOWN.has(field.key) : !field.readOnly || field.lifecycle !== null)
    );
  });
}

/** The record as it will be stored, as far as that is known, and who stores it. */
export function newRecord(
  { principal, tenant }: Scope,
  row: NewRow,
): { readonly record: PlainRecord; readonly context: EvaluationContext } {
  const record: PlainRecord = {
    created_by: principal.userId,
    updated_by: principal.userId,
    ...Object.fromEntries(row.values),
    owner: row.values.get('owner') ?? principal.userId,
    id: row.id,
    version: 1,
  };
  const context = {
    user: (attribute: string) => userAttribute(principal, attribute),
    now: 0,
    timeZone: principal.timeZone,
    businessHours: tenant.businessHours,
  };
  return { record, context };
}

/** Whether every field that was sent is covered by a grant that holds for the record, and some grant holds at all. */
export function isAllowed(scope: Scope, grants: readonly Grant[], row: NewRow): boolean {
  const { record, context } = newRecord(scope, row);
  const holding = grants.filter(({ condition }) => condition === null || evaluate(condition, record, context));
  if (holding.length === 0) return false;
  return [...row.sent].every((key) => holding.some(({ fields }) => fields === null || fields.has(key)));
}
