/**
 * From JSON to a {@link RawCondition}. Two forms, which may be mixed at any node:
 *
 * ```json
 * { "all": [{ "fact": "stage", "operator": "equal", "value": "won" },
 *           { "fact": "account", "path": "$.country", "operator": "in", "value": ["DE", "AT"] }] }
 * { "stage": "won", "account": { "country": { "in": ["DE", "AT"] } }, "or": [{ "amount": { "gte": "10000" } }, …] }
 * ```
 */
import { isOperator } from './operators.ts';
import type { Origin } from './faults.ts';
import { at, describe, Faults } from './faults.ts';
import { isMany, parseMany } from './parse-many.ts';
import { parseOperand } from './parse-operand.ts';
import { isRule, parseRule } from './parse-rule.ts';
import { LIMITS, type RawCondition } from './raw.ts';
import { isObject, parseMembers, type Walk } from './walk.ts';

export interface ParseOptions extends Origin {
  /** JSON Pointer of the condition inside the body or the document, `''` for the whole. */
  readonly pointer: string;
}

/**
 * @param json the condition, already parsed from JSON text; not trusted
 * @returns the tree as written, within {@link LIMITS}; an empty object means "every record"
 * @throws Problem `invalid_parameter` or `invalid_document` (see {@link Origin}) with a pointer for each fault
 */
export function parseCondition(json: unknown, options: ParseOptions): RawCondition {
  const faults = new Faults(options);
  const walk = startWalk(faults);
  const raw = walk.node(json, options.pointer, 1);
  faults.check();
  return raw;
}

function startWalk(faults: Faults): Walk {
  let nodes = 0;
  const walk: Walk = {
    faults,
    node(json, pointer, depth) {
      if (isObject(json) && isRule(json)) return parseRule(json, pointer, depth, walk);
      return parseFilter(json, pointer, [], depth, walk);
    },
    count(pointer, depth) {
      nodes += 1;
      if (nodes > LIMITS.nodes) {
        faults.stop(pointer, 'too_large', `A condition may have at most ${LIMITS.nodes} parts.`, { max: LIMITS.nodes });
      }
      if (depth > LIMITS.depth) {
        faults.stop(pointer, 'too_deep', `A condition may be at most ${LIMITS.depth} levels deep.`, {
          max: LIMITS.depth,
        });
      }
    },
  };
  return walk;
}

/**
 * The filter form: `{ field: scalar | null | { operator: value } | { field: … }, and: […], or: […], not: {…} }`.
 * Inside a field (`path` is not empty) the keys are operators first, then fields of the record it refers to.
 */
function parseFilter(json: unknown, pointer: string, path: readonly string[], depth: number, walk: Walk): RawCondition {
  walk.count(pointer, depth);
  if (!isObject(json)) {
    walk.faults.add(pointer, 'invalid', `A condition is expected here, found ${describe(json)}.`, {
      expected: 'object',
      found: describe(json),
    });
    return { kind: 'all', at: pointer, of: [] };
  }
  const entries = Object.entries(json);
  if (entries.length === 0 && path.length > 0) {
    walk.faults.add(pointer, 'invalid', `An operator is expected here, for example {"eq": …}.`, {
      expected: 'operator',
    });
  }
  const of = entries.map(([key, value]) => parseEntry(key, value, at(pointer, key), path, depth, walk));
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'all', at: pointer, of };
}

function parseEntry(
  key: string,
  value: unknown,
  pointer: string,
  path: readonly string[],
  depth: number,
  walk: Walk,
): RawCondition {
  if (key === 'and' || key === 'or') {
    const of = parseMembers(value, pointer, key, walk, (member, place) =>
      path.length === 0 ? walk.node(member, place, depth + 1) : parseFilter(member, place, path, depth + 1, walk),
    );
    return { kind: key === 'and' ? 'all' : 'any', at: pointer, of };
  }
  if (key === 'not') {
    const of =
      path.length === 0 ? walk.node(value, pointer, depth + 1) : parseFilter(value, pointer, path, depth + 1, walk);
    return { kind: 'not', at: pointer, of };
  }
  if (path.length > 0 && isMany(key)) return parseMany(key, value, pointer, path, depth, walk);
  if (path.length > 0 && isOperator(key)) {
    walk.count(pointer, depth);
    const left = { kind: 'path', at: pointer, path } as const;
    return { kind: 'test', at: pointer, left, operator: key, right: parseOperand(value, pointer, walk.faults) };
  }
  const inner = [...path, key];
  if (isObject(value)) return parseFilter(value, pointer, inner, depth + 1, walk);
  walk.count(pointer, depth);
  if (Array.isArray(value)) {
    walk.faults.add(
      pointer,
      'invalid',
      `A single value or an operator is expected here; for several values write {"in": […]}.`,
      {
        expected: 'value or object',
        found: describe(value),
      },
    );
  }
  const left = { kind: 'path', at: pointer, path: inner } as const;
  return { kind: 'test', at: pointer, left, operator: 'eq', right: { kind: 'value', at: pointer, value } };
}

/**
 * The short form of a permission: every key must hold.
 *
 * ```json
 * { "owner": "self", "department": "sales", "time_restriction": "business_hours" }
 * ```
 *
 * `owner: self` is the user's own records, `owner: team` those of the user's team members. Any other key is a field of
 * the entity when it has one of that name, else an attribute of the user; a list means "one of".
 * @throws Problem as {@link parseCondition}
 */
export function parseShortConditions(json: unknown, options: ParseOptions): RawCondition {
  const faults = new Faults(options);
  const walk = startWalk(faults);
  const { pointer } = options;
  if (!isObject(json)) {
    return faults.stop(pointer, 'invalid', `An object of conditions is expected here, found ${describe(json)}.`, {
      expected: 'object',
      found: describe(json),
    });
  }
  const of = Object.entries(json).map(([key, value]) => {
    const place = at(pointer, key);
    walk.count(place, 1);
    return parseShort(key, value, place, faults);
  });
  faults.check();
  return { kind: 'all', at: pointer, of };
}

function parseShort(key: string, value: unknown, pointer: string, faults: Faults): RawCondition {
  if (key === 'owner' && (value === 'self' || value === 'team')) {
    const left = { kind: 'path', at: pointer, path: ['owner'] } as const;
    const attribute = value === 'self' ? 'id' : 'team_members';
    const operator = value === 'self' ? 'eq' : 'in';
    return { kind: 'test', at: pointer, left, operator, right: { kind: 'user', at: pointer, attribute } };
  }
  if (key === 'time_restriction') {
    if (value !== 'business_hours') {
      faults.add(pointer, 'invalid', `"business_hours" is expected here, found ${describe(value)}.`, {
        expected: 'business_hours',
        found: describe(value),
      });
    }
    return { kind: 'business_hours', at: pointer };
  }
  return { kind: 'short', at: pointer, key, right: parseOperand(value, pointer, faults) };
}
