/**
 * Logic is two-valued, as in conditions: a comparison with NULL is false, `!=` is the negation of `=`, and a NULL that
 * should be true or false counts as false. `x = null` asks whether x is empty.
 */
import { Decimal } from 'decimal.js';
import { compareText } from '../../condition/compare-text.ts';
import type { Cell, FormulaFunction, Signature } from './function.ts';
import { ANY_NUMBER, type Argument, commonType, fixed } from './function.ts';

function comparison(name: string, holds: (order: number) => boolean): FormulaFunction {
  const ordered = name !== '=';
  return {
    name,
    arity: [2, 2],
    internal: true,
    signature(args): Signature {
      const type = commonType(args);
      if (!type || type === 'texts' || type === 'uuids' || type === 'json')
        return { wrong: `The two sides of "${name}" cannot be compared` };
      if (ordered && (type === 'boolean' || type === 'uuid'))
        return { wrong: `"${name}" needs an order; use "=" or "!="` };
      return { takes: [type, type], returns: 'boolean' };
    },
    evaluate([a = null, b = null]) {
      return a !== null && b !== null && holds(compare(a, b));
    },
    decide: (args) => (args.includes(null) ? { value: false } : undefined),
    sql([a = '', b = ''], [type]) {
      // Byte by byte, which is by code point, and without a collation: constants are compared before there is one.
      if (type === 'text') return `((bttext_pattern_cmp(${a}, ${b}) ${name} 0) is true)`;
      return `((${a} ${name} ${b}) is true)`;
    },
  };
}

function compare(a: Exclude<Cell, null>, b: Exclude<Cell, null>): number {
  if (a instanceof Decimal && b instanceof Decimal) return a.cmp(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return Number(a) - Number(b);
}

const equal = comparison('=', (order) => order === 0);

const notEqual: FormulaFunction = {
  ...equal,
  name: '!=',
  evaluate: (args) => !equal.evaluate(args),
  decide: (args) => (args.includes(null) ? { value: true } : undefined),
  sql: (args, types) => `(not ${equal.sql(args, types)})`,
};

/** What `x = null` becomes. */
const isNull: FormulaFunction = {
  name: 'is_null',
  arity: [1, 1],
  internal: true,
  signature: ([argument]) => ({ takes: [argument?.type ?? 'text'], returns: 'boolean' }),
  evaluate: ([value = null]) => value === null,
  sql: ([value = '']) => `(${value} is null)`,
};

function connective(name: 'and' | 'or'): FormulaFunction {
  return {
    name,
    arity: [2, 2],
    internal: true,
    signature: fixed(['boolean', 'boolean'], 'boolean'),
    evaluate: ([a, b]) => (name === 'and' ? a === true && b === true : a === true || b === true),
    decide(args) {
      if (name === 'or') return args.includes(true) ? { value: true } : undefined;
      return args.includes(false) || args.includes(null) ? { value: false } : undefined;
    },
    sql: ([a = '', b = '']) => `((${a} ${name} ${b}) is true)`,
  };
}

const not: FormulaFunction = {
  name: 'not',
  arity: [1, 1],
  internal: true,
  signature: fixed(['boolean'], 'boolean'),
  evaluate: ([value]) => value !== true,
  sql: ([value = '']) => `(${value} is not true)`,
};

/** The type two or more alternatives have in common. */
function alternatives(name: string, args: readonly Argument[]): Signature {
  const type = commonType(args);
  if (type === undefined) return { wrong: `The values of "${name}" are of different types` };
  if (type === null) return { wrong: `"${name}" needs a value that is not null` };
  return { takes: args.map(() => type), returns: type };
}

const choose: FormulaFunction = {
  name: 'if',
  arity: [3, 3],
  signature([, ...values]) {
    const signature = alternatives('if', values);
    return 'wrong' in signature ? signature : { ...signature, takes: ['boolean', ...signature.takes] };
  },
  evaluate: ([condition, yes = null, no = null]) => (condition === true ? yes : no),
  decide: ([condition]) => (condition === undefined ? undefined : { keep: [condition === true ? 1 : 2] }),
  sql: ([condition = '', yes = '', no = '']) => `(case when ${condition} then ${yes} else ${no} end)`,
};

const coalesce: FormulaFunction = {
  name: 'coalesce',
  arity: [1, ANY_NUMBER],
  signature: (args) => alternatives('coalesce', args),
  evaluate: (args) => args.find((value) => value !== null) ?? null,
  decide(args) {
    const keep: number[] = [];
    for (const [index, value] of args.entries()) {
      if (value !== null) keep.push(index);
      // Behind a constant nothing is looked at.
      if (value !== null && value !== undefined) break;
    }
    return { keep };
  },
  sql: (args) => `coalesce(${args.join(', ')})`,
};

export const LOGIC_FUNCTIONS: readonly FormulaFunction[] = [
  equal,
  notEqual,
  comparison('<', (order) => order < 0),
  comparison('<=', (order) => order <= 0),
  comparison('>', (order) => order > 0),
  comparison('>=', (order) => order >= 0),
  isNull,
  connective('and'),
  connective('or'),
  not,
  choose,
  coalesce,
];
