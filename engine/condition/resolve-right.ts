/** The right side of a test, checked against the type of the left. */
import type { Field } from '../model/model.ts';
import type { ValueType } from '../model/value-type.ts';
import { nearest } from '../nearest.ts';
import type { Operand } from './condition.ts';
import { describe, hint } from './faults.ts';
import { EXPECTED, type Literal, parseLiteral, storedLiteral } from './literals.ts';
import type { RawOperand } from './raw.ts';
import { resolveSetting } from './resolve-setting.ts';
import { resolvePath, type Surroundings } from './resolve-path.ts';
import { userAttributeType } from './user-attributes.ts';

export interface Side extends Surroundings {
  readonly fromText: boolean;
  /** It is a reader's question, to be answered by indexes. */
  readonly asked?: boolean;
  /** How many records inside records lie around it; none when left out. */
  readonly level?: number;
}

type ListOperand = Extract<Operand, { kind: 'list' }>;

/** Type of the elements of an array type. */
export function elementType(type: ValueType): ValueType | undefined {
  if (type === 'texts') return 'text';
  return type === 'uuids' ? 'uuid' : undefined;
}

/**
 * @param type what the left side needs here
 * @param field the left side's field, when its choices are to be checked
 * @returns `undefined` after a fault was added
 */
export function resolveRight(raw: RawOperand, type: ValueType, field: Field | null, side: Side): Operand | undefined {
  switch (raw.kind) {
    case 'value':
      return shorthand(raw.value, type) ?? resolveLiteral(raw.value, raw.at, type, field, side);
    case 'path': {
      const resolved = resolvePath(raw.path, raw.at, side);
      return resolved && sameType(resolved.operand, `"${raw.path.join('.')}"`, raw.at, type, side);
    }
    case 'user': {
      const operand: Operand = { kind: 'user', attribute: raw.attribute, type: userAttributeType(raw.attribute) };
      return sameType(Object.freeze(operand), `user.${raw.attribute}`, raw.at, type, side);
    }
    case 'setting': {
      const operand = resolveSetting(raw, type, side);
      return operand && sameType(operand, raw.name, raw.at, type, side);
    }
    case 'now':
      return sameType(Object.freeze({ kind: 'now', type: 'datetime' }), 'now', raw.at, type, side);
    case 'today':
      return sameType(Object.freeze({ kind: 'today', type: 'date' }), 'today', raw.at, type, side);
    case 'list':
      side.faults.add(raw.at, 'invalid', `A single value is expected here, found a list of ${raw.of.length}.`, {
        expected: EXPECTED[type],
        found: 'list',
      });
      return undefined;
  }
}

/** The members of a list: literals in one operand, and whatever else (fields, the user) one by one. */
export function resolveLiterals(
  raw: Extract<RawOperand, { kind: 'list' }>,
  type: ValueType,
  field: Field | null,
  side: Side,
): { literals: ListOperand; others: Operand[] } {
  const values: Literal[] = [];
  const others: Operand[] = [];
  for (const member of raw.of) {
    const operand = resolveRight(member, type, field, side);
    if (operand === undefined) continue;
    if (operand.kind === 'literal' && operand.value !== null && typeof operand.value !== 'object')
      values.push(operand.value);
    else others.push(operand);
  }
  return { literals: Object.freeze({ kind: 'list', type, values: Object.freeze([...new Set(values)]) }), others };
}

/** Texts that are no value of their type, and so can stand for something else: `"@me"`, `"@today"`, `"@now"`. */
function shorthand(value: unknown, type: ValueType): Operand | undefined {
  if (value === '@me' && type === 'uuid') return Object.freeze({ kind: 'user', attribute: 'id', type: 'uuid' });
  if (value === '@today' && type === 'date') return Object.freeze({ kind: 'today', type: 'date' });
  if (value === '@now' && type === 'datetime') return Object.freeze({ kind: 'now', type: 'datetime' });
  return undefined;
}

function resolveLiteral(
  value: unknown,
  at: string,
  type: ValueType,
  field: Field | null,
  side: Side,
): Operand | undefined {
  const literal = parseLiteral(value, type, side.fromText);
  if (literal === undefined) {
    const message =
      value === null
        ? `${capitalise(EXPECTED[type])} is expected here; to ask for an empty field use "null".`
        : `${capitalise(EXPECTED[type])} is expected here, found ${describe(value)}.`;
    side.faults.add(at, 'invalid', message, { expected: type, found: describe(value) });
    return undefined;
  }
  const choices = field?.choices;
  if (choices && !choices.some((choice) => choice.key === literal)) {
    const keys = choices.map((choice) => choice.key);
    const suggestion = nearest(String(literal), keys);
    side.faults.add(at, 'invalid', `${describe(value)} is not a choice of "${field.key}".${hint(suggestion)}`, {
      expected: keys.slice(0, 50),
      found: literal,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
    return undefined;
  }
  const stored = field === null ? literal : storedLiteral(literal, field, side.country ?? '');
  return Object.freeze({ kind: 'literal', type, value: stored });
}

/** Two sides compare when their types are the same; integers and decimals are both numbers. */
function sameType(operand: Operand, name: string, at: string, type: ValueType, side: Side): Operand | undefined {
  if (operand.type === type || (isNumber(operand.type) && isNumber(type))) return operand;
  side.faults.add(
    at,
    'invalid',
    `${capitalise(EXPECTED[type])} is expected here, but ${name} is ${EXPECTED[operand.type]}.`,
    {
      expected: type,
      found: operand.type,
    },
  );
  return undefined;
}

function isNumber(type: ValueType): boolean {
  return type === 'integer' || type === 'decimal';
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
