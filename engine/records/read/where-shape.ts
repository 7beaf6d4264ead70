/**
 * The shape of a filter: everything but its values. Filters of one shape have one SQL text, so that the second one need
 * only have its values checked and put in their places.
 */
import type { RawCondition, RawOperand } from '../../condition/raw.ts';
import { parseLiteral, storedLiteral } from '../../condition/literals.ts';
import { arrayText } from '../../db/identifiers.ts';
import { waysOf } from '../../model/any-ways.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Operator, ValueType } from '../../model/value-type.ts';
import { SQL_TYPE, VALUE_TYPES } from '../../model/value-type.ts';
import type { Access } from './access.ts';
import type { BindSource } from './binds.ts';

export interface WhereShape {
  readonly key: string;
  readonly slots: readonly Slot[];
  /** The key has values in it, which become parameters as those of the slots do and could be taken for them. */
  readonly spelled: boolean;
}

/** A place for a value. */
export interface Slot {
  /** Of the field that it is compared with. */
  readonly path: readonly string[];
  /** Choices are checked, and values written as they are stored, where a whole value is compared and no part of a text. */
  readonly whole: boolean;
  /** As it was sent; a list for `in` and its like. */
  readonly value: unknown;
}

export function shapeOfWhere(raw: RawCondition | null): WhereShape {
  if (raw === null) return NONE;
  const found: Found = { slots: [], spelled: false };
  return { key: describe(raw, found), ...found };
}

const NONE: WhereShape = { key: '', slots: [], spelled: false };

interface Found {
  readonly slots: Slot[];
  spelled: boolean;
}

function describe(raw: RawCondition, found: Found): string {
  switch (raw.kind) {
    case 'all':
    case 'any': {
      let key = raw.kind === 'all' ? '&(' : '|(';
      for (const member of raw.of) key += `${describe(member, found)},`;
      return `${key})`;
    }
    case 'not':
      return `!${describe(raw.of, found)}`;
    case 'test': {
      const path = raw.left.kind === 'path' ? raw.left.path : [];
      const whole = raw.operator === 'eq' || raw.operator === 'ne' || raw.operator === 'in' || raw.operator === 'nin';
      if (SPELT_OUT.has(raw.operator)) {
        found.spelled ||= raw.operator !== 'within';
        return `${describeOperand(raw.left)} ${raw.operator} ${JSON.stringify(raw.right)}`;
      }
      return `${describeOperand(raw.left)} ${raw.operator} ${raw.operator === 'null' ? JSON.stringify(raw.right) : describeRight(raw.right, raw.operator === 'between', path, whole, found)}`;
    }
    case 'many': {
      // The choices of fields inside are not looked up from here: such a filter is planned each time.
      const inside: Found = { slots: [], spelled: false };
      describe(raw.of, inside);
      found.spelled ||= inside.spelled || inside.slots.length > 0;
      return JSON.stringify(raw);
    }
    case 'count':
    case 'short':
      found.spelled = true;
      return JSON.stringify(raw);
    case 'business_hours':
    case 'shared':
      return JSON.stringify(raw);
  }
}

/** What they are compared with decides the text, or is made into something else first. */
const SPELT_OUT: ReadonlySet<Operator> = new Set<Operator>(['within', 'search', 'like', 'ilike']);

function describeOperand(operand: RawOperand): string {
  // Neither keys nor anything else here can contain the separators: a path that does is refused by the first plan.
  return operand.kind === 'path' && operand.path.every((key) => /^\w+$/.test(key))
    ? operand.path.join('.')
    : JSON.stringify(operand);
}

function describeRight(
  right: RawOperand,
  separate: boolean,
  path: readonly string[],
  whole: boolean,
  found: Found,
): string {
  const { slots } = found;
  if (right.kind === 'value' && isPlain(right.value)) {
    slots.push({ path, whole, value: right.value });
    return '?';
  }
  if (right.kind !== 'list') return JSON.stringify(right);
  const plain = right.of.filter((member) => member.kind === 'value' && isPlain(member.value));
  if (plain.length < right.of.length) {
    found.spelled ||= plain.length > 0;
    return JSON.stringify(right);
  }
  const values = right.of.map((member) => (member.kind === 'value' ? member.value : null));
  if (separate) {
    for (const value of values) slots.push({ path, whole, value });
    return `?${values.length}`;
  }
  // A list of one is compared as a single value.
  const [only] = values;
  if (new Set(values).size === 1) {
    slots.push({ path, whole, value: only });
    return '?1';
  }
  slots.push({ path, whole, value: values });
  return '?*';
}

