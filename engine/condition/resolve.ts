/** From a {@link RawCondition} to a {@link Condition}: names become fields, values become typed literals. */
import type { Entity, Field } from '../model/model.ts';
import type { Operator, ValueType } from '../model/value-type.ts';
import { nearest } from '../nearest.ts';
import { type Condition, FALSE, type Operand, TRUE } from './condition.ts';
import { Faults, hint, type Origin } from './faults.ts';
import { OPERATORS_OF } from './operators.ts';
import type { RawCondition, RawOperand, RawTest } from './raw.ts';
import { resolvePath } from './resolve-path.ts';
import { elementType, resolveLiterals, resolveRight, type Side } from './resolve-right.ts';
import { all, any, not, simplify, test } from './simplify.ts';
import { byWays } from './any-part.ts';
import { findMany, resolveMany } from './resolve-many.ts';
import { resolveLike, resolveSearch, resolveUnder, resolveWithin } from './resolve-special.ts';
import type { Settings } from './resolve-setting.ts';
import { sharedWithUser } from './shared.ts';
import { userAttributeType } from './user-attributes.ts';

export interface ResolveOptions extends Origin {
  /** Fields it refuses are treated, and reported, exactly as if they did not exist. Everything is visible without it. */
  readonly visible?: (entity: Entity, field: Field) => boolean;
  /** Values come from a query string: `"5"` is an integer, `"true"` a boolean. */
  readonly fromText?: boolean;
  /** Values that are computed when they are read may be asked for: a query and a view may, a row policy cannot. */
  readonly derived?: boolean;
  /** Settings that may be named. */
  readonly settings?: Settings;
  /** Country of the organisation, for telephone numbers without a country code. */
  readonly country?: string;
  /** Parameters beside the filters, suggested for a field that does not exist. */
  readonly controls?: readonly string[];
}

/**
 * @param entity whose records the condition is about
 * @param lookup an entity by its qualified name, for paths over references
 * @returns the simplified, frozen tree; `between` has become two comparisons
 * @throws Problem with one detail per fault: `unknown_field`, `unknown_operator` or `invalid`, where, what was found,
 *   what is expected and the nearest valid key. Its code is `invalid_document` where {@link Origin} says so, else
 *   `unknown_field` or `unknown_operator` when all details are such, else `invalid_parameter`.
 */
export function resolveCondition(
  raw: RawCondition,
  entity: Entity,
  lookup: (name: string) => Entity | undefined,
  options: ResolveOptions = {},
): Condition {
  const faults = new Faults(options);
  const side: Side = {
    entity,
    lookup,
    visible: options.visible ?? (() => true),
    faults,
    fromText: options.fromText ?? false,
    derived: options.derived ?? false,
    asked: options.derived === true && options.visible !== undefined,
    ...(options.controls && { controls: options.controls }),
    ...(options.country !== undefined && { country: options.country }),
    ...(options.settings && { settings: options.settings }),
  };
  const condition = resolve(raw, side);
  faults.check();
  return simplify(condition);
}

function resolve(raw: RawCondition, side: Side): Condition {
  switch (raw.kind) {
    case 'all':
      return all(raw.of.map((member) => resolve(member, side)));
    case 'any':
      return any(raw.of.map((member) => resolve(member, side)));
    case 'not':
      return not(resolve(raw.of, side));
    case 'business_hours':
      return Object.freeze({ kind: 'business_hours' });
    case 'shared':
      return resolveShared(raw, side);
    case 'short':
      return resolveShort(raw, side);
    case 'test':
      return resolveTest(raw, side);
    case 'many':
      return resolveMany(raw, side, resolve);
    case 'count':
      return resolveCount(raw, side);
  }
}

