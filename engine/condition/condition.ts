/**
 * The condition tree: filters, permissions, guards, views, rules. Resolved against an entity: every path is known and
 * typed, so that the evaluator and the SQL compiler need nothing else.
 *
 * Meaning is two-valued (ADR 0003): a test with a NULL on either side is false, `ne` and `nin` are the negation of
 * `eq` and `in` (so they hold for NULL), and `not` negates. `null` tests for absence.
 */
import type { Operator, Scalar, Value, ValueType } from '../model/value-type.ts';

export type Condition =
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'test'; readonly left: Operand; readonly operator: Operator; readonly right: Operand }
  /** `left` names a record of the tree that `right` names, or one below it. */
  | { readonly kind: 'under'; readonly left: Operand; readonly right: Operand; readonly tree: Tree }
  /** One of many records fulfils a condition of its own. `none` is its negation, `every` that none fails. */
  | { readonly kind: 'some'; readonly many: Many; readonly of: Condition }
  /** The tenant's business hours contain the present moment. */
  | { readonly kind: 'business_hours' }
  | Shared;

/** The record is shared with the acting user: to be read at least, or to be changed as well. */
export interface Shared {
  readonly kind: 'shared';
  readonly level: ShareLevel;
  /** Id of the entity. */
  readonly entity: string;
  /** Where the record's id is found: its own `id`, or, told from a part, the reference to its whole. */
  readonly record: FieldOperand;
}

export type ShareLevel = 'read' | 'write';

export type Operand =
  | { readonly kind: 'literal'; readonly type: ValueType; readonly value: Value }
  /** Literals of one type: the right side of `in`, `nin`, `hasAny` and `hasAll`, and the two ends of `between`. Never null. */
  | { readonly kind: 'list'; readonly type: ValueType; readonly values: readonly Exclude<Scalar, null>[] }
  | FieldOperand
  /** An attribute of the principal: `id`, `team`, `teams`, `team_members`, `roles`, `department`, … */
  | { readonly kind: 'user'; readonly attribute: string; readonly type: ValueType }
  | SettingOperand
  | { readonly kind: 'now'; readonly type: 'datetime' }
  | { readonly kind: 'today'; readonly type: 'date' }
  /** The first day (or moment) of a period such as `last_month`, or the first after it. */
  | {
      readonly kind: 'period';
      readonly type: 'date' | 'datetime';
      readonly period: string;
      readonly edge: 'from' | 'to';
    }
  /** How many of many records fulfil a condition of their own. */
  | { readonly kind: 'count'; readonly type: 'integer'; readonly many: Many; readonly of: Condition };

/** The value that a declared setting has at that moment; its default, `null` without one, where none is set. */
export interface SettingOperand {
  readonly kind: 'setting';
  readonly type: ValueType;
  /** Qualified name. */
  readonly setting: string;
  /** The acting user's own value; else the organisation's. */
  readonly own: boolean;
  readonly fallback: Scalar;
}

/** A field of the record, or of a record it refers to: `steps` are the references on the way (at most 3), outermost first. */
export interface FieldOperand {
  readonly kind: 'field';
  readonly type: ValueType;
  readonly steps: readonly Step[];
  /** Key and column (equal) of the last field. */
  readonly field: string;
  readonly fieldId: string;
  /** The column itself, whatever the reader is shown of it: only beside a test of what they are shown. */
  readonly bare?: true;
}

/** An entity whose records name the one above them. */
export interface Tree {
  /** Qualified entity and its table, in the tenant's schema. */
  readonly entity: string;
  readonly table: string;
  /** Field id of its `id`. */
  readonly id: string;
  /** Key and id of the field that names the record above. */
  readonly parent: string;
  readonly parentId: string;
}

/** Records on the list of one: its children, those that refer to it, or those it is linked with. */
export interface Many {
  /** Id of the record they belong to. */
  readonly anchor: FieldOperand;
  /** Key and id of the field that holds them. */
  readonly field: string;
  readonly fieldId: string;
  /** Qualified entity of the many and its table. */
  readonly entity: string;
  readonly table: string;
  /** Key of their field that names the record whose list it is; `null` for links. */
  readonly by: string | null;
  /** The table of the links, in the tenant's schema, with the columns of the one and of the many. */
  readonly link: { readonly table: string; readonly near: string; readonly far: string } | null;
}

export interface Step {
  readonly field: string;
  readonly fieldId: string;
  /** Qualified entity and its table, in the tenant's schema. */
  readonly entity: string;
  readonly table: string;
}

export const TRUE: Condition = { kind: 'all', of: [] };
export const FALSE: Condition = { kind: 'any', of: [] };