/** `null` and words such as `@me` change what is asked. */
function isPlain(value: unknown): boolean {
  return value !== null && !(typeof value === 'string' && value.startsWith('@'));
}

/** How a slot's value becomes a parameter; or one that is no slot's. */
export type Place =
  | { readonly kind: 'source'; readonly source: BindSource }
  | {
      readonly kind: 'slot';
      readonly slot: number;
      readonly type: ValueType;
      readonly choices: ReadonlySet<unknown> | null;
      /** The field, where its values are stored in one of several ways to write them, and the organisation's country. */
      readonly canonical: { readonly field: Field; readonly country: string } | null;
    };

/**
 * Finds the slots among the parameters that the compiler made.
 * @param sources what the compiler made of a filter with these slots
 * @returns `null` when they do not match one to one (two tests fell into one, say): then the text is good for this one
 *   filter alone
 */
export function placeSlots(
  { slots, spelled }: WhereShape,
  sources: readonly BindSource[],
  entity: Entity,
  { lookup, model }: Access,
  fromText: boolean,
): readonly Place[] | null {
  if (spelled) return null;
  let next = 0;
  const places: Place[] = [];
  for (const source of sources) {
    if (source.kind !== 'value') {
      places.push({ kind: 'source', source });
      continue;
    }
    const slot = slots[next];
    const type = typeOf(source.sqlType);
    if (slot === undefined || type === undefined) return null;
    const named = fieldAt(slot.path, entity, lookup);
    // Asked of each reference behind it, one value becomes several parameters.
    if (named === null ? slot.path.at(-1) === 'id' : type === 'uuid' && waysOf(named).length > 1) return null;
    // What an array holds is compared whole, whatever the operator.
    const field = slot.whole || named?.type.valueType === 'texts' ? named : null;
    const place: Place = {
      kind: 'slot',
      slot: next,
      type,
      choices: field?.choices ? new Set(field.choices.map((choice) => choice.key)) : null,
      canonical: field?.type.canonical === true ? { field, country: model.country } : null,
    };
    if (slotValue(place, slots, fromText) !== source.value) return null;
    places.push(place);
    next += 1;
  }
  return next === slots.length ? places : null;
}

/** @returns `undefined` for a value that is not of the type, or not a choice: the plan then says so */
export function slotValue(
  place: Extract<Place, { kind: 'slot' }>,
  slots: readonly Slot[],
  fromText: boolean,
): string | undefined {
  const value = slots[place.slot]?.value;
  if (!Array.isArray(value)) return literalText(value, place, fromText);
  const texts = new Set<string>();
  for (const member of value) {
    const text = literalText(member, place, fromText);
    if (text === undefined) return undefined;
    texts.add(text);
  }
  return arrayText([...texts]);
}

function literalText(
  value: unknown,
  { type, choices, canonical }: Extract<Place, { kind: 'slot' }>,
  fromText: boolean,
): string | undefined {
  const literal = parseLiteral(value, type, fromText);
  if (literal === undefined || (choices !== null && !choices.has(literal))) return undefined;
  return String(canonical === null ? literal : storedLiteral(literal, canonical.field, canonical.country));
}

function fieldAt(path: readonly string[], entity: Entity, lookup: (name: string) => Entity | undefined): Field | null {
  let place: Entity | undefined = entity;
  for (const key of path.slice(0, -1)) {
    const reference: string | undefined = place?.fields.get(key)?.reference?.entity;
    place = reference === undefined ? undefined : lookup(reference);
  }
  return place?.fields.get(path.at(-1) ?? '') ?? null;
}

const TYPES: ReadonlyMap<string, ValueType> = new Map(
  VALUE_TYPES.filter((type) => type !== 'texts' && type !== 'uuids').map((type) => [SQL_TYPE[type], type]),
);

function typeOf(sqlType: string): ValueType | undefined {
  return TYPES.get(sqlType.replace('[]', ''));
}
