/** The table of operators: which value types have which, and what the json-rules-engine form calls them. */
import type { Operator, ValueType } from '../model/value-type.ts';
import { OPERATORS } from '../model/value-type.ts';

const EQUALITY = ['eq', 'ne', 'in', 'nin', 'null'] as const;
const ORDER = [...EQUALITY, 'lt', 'lte', 'gt', 'gte', 'between'] as const;
const CALENDAR = [...ORDER, 'within'] as const;
const ID = [...EQUALITY, 'under'] as const;
const ARRAY = ['has', 'hasAny', 'hasAll', 'null'] as const;

/** What the evaluator and the SQL compiler can do with a left side of each type. A field type may offer fewer. */
export const OPERATORS_OF: Readonly<Record<ValueType, ReadonlySet<Operator>>> = {
  text: new Set<Operator>([...ORDER, 'contains', 'icontains', 'starts', 'istarts', 'ends', 'like', 'ilike', 'search']),
  integer: new Set<Operator>(ORDER),
  decimal: new Set<Operator>(ORDER),
  boolean: new Set<Operator>(EQUALITY),
  date: new Set<Operator>(CALENDAR),
  datetime: new Set<Operator>(CALENDAR),
  time: new Set<Operator>(ORDER),
  uuid: new Set<Operator>(ID),
  texts: new Set<Operator>(ARRAY),
  uuids: new Set<Operator>(ARRAY),
  json: new Set<Operator>(['null']),
};

/** An operator of the json-rules-engine form: ours, or the negation of ours. */
export interface RuleOperator {
  readonly operator: Operator;
  readonly negated: boolean;
}

const is = (operator: Operator): RuleOperator => ({ operator, negated: false });

/** Names of json-rules-engine first, then our own short names, which are accepted in its form as well. */
export const RULE_OPERATORS: ReadonlyMap<string, RuleOperator> = new Map([
  ['equal', is('eq')],
  ['notEqual', is('ne')],
  ['lessThan', is('lt')],
  ['lessThanInclusive', is('lte')],
  ['greaterThan', is('gt')],
  ['greaterThanInclusive', is('gte')],
  ['in', is('in')],
  ['notIn', is('nin')],
  ['contains', is('contains')],
  ['doesNotContain', { operator: 'contains', negated: true }],
  ['startsWith', is('starts')],
  ['endsWith', is('ends')],
  ['isNull', is('null')],
  ['between', is('between')],
  ...OPERATORS.map((operator): [string, RuleOperator] => [operator, is(operator)]),
]);

const NAMES: ReadonlySet<string> = new Set(OPERATORS);

export function isOperator(name: string): name is Operator {
  return NAMES.has(name);
}
