/**
 * Arithmetic on exact decimals. Sums, differences, products and remainders are exact in both worlds; a quotient is
 * rounded to ten decimal places, half away from zero. NULL gives NULL, and so does a division by zero.
 */
import { Decimal } from 'decimal.js';
import type { Argument, Cell, FormulaFunction, Signature } from './function.ts';
import { ANY_NUMBER, commonType, type Decision, fixed, isNumber, strict } from './function.ts';

/** Decimal places of a quotient. */
const QUOTIENT_PLACES = 10;

function numbers(args: readonly Cell[]): Decimal[] | null {
  const found = args.filter((cell) => cell instanceof Decimal);
  return found.length === args.length ? found : null;
}

/** Integers give an integer, anything else a decimal. */
function arithmetic(args: readonly Argument[]): Signature {
  const returns = args.every(({ type }) => type === 'integer') ? 'integer' : 'decimal';
  return { takes: args.map(() => 'decimal'), returns };
}

function binary(
  name: string,
  compute: (a: Decimal, b: Decimal) => Decimal | null,
  sql: (a: string, b: string) => string,
): FormulaFunction {
  return {
    name,
    arity: [2, 2],
    internal: true,
    signature: arithmetic,
    evaluate(args) {
      const [a, b] = numbers(args) ?? [];
      return a === undefined || b === undefined ? null : compute(a, b);
    },
    decide: strict,
    sql: ([a = '', b = '']) => sql(a, b),
  };
}

/**
 * Cut off after the eleventh place and then rounded to the tenth: that is the true quotient rounded half away from zero,
 * whereas rounding what `/` has rounded already can go wrong twice over. `div` is the exact quotient without its fraction.
 */
const divide: FormulaFunction = {
  ...binary(
    '/',
    (a, b) =>
      b.isZero()
        ? null
        : a
            .times(`1e${QUOTIENT_PLACES + 1}`)
            .divToInt(b)
            .times(`1e-${QUOTIENT_PLACES + 1}`)
            .toDecimalPlaces(QUOTIENT_PLACES),
    (a, b) =>
      `round(div(${a} * 1${'0'.repeat(QUOTIENT_PLACES + 1)}, nullif(${b}, 0)) * 0.${'0'.repeat(QUOTIENT_PLACES)}1, ${QUOTIENT_PLACES})`,
  ),
  signature: fixed(['decimal', 'decimal'], 'decimal'),
  decide: byZero,
};

/** Nothing can be divided by the constant 0. */
function byZero(args: readonly (Cell | undefined)[]): Decision {
  const [, divisor] = args;
  return divisor instanceof Decimal && divisor.isZero() ? { value: null } : strict(args);
}

/** The remainder has the sign of the dividend, in both worlds. */
const remainder: FormulaFunction = {
  ...binary(
    '%',
    (a, b) => (b.isZero() ? null : a.mod(b)),
    (a, b) => `mod(${a}, nullif(${b}, 0))`,
  ),
  decide: byZero,
};

/** `round(x)` is an integer, `round(x, 2)` a decimal. Half away from zero. */
const round: FormulaFunction = {
  name: 'round',
  arity: [1, 2],
  signature([, places]) {
    if (places === undefined) return { takes: ['decimal'], returns: 'integer' };
    const { literal } = places;
    if (typeof literal !== 'number' || literal > QUOTIENT_PLACES) {
      return {
        wrong: `"round" takes the number of decimal places, from 0 to ${QUOTIENT_PLACES}, as its second argument`,
      };
    }
    return { takes: ['decimal', 'integer'], returns: literal === 0 ? 'integer' : 'decimal' };
  },
  evaluate(args) {
    const [value, places] = numbers(args) ?? [];
    return value?.toDecimalPlaces(places?.toNumber() ?? 0) ?? null;
  },
  decide: strict,
  // The places are a literal; as `numeric` they would not be round's second argument.
  sql: ([value = '', places = '0']) => `round(${value}, (${places})::integer)`,
};