/** How many there are, whichever they are; `{ "lines": { "some": … } }` asks about some of them. */
function resolveCount(raw: Extract<RawCondition, { kind: 'count' }>, side: Side): Condition {
  const found = findMany(raw.path, raw.at, side);
  if (found === undefined) return FAULTY;
  const operand: Operand = Object.freeze({ kind: 'count', type: 'integer', many: found.many, of: TRUE });
  return compare(operand, raw.operator, raw.right, null, side);
}

function resolveShared(raw: Extract<RawCondition, { kind: 'shared' }>, side: Side): Condition {
  if (side.entity.sharing) return sharedWithUser(side.entity, raw.level);
  side.faults.add(raw.at, 'invalid', `Records of "${side.entity.name}" are not shared.`, { found: 'shared_with_me' });
  return FAULTY;
}

function resolveShort(raw: Extract<RawCondition, { kind: 'short' }>, side: Side): Condition {
  const field = side.entity.fields.get(raw.key);
  const left: RawOperand =
    field !== undefined && side.visible(side.entity, field)
      ? { kind: 'path', at: raw.at, path: [raw.key] }
      : { kind: 'user', at: raw.at, attribute: raw.key };
  const operator = raw.right.kind === 'list' ? 'in' : 'eq';
  return resolveTest({ kind: 'test', at: raw.at, left, operator, right: raw.right }, side);
}

/** Without a left side there is nothing to check the rest against; the fault has been added, and any tree will do. */
const FAULTY = TRUE;

function resolveTest(raw: RawTest, side: Side): Condition {
  const left = resolveLeft(raw.left, side);
  if (left === undefined) return FAULTY;
  const { operand, field } = left;
  const { type } = operand;
  // json-rules-engine's `contains` is about arrays; on texts it is ours.
  const operator = raw.operator === 'contains' && elementType(type) !== undefined ? 'has' : raw.operator;
  if (!checkOperator(operator, type, raw.at, field, side)) return FAULTY;

  const condition = compare(operand, operator, raw.right, field, side, left.entity);
  return field && left.entity && side.asked ? byWays(condition, field, left.entity, side) : condition;
}

function compare(
  operand: Operand,
  operator: Operator,
  right: RawOperand,
  field: Field | null,
  side: Side,
  entity?: Entity,
): Condition {
  const { type } = operand;
  const single = (value: Operand | undefined) => (value === undefined ? FAULTY : test(operand, operator, value));
  if (operator === 'null') return resolveNull(operand, right, side);
  if (operator === 'in') return resolveIn(operand, right, field, side);
  if (operator === 'nin') return not(resolveIn(operand, right, field, side));
  if (operator === 'between') return resolveBetween(operand, right, side);
  if (operator === 'within') return resolveWithin(operand, right, side);
  if (operator === 'search') return resolveSearch(operand, right, side);
  if (operator === 'like' || operator === 'ilike') return resolveLike(operand, operator, right, side);
  if (operator === 'under') return resolveUnder(operand, right, field, entity, side);
  const element = elementType(type) ?? type;
  if (operator === 'hasAny' || operator === 'hasAll') return single(resolveArray(right, element, field, side));
  if (operator === 'has') return single(resolveRight(right, element, field, side));
  if (operator !== 'eq' && operator !== 'ne') {
    // Choices are not checked: a part of a key is not a key.
    return single(resolveRight(right, type, null, side));
  }
  if (right.kind === 'value' && right.value === null) {
    return test(operand, 'null', { kind: 'literal', type: 'boolean', value: operator === 'eq' });
  }
  return single(resolveRight(right, type, field, side));
}

function resolveLeft(
  raw: RawOperand,
  side: Side,
): { operand: Operand; field: Field | null; entity?: Entity } | undefined {
  switch (raw.kind) {
    case 'path':
      return resolvePath(raw.path, raw.at, side);
    case 'user': {
      const type = userAttributeType(raw.attribute);
      return { operand: Object.freeze({ kind: 'user', attribute: raw.attribute, type }), field: null };
    }
    case 'now':
      return { operand: Object.freeze({ kind: 'now', type: 'datetime' }), field: null };
    case 'today':
      return { operand: Object.freeze({ kind: 'today', type: 'date' }), field: null };
    case 'setting':
    case 'value':
    case 'list':
      side.faults.add(raw.at, 'invalid', 'A field is expected here, found a value.', {
        expected: 'a field',
        found: 'value',
      });
      return undefined;
  }
}

