/** What the parsers of the two forms share: the limits, the faults and the lists of conditions. */
import { at, describe, type Faults } from './faults.ts';
import type { RawCondition } from './raw.ts';

/** What the parsers of the parts share. */
export interface Walk {
  readonly faults: Faults;
  /** The condition at `pointer`; `depth` counts from 1. */
  node(json: unknown, pointer: string, depth: number): RawCondition;
  /** Counts a node against the limits. */
  count(pointer: string, depth: number): void;
}

/**
 * The members of `and`, `or`, `all`, `any`. An empty `or` is refused: json-rules-engine takes it as true and logic
 * takes it as false, so whoever wrote it would be surprised by one or the other.
 */
export function parseMembers(
  json: unknown,
  pointer: string,
  key: string,
  walk: Walk,
  parse: (member: unknown, pointer: string) => RawCondition,
): RawCondition[] {
  if (!Array.isArray(json)) {
    walk.faults.add(pointer, 'invalid', `"${key}" takes a list of conditions, found ${describe(json)}.`, {
      expected: 'list',
      found: describe(json),
    });
    return [];
  }
  if (json.length === 0 && (key === 'or' || key === 'any')) {
    walk.faults.add(pointer, 'invalid', `"${key}" needs at least one condition.`, { expected: 'conditions' });
  }
  return json.map((member, index) => parse(member, at(pointer, index)));
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
