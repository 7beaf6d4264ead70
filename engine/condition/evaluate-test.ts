/** One comparison of two values, with the meaning that Postgres gives it. */
import { Decimal } from 'decimal.js';
import type { Operator, Scalar, Value, ValueType } from '../model/value-type.ts';
import { compareText } from './compare-text.ts';
import { hasWord } from './fold.ts';
import { isLike } from './like.ts';
import { parseMoment } from './moment.ts';

/** A value, or a list of literals. */
export type Tested = Value | readonly Exclude<Scalar, null>[];

/**
 * @param type of the left side (of its elements, for arrays); decides how values compare
 * @returns false whenever a side is NULL, except for `ne` and `nin` (negations) and `null`
 */
export function evaluateTest(operator: Operator, type: ValueType, left: Tested, right: Tested): boolean {
  if (operator === 'null') return (left === null) === (right === true);
  if (operator === 'ne') return !evaluateTest('eq', type, left, right);
  if (operator === 'nin') return !evaluateTest('in', type, left, right);
  if (left === null || right === null) return false;
  return evaluatePresent(operator, type, left, right);
}

function evaluatePresent(
  operator: Exclude<Operator, 'null' | 'ne' | 'nin'>,
  type: ValueType,
  left: Exclude<Tested, null>,
  right: Exclude<Tested, null>,
): boolean {
  if (isList(left)) {
    if (operator === 'has') return left.some((value) => value === right);
    if (!isList(right)) return false;
    if (operator === 'hasAny') return right.some((value) => left.includes(String(value)));
    return operator === 'hasAll' && right.every((value) => left.includes(String(value)));
  }
  if (isList(right)) {
    if (operator === 'in') return right.some((value) => compare(type, left, value) === 0);
    const [low, high] = right;
    if (operator !== 'between' || low === undefined || high === undefined) return false;
    return compare(type, left, low) >= 0 && compare(type, left, high) <= 0;
  }
  switch (operator) {
    case 'eq':
      return compare(type, left, right) === 0;
    case 'lt':
      return compare(type, left, right) < 0;
    case 'lte':
      return compare(type, left, right) <= 0;
    case 'gt':
      return compare(type, left, right) > 0;
    case 'gte':
      return compare(type, left, right) >= 0;
    case 'contains':
      return String(left).includes(String(right));
    case 'icontains':
      return lower(left).includes(lower(right));
    case 'starts':
      return String(left).startsWith(String(right));
    case 'istarts':
      return lower(left).startsWith(lower(right));
    case 'ends':
      return String(left).endsWith(String(right));
    case 'like':
      return isLike(String(left), String(right));
    case 'ilike':
      return isLike(lower(left), lower(right));
    case 'search':
      return hasWord(String(left), String(right));
    case 'within':
    case 'under':
      // Resolving has made something else of them.
      throw new TypeError(`"${operator}" is gone after resolving`);
    case 'in':
    case 'between':
    case 'has':
    case 'hasAny':
    case 'hasAll':
      // These need a list, and there is none.
      return false;
  }
}

type Present = Exclude<Scalar, null>;

/** Negative, zero or positive, as `left` comes before, equals or comes after `right`. NaN (no order) for what is not of the type. */
function compare(type: ValueType, left: Present, right: Present): number {
  switch (type) {
    case 'integer':
    case 'decimal':
      if (typeof left === 'number' && typeof right === 'number') return left - right;
      return new Decimal(String(left)).cmp(String(right));
    case 'boolean':
      return Number(left) - Number(right);
    case 'datetime':
      return parseMoment(left) - parseMoment(right);
    case 'text':
    case 'texts':
    case 'date':
    case 'time':
    case 'uuid':
    case 'uuids':
    case 'json':
      return compareText(String(left), String(right));
  }
}

/**
 * Unicode's full mapping without a language, as Postgres's `lower(… collate pg_unicode_fast)`. A sigma is the same letter
 * at the end of a word; besides, the two worlds do not agree on where words end (`'Σ`).
 */
function lower(value: Present): string {
  return String(value).replaceAll(/[Σς]/g, 'σ').toLowerCase();
}

function isList(value: Exclude<Tested, null>): value is readonly Present[] {
  return typeof value === 'object';
}
