/** Conditions on many records, inside the field that holds them: `some`, `none`, `every` and `count`. */
import { at, describe } from './faults.ts';
import { nearest } from '../nearest.ts';
import { isOperator } from './operators.ts';
import { parseOperand } from './parse-operand.ts';
import { QUANTIFIERS, type Quantifier, type RawCondition } from './raw.ts';
import { isObject, type Walk } from './walk.ts';

/** Comparisons of a number of records. */
const COUNTED = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'between'];

export function isMany(key: string): key is Quantifier | 'count' {
  return key === 'count' || QUANTIFIERS.some((each) => each === key);
}

/** @param value what stands behind the key; `{}` for `some` is "at least one", whichever */
export function parseMany(
  key: Quantifier | 'count',
  value: unknown,
  pointer: string,
  path: readonly string[],
  depth: number,
  walk: Walk,
): RawCondition {
  walk.count(pointer, depth);
  if (key !== 'count') {
    return { kind: 'many', at: pointer, quantifier: key, path, of: walk.node(value, pointer, depth + 1) };
  }
  if (!isObject(value)) {
    const right = parseOperand(value, pointer, walk.faults);
    return { kind: 'count', at: pointer, path, operator: 'eq', right };
  }
  const of = Object.entries(value).map(([operator, number]): RawCondition => {
    const place = at(pointer, operator);
    if (isOperator(operator) && COUNTED.includes(operator)) {
      return { kind: 'count', at: place, path, operator, right: parseOperand(number, place, walk.faults) };
    }
    const suggestion = nearest(operator, COUNTED);
    walk.faults.add(place, 'unknown_operator', `A number of records is compared with one of ${COUNTED.join(', ')}.`, {
      expected: COUNTED,
      found: operator,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
    return { kind: 'all', at: place, of: [] };
  });
  if (of.length === 0) {
    walk.faults.add(pointer, 'invalid', `A number or a comparison is expected here, found ${describe(value)}.`, {
      expected: 'a number',
      found: describe(value),
    });
  }
  return { kind: 'all', at: pointer, of };
}