/** The least or greatest of the values that are there; NULL when none is. Numbers, dates, date-times and times. */
function extreme(name: 'min' | 'max', sql: 'least' | 'greatest'): FormulaFunction {
  const better = name === 'min' ? (order: number) => order < 0 : (order: number) => order > 0;
  return {
    name,
    arity: [1, ANY_NUMBER],
    signature(args) {
      const type = commonType(args);
      if (!type || !(isNumber(type) || type === 'date' || type === 'datetime' || type === 'time')) {
        return { wrong: `"${name}" takes numbers, or dates, or dates with time, or times` };
      }
      return { takes: args.map(() => type), returns: type };
    },
    evaluate: (args) =>
      args.reduce<Cell>(
        (best, cell) => (cell !== null && (best === null || better(order(cell, best))) ? cell : best),
        null,
      ),
    sql: (args) => `${sql}(${args.join(', ')})`,
  };
}

/** Of two numbers, two moments or two days. */
function order(a: Exclude<Cell, null>, b: Exclude<Cell, null>): number {
  if (a instanceof Decimal && b instanceof Decimal) return a.cmp(b);
  return a < b ? -1 : Number(a > b);
}

/** Null unless `-limit < value < limit`; the argument is used once. `greatest` and `least` pass over NULL, hence its detour over a limit. */
function within(value: string, limit: string): string {
  return `nullif(nullif(least(greatest(${value}, -${limit}), ${limit}), -${limit}), ${limit})`;
}

/** Rounded to the decimal places of the formula's column, NULL when it has too many digits: a column that fails would make its record unreadable. */
const fit: FormulaFunction = {
  name: 'fit',
  arity: [3, 3],
  internal: true,
  signature: fixed(['decimal', 'integer', 'integer'], 'decimal'),
  evaluate(args) {
    const [value, scale, digits] = numbers(args) ?? [];
    if (value === undefined || scale === undefined || digits === undefined) return null;
    const rounded = value.toDecimalPlaces(scale.toNumber());
    return rounded.abs().lt(`1e${digits.toNumber()}`) ? rounded : null;
  },
  // Scale and digits are literals that the parser wrote: `'2'::numeric`.
  sql: ([value = '', scale = '0', digits = '0']) =>
    within(`round(${value}, (${scale})::integer)`, `1${'0'.repeat(digitsOf(digits))}::numeric`),
};

function digitsOf(sql: string): number {
  return Number.parseInt(sql.replaceAll("'", ''), 10);
}

const SAFE = '9007199254740992';

/** NULL for what is no safe integer (2⁵³ and beyond), in JSON or in JavaScript. */
const fitInteger: FormulaFunction = {
  name: 'fit_integer',
  arity: [1, 1],
  internal: true,
  signature: fixed(['integer'], 'integer'),
  evaluate(args) {
    const [value] = numbers(args) ?? [];
    return value?.abs().lt(SAFE) ? value : null;
  },
  sql: ([value = '']) => within(value, `${SAFE}::numeric`),
};

export const NUMBER_FUNCTIONS: readonly FormulaFunction[] = [
  binary(
    '+',
    (a, b) => a.plus(b),
    (a, b) => `(${a} + ${b})`,
  ),
  binary(
    '-',
    (a, b) => a.minus(b),
    (a, b) => `(${a} - ${b})`,
  ),
  binary(
    '*',
    (a, b) => a.times(b),
    (a, b) => `(${a} * ${b})`,
  ),
  divide,
  remainder,
  {
    name: 'negate',
    arity: [1, 1],
    internal: true,
    signature: arithmetic,
    evaluate: (args) => numbers(args)?.[0]?.neg() ?? null,
    decide: strict,
    sql: ([a = '']) => `(- ${a})`,
  },
  {
    name: 'abs',
    arity: [1, 1],
    signature: arithmetic,
    evaluate: (args) => numbers(args)?.[0]?.abs() ?? null,
    decide: strict,
    sql: ([a = '']) => `abs(${a})`,
  },
  round,
  extreme('min', 'least'),
  extreme('max', 'greatest'),
  fit,
  fitInteger,
];
