/** Does a record fulfil a condition? The twin of `to-sql.ts`: property tests hold the two equal. */
import type { BusinessHours } from '../model/tenant.ts';
import type { Value } from '../model/value-type.ts';
import type { Condition, FieldOperand, Many, Operand, SettingOperand, Shared, ShareLevel } from './condition.ts';
import { parseLiteral } from './literals.ts';
import { evaluateTest, type Tested } from './evaluate-test.ts';
import { localTime } from './moment.ts';
import { periodEdge } from './period.ts';

type Under = Extract<Condition, { kind: 'under' }>;

/** A record as the API answers it: field key → JSON value. An absent key is NULL. */
export type PlainRecord = Readonly<Record<string, unknown>>;

export interface EvaluationContext {
  /** An attribute of the acting user, `null` when there is none; see `user-attributes.ts`. */
  readonly user: (attribute: string) => Value;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** IANA name; decides what day it is today. */
  readonly timeZone: string;
  readonly businessHours: BusinessHours;
  /** Month the fiscal year begins with; January when left out. */
  readonly fiscalYearStart?: number;
  /** The stored value of a setting, `undefined` where none is. Needed where a condition asks for one. */
  readonly setting?: (name: string, own: boolean) => unknown;
  /** The records that belong to one; not needed where records carry them as arrays. */
  readonly many?: (many: Many, id: string) => readonly PlainRecord[];
  /**
   * The record a reference points at, or `null` when there is none or it may not be seen. Not needed where records carry
   * the objects they refer to.
   * @param entity qualified name
   */
  readonly follow?: (entity: string, id: string) => PlainRecord | null;
  /**
   * Whether a record is shared with the acting user, at this level at least. Needed where a condition asks for it.
   * @param entity id of the entity
   */
  readonly shared?: (entity: string, id: string, level: ShareLevel) => boolean;
}

/**
 * @param record references are ids, or the records themselves
 * @throws TypeError when a reference has to be followed and the context cannot
 */
export function evaluate(condition: Condition, record: PlainRecord, context: EvaluationContext): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((member) => evaluate(member, record, context));
    case 'any':
      return condition.of.some((member) => evaluate(member, record, context));
    case 'not':
      return !evaluate(condition.of, record, context);
    case 'test': {
      const left = read(condition.left, record, context);
      return evaluateTest(condition.operator, condition.left.type, left, read(condition.right, record, context));
    }
    case 'under':
      return isUnder(condition, record, context);
    case 'some':
      return readMany(condition.many, record, context).some((each) => evaluate(condition.of, each, context));
    case 'business_hours':
      return inBusinessHours(context);
    case 'shared':
      return isShared(condition, record, context);
  }
}

function isShared(
  { entity, level, record: operand }: Shared,
  record: PlainRecord,
  context: EvaluationContext,
): boolean {
  if (context.shared === undefined)
    throw new TypeError('whether a record is shared is asked, and the context cannot tell');
  const id = readField(operand, record, context);
  return typeof id === 'string' && context.shared(entity, id, level);
}

function read(operand: Operand, record: PlainRecord, context: EvaluationContext): Tested {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'list':
      return operand.values;
    case 'user':
      return context.user(operand.attribute);
    case 'setting':
      return readSetting(operand, context);
    case 'now':
      return new Date(context.now).toISOString();
    case 'today':
      return localTime(context.now, context.timeZone).date;
    case 'period':
      return periodEdge(operand.period, operand.edge, operand.type, context);
    case 'count':
      return readMany(operand.many, record, context).filter((each) => evaluate(operand.of, each, context)).length;
    case 'field':
      return readField(operand, record, context);
  }
}

function readSetting({ setting, own, type, fallback }: SettingOperand, context: EvaluationContext): Value {
  if (context.setting === undefined) throw new TypeError(`"${setting}" is asked for, and the context cannot tell`);
  const stored = context.setting(setting, own);
  // Of a number a setting has a JSON number, never its text.
  const fits = type === 'decimal' || type === 'integer' ? typeof stored === 'number' : true;
  return (fits ? parseLiteral(stored, type) : undefined) ?? fallback;
}

/** Upwards from the record, as far as records may be seen; a circle ends where it began. */
function isUnder(condition: Under, record: PlainRecord, context: EvaluationContext): boolean {
  const top = read(condition.right, record, context);
  const { follow } = context;
  if (follow === undefined) throw new TypeError(`${condition.tree.entity} has to be followed, and the context cannot`);
  const seen = new Set<string>();
  let id: Tested = read(condition.left, record, context);
  while (typeof id === 'string' && typeof top === 'string' && !seen.has(id)) {
    seen.add(id);
    const at = follow(condition.tree.entity, id);
    if (at === null) return false;
    if (id === top) return true;
    id = toValue(at[condition.tree.parent]);
  }
  return false;
}

function readMany(many: Many, record: PlainRecord, context: EvaluationContext): readonly PlainRecord[] {
  const carried = many.anchor.steps.length === 0 ? record[many.field] : undefined;
  if (Array.isArray(carried)) return carried.filter(isRecord);
  const id = readField(many.anchor, record, context);
  if (typeof id !== 'string') return [];
  if (context.many === undefined) throw new TypeError(`"${many.field}" has to be looked up, and the context cannot`);
  return context.many(many, id);
}

function readField(operand: FieldOperand, record: PlainRecord, context: EvaluationContext): Value {
  let current = record;
  for (const step of operand.steps) {
    const reference = current[step.field];
    if (isRecord(reference)) {
      current = reference;
      continue;
    }
    if (typeof reference !== 'string') return null;
    if (context.follow === undefined) throw new TypeError(`"${step.field}" has to be followed, and the context cannot`);
    const target = context.follow(step.entity, reference);
    if (target === null) return null;
    current = target;
  }
  const value = current[operand.field];
  // Any JSON: only whether there is one counts.
  if (operand.type === 'json') return value === null || value === undefined ? null : JSON.stringify(value);
  return toValue(value);
}

/** An embedded record stands for its id. */
function toValue(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(String);
  return isRecord(value) ? toValue(value.id) : null;
}

function isRecord(value: unknown): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As `armature.in_business_hours()`: from the first minute up to, and without, the last. */
function inBusinessHours({ now, businessHours }: EvaluationContext): boolean {
  const { weekday, minute } = localTime(now, businessHours.timeZone);
  return (
    businessHours.days.includes(weekday) &&
    minute >= minuteOf(businessHours.from) &&
    minute < minuteOf(businessHours.to)
  );
}

/** `09:30` → 570 */
function minuteOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}