function checkOperator(operator: Operator, type: ValueType, at: string, field: Field | null, side: Side): boolean {
  const possible = [...OPERATORS_OF[type]].filter((each) =>
    field === null ? each !== 'under' : field.type.operators.includes(each),
  );
  if (possible.includes(operator)) return true;
  const suggestion = nearest(operator, possible);
  const subject = field === null ? `a ${type}` : `"${field.key}" (${field.type.key})`;
  side.faults.add(
    at,
    'unknown_operator',
    `"${operator}" is not an operator of ${subject}; it has ${possible.join(', ')}.${hint(suggestion)}`,
    { expected: possible, found: operator, ...(suggestion === undefined ? {} : { nearest: suggestion }) },
  );
  return false;
}

/** `null` takes true or false, nothing that would have to be looked up. */
function resolveNull(left: Operand, right: RawOperand, side: Side): Condition {
  const value = resolveRight(right, 'boolean', null, side);
  if (value === undefined) return FAULTY;
  if (value.kind === 'literal') return test(left, 'null', value);
  side.faults.add(right.at, 'invalid', 'true or false is expected here.', { expected: 'boolean', found: value.kind });
  return FAULTY;
}

/** `in` a list of values, some of which may be fields or the user (`"@me"`): those become comparisons of their own. */
function resolveIn(left: Operand, right: RawOperand, field: Field | null, side: Side): Condition {
  if (right.kind !== 'list') {
    const values = resolveArray(right, left.type, field, side);
    return values === undefined ? FAULTY : test(left, 'in', values);
  }
  const { literals, others } = resolveLiterals(right, left.type, field, side);
  const tests = others.map((other) => test(left, 'eq', other));
  if (literals.values.length > 0) tests.push(test(left, 'in', literals));
  return tests.length === 0 ? FALSE : any(tests);
}

function resolveBetween(left: Operand, right: RawOperand, side: Side): Condition {
  const ends = right.kind === 'list' ? right.of : [];
  const [low, high] = ends;
  if (low === undefined || high === undefined || ends.length > 2) {
    side.faults.add(right.at, 'invalid', 'A list of two values, the least and the greatest, is expected here.', {
      expected: 'two values',
      found: right.kind === 'list' ? ends.length : 'value',
    });
    return FAULTY;
  }
  const from = resolveRight(low, left.type, null, side);
  const to = resolveRight(high, left.type, null, side);
  return from === undefined || to === undefined ? FAULTY : all([test(left, 'gte', from), test(left, 'lte', to)]);
}

/** Types whose values also come as an array of the record or the user. */
const ARRAY_OF: Readonly<Partial<Record<ValueType, ValueType>>> = { text: 'texts', uuid: 'uuids' };

/** Something with several values: a list of literals, or an array of the record or the user. */
function resolveArray(right: RawOperand, type: ValueType, field: Field | null, side: Side): Operand | undefined {
  if (right.kind === 'list') {
    const { literals, others } = resolveLiterals(right, type, field, side);
    if (others.length === 0) return literals;
    side.faults.add(right.at, 'invalid', 'Only values are expected in this list.', {
      expected: 'values',
      found: others[0]?.kind,
    });
    return undefined;
  }
  const array = ARRAY_OF[type];
  if (right.kind === 'value' || array === undefined) {
    side.faults.add(right.at, 'invalid', 'A list is expected here, found a single value.', {
      expected: 'list',
      found: right.kind,
    });
    return undefined;
  }
  return resolveRight(right, array, null, side);
}
