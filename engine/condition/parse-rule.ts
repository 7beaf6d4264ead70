/** The json-rules-engine form: `{ all | any: […] }`, `{ not: {…} }`, `{ fact, path, operator, value }`. */
import { nearest } from '../nearest.ts';
import { at, describe, hint } from './faults.ts';
import { RULE_OPERATORS } from './operators.ts';
import { parseFact, parseOperand, unknownKey } from './parse-operand.ts';
import type { RawCondition } from './raw.ts';
import { parseMembers, type Walk } from './walk.ts';

type Json = Readonly<Record<string, unknown>>;

/** json-rules-engine allows a name and a priority; they mean nothing to us and are let through. */
const DECORATION = ['name', 'priority'];

/** `not` belongs to both forms and reads the same, so that it need not be told apart. */
export function isRule(json: Json): boolean {
  return typeof json.fact === 'string' || Array.isArray(json.all) || Array.isArray(json.any);
}

export function parseRule(json: Json, pointer: string, depth: number, walk: Walk): RawCondition {
  walk.count(pointer, depth);
  if (typeof json.fact === 'string') return parseLeaf(json, json.fact, pointer, walk);
  const key = Array.isArray(json.all) ? 'all' : 'any';
  allowKeys(json, [key], pointer, walk);
  const place = at(pointer, key);
  const of = parseMembers(json[key], place, key, walk, (member, inner) => walk.node(member, inner, depth + 1));
  return { kind: key, at: place, of };
}

function parseLeaf(json: Json, fact: string, pointer: string, walk: Walk): RawCondition {
  const { faults } = walk;
  allowKeys(json, ['fact', 'path', 'operator', 'value'], pointer, walk);
  const found = typeof json.operator === 'string' ? RULE_OPERATORS.get(json.operator) : undefined;
  if (found === undefined) {
    const suggestion = typeof json.operator === 'string' ? nearest(json.operator, RULE_OPERATORS.keys()) : undefined;
    faults.add(
      at(pointer, 'operator'),
      'unknown_operator',
      `An operator such as "equal" is expected here, found ${describe(json.operator)}.${hint(suggestion)}`,
      {
        expected: [...RULE_OPERATORS.keys()],
        found: json.operator ?? null,
        ...(suggestion === undefined ? {} : { nearest: suggestion }),
      },
    );
    return { kind: 'all', at: pointer, of: [] };
  }
  const { operator, negated } = found;
  if (!('value' in json) && operator !== 'null') {
    faults.add(at(pointer, 'value'), 'invalid', 'A value is expected here, found nothing.', { expected: 'value' });
  }
  if (fact === 'business_hours') return parseBusinessHours(json, operator, pointer, walk);
  if (fact === 'shared_with_me') return parseShared(json, operator, pointer, walk);
  const left = parseFact(fact, json.path, pointer, faults);
  const right = parseOperand('value' in json ? json.value : true, at(pointer, 'value'), faults);
  const test: RawCondition = { kind: 'test', at: pointer, left, operator, right };
  return negated ? { kind: 'not', at: pointer, of: test } : test;
}

/** `{ "fact": "business_hours", "operator": "equal", "value": true }` */
function parseBusinessHours(json: Json, operator: string, pointer: string, walk: Walk): RawCondition {
  const hours: RawCondition = { kind: 'business_hours', at: pointer };
  if ((operator !== 'eq' && operator !== 'ne') || typeof json.value !== 'boolean') {
    walk.faults.add(pointer, 'invalid', '"business_hours" can only be compared with true or false.', {
      expected: 'equal true',
      found: describe(json.value),
    });
  }
  return (operator === 'eq') === json.value ? hours : { kind: 'not', at: pointer, of: hours };
}

/** `{ "fact": "shared_with_me", "operator": "equal", "value": "read" }`; what may be changed may be read as well. */
function parseShared(json: Json, operator: string, pointer: string, walk: Walk): RawCondition {
  const level = json.value === 'write' ? 'write' : 'read';
  if ((operator !== 'eq' && operator !== 'ne') || json.value !== level) {
    walk.faults.add(pointer, 'invalid', '"shared_with_me" can only be compared with "read" or "write".', {
      expected: 'equal read',
      found: describe(json.value),
    });
  }
  const shared: RawCondition = { kind: 'shared', at: pointer, level };
  return operator === 'eq' ? shared : { kind: 'not', at: pointer, of: shared };
}

function allowKeys(json: Json, known: readonly string[], pointer: string, walk: Walk): void {
  for (const key of Object.keys(json)) {
    if (known.includes(key) || DECORATION.includes(key)) continue;
    unknownKey(key, at(pointer, key), known, walk.faults);
  }
}
