/**
 * The query string. Knows no schema: a field that does not exist is found by the plan.
 *
 * ```
 * param   = control / filter                      joined by AND; a filter may be repeated
 *
 * filter  = path [ "[" op "]" ] "=" value         stage=won               eq when there is no op
 *                                                 amount[gte]=10000.00
 * path    = key *3( "." key )                     account.country=DE      over references to one record
 * op      = in / nin / hasAny / hasAll            stage[in]=won,lost      name[in]="Smith, J.",Miller
 *         / between                               amount[between]=1,5     both ends count
 *         / null                                  closed_on[null]=true    or false
 *         / within                                closed_on[within]=last_30_days
 *         / under                                 account[under]=0197…    it, and those below it
 *         / eq / ne / lt / lte / gt / gte / contains / icontains / starts / istarts / ends / like / ilike / search / has
 *
 * control = "$select"    id,name,account(id,name),lines(id,quantity,product(name);order=-quantity;first=5)
 *         / "$where"     a condition as JSON: {"lines":{"some":{"quantity":{"gte":2}}}}
 *         / "$order"     -amount,name,account.name
 *         / "$first"     50                       1 to 200 records, or 1 to 1,000 groups
 *         / "$last"      50                       the last ones instead
 *         / "$after"     a cursor                 the next page
 *         / "$before"    a cursor                 the previous page
 *         / "$offset"    100                      up to 10,000
 *         / "$count"     none / exact / capped
 *         / "$search"    any text
 *         / "$view"      open_opportunities
 *         / "$group"     stage,month(created_at)
 *         / "$agg"       n:count(),total:sum(amount)
 *         / "$having"    n[gte]:5,total[lt]:1000
 *         / "$distinct"  stage,account.country    the different values
 *         / "$deleted"   only                     the records in the bin
 * ```
 *
 * Members of comma lists are quoted as in CSV files (RFC 4180) when they contain commas or quotes. Neither `$` nor a
 * capital letter can begin a field's key, so a control is never taken for a field.
 */
import { parseCondition } from '../../condition/parse.ts';
import { isOperator } from '../../condition/operators.ts';
import type { RawCondition, RawOperand } from '../../condition/raw.ts';
import { LIMITS as CONDITION_LIMITS } from '../../condition/raw.ts';
import type { Operator } from '../../model/value-type.ts';
import { OPERATORS } from '../../model/value-type.ts';
import { nearest } from '../../nearest.ts';
import { parseCommaList } from './comma-list.ts';
import { invalid, refuse } from './fault.ts';
import { parseHaving } from './having.ts';
import { makeQuery } from './make-query.ts';
import type { OrderTerm, Query, Selection } from './query.ts';
import { LIMITS } from './query.ts';
import { parseAggregates, parseGroup, parseOrder, parseSelect, parseSummaryOrder } from './terms.ts';

export const CONTROLS = [
  '$select',
  '$where',
  '$order',
  '$first',
  '$last',
  '$after',
  '$before',
  '$offset',
  '$count',
  '$search',
  '$view',
  '$group',
  '$agg',
  '$having',
  '$distinct',
  '$deleted',
] as const;
export type Control = (typeof CONTROLS)[number];

export interface UrlOptions {
  /** Controls this address knows; all of them by default (reading one record knows only `$select`). */
  readonly controls?: readonly Control[];
  /** Whether fields may be filtered by; true by default. */
  readonly filters?: boolean;
}

/**
 * @param search what stands after the `?`, decoded or not
 * @throws Problem `unknown_parameter`, `unknown_operator` or `invalid_parameter`, each with the parameter's name
 */
export function parseUrlQuery(search: URLSearchParams | string, options: UrlOptions = {}): Query {
  const parameters = typeof search === 'string' ? new URLSearchParams(search) : search;
  const allowed: readonly string[] = options.controls ?? CONTROLS;
  const controls = new Map<string, string>();
  const tests: RawCondition[] = [];
  let seen = 0;
  for (const [name, value] of parameters) {
    seen += 1;
    if (seen > LIMITS.parameters) {
      refuse(name.slice(0, 60), 'invalid_parameter', `At most ${LIMITS.parameters} query parameters.`, {
        max: LIMITS.parameters,
      });
    }
    if (value.length > LIMITS.parameterLength) {
      const message = `A query parameter may have at most ${LIMITS.parameterLength} characters.`;
      refuse(name.slice(0, 60), 'invalid_parameter', message, { max: LIMITS.parameterLength });
    }
    if (name.startsWith('$')) {
      if (!allowed.includes(name)) unknownParameter(name, allowed);
      if (controls.has(name)) invalid(name, `"${name}" may be given once.`, 'once', 'twice');
      controls.set(name, value);
    } else {
      if (options.filters === false) unknownParameter(name, allowed);
      tests.push(parseFilter(name, value, allowed));
    }
  }
  const where = controls.get('$where');
  if (where !== undefined) tests.push(parseWhere(where));
  return build(controls, tests);
}

/** The JSON form of a condition. Pointers in what it is refused for lead into it. */
function parseWhere(text: string): RawCondition {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalid('$where', '"$where" is a condition as JSON, and this is not JSON.', 'JSON', text);
  }
  return parseCondition(json, { pointer: '' });
}

function build(controls: ReadonlyMap<string, string>, tests: readonly RawCondition[]): Query {
  const select = controls.get('$select');
  const order = controls.get('$order');
  const group = controls.get('$group');
  const aggregate = controls.get('$agg');
  const distinct = controls.get('$distinct');
  const having = controls.get('$having');
  const isSummary = group !== undefined || aggregate !== undefined || distinct !== undefined;
  const last = controls.has('$last');
  if (last && controls.has('$first'))
    invalid('$last', 'A page has the first records or the last, not both.', 'one', 'both');
  const count = controls.get('$count') ?? 'none';
  if (count !== 'none' && count !== 'exact' && count !== 'capped') {
    invalid('$count', '"$count" is one of none, exact, capped.', ['none', 'exact', 'capped'], count);
  }
  const deleted = controls.get('$deleted');
  if (deleted !== undefined && deleted !== 'only')
    invalid('$deleted', '"$deleted" can only be "only".', ['only'], deleted);
  const first = tests[0];
  return makeQuery({
    select: select === undefined ? null : memoSelect(select),
    where: first === undefined ? null : tests.length === 1 ? first : { kind: 'all', at: '', of: tests },
    fromText: true,
    order: order === undefined ? [] : isSummary ? parseSummaryOrder(order) : memoOrder(order),
    first: isSummary
      ? integer(controls, '$first', LIMITS.groups, 1, LIMITS.groups)
      : integer(controls, last ? '$last' : '$first', LIMITS.defaultFirst, 1, LIMITS.first),
    last,
    after: controls.get('$after') ?? null,
    before: controls.get('$before') ?? null,
    offset: integer(controls, '$offset', 0, 0, LIMITS.offset),
    count,
    search: controls.get('$search') ?? null,
    view: controls.get('$view') ?? null,
    group: group === undefined ? null : parseGroup(group),
    aggregate: aggregate === undefined ? null : parseAggregates(aggregate),
    distinct: distinct === undefined ? null : parseGroup(distinct, '$distinct'),
    having: having === undefined ? null : parseHaving(having),
    deleted: deleted === undefined ? 'exclude' : 'only',
    place: (name) => (name === 'aggregate' ? '$agg' : `$${name}`),
  });
}

/** Screens ask the same few selections again and again. They hold no value, so there is nothing to mix up. */
const selections = new Map<string, Selection>();
const orders = new Map<string, readonly OrderTerm[]>();
const MEMO_SIZE = 500;

function memo<T>(known: Map<string, T>, text: string, parse: (text: string) => T): T {
  let parsed = known.get(text);
  if (parsed === undefined) {
    parsed = parse(text);
    if (known.size >= MEMO_SIZE) known.clear();
    if (text.length <= 500) known.set(text, parsed);
  }
  return parsed;
}

const memoSelect = (text: string): Selection => memo(selections, text, (each) => parseSelect(each));
const memoOrder = (text: string): readonly OrderTerm[] => memo(orders, text, (each) => parseOrder(each));

function integer(
  controls: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = controls.get(name);
  if (text === undefined) return fallback;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    invalid(name, `"${name}" is a whole number from ${min} to ${max}.`, { min, max }, text);
  }
  return value;
}

const FILTER = /^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){0,9})(?:\[([^[\]]*)\])?$/;
const LISTS: ReadonlySet<Operator> = new Set(['in', 'nin', 'between', 'hasAny', 'hasAll']);

function parseFilter(name: string, value: string, allowed: readonly string[]): RawCondition {
  const parts = FILTER.exec(name);
  const path = parts?.[1]?.split('.');
  if (path === undefined) return unknownParameter(name, allowed);
  if (path.length > LIMITS.steps + 1) {
    refuse(name.slice(0, 200), 'invalid_parameter', `A path may follow at most ${LIMITS.steps} references.`, {
      max: LIMITS.steps,
    });
  }
  const operator = parts?.[2] ?? 'eq';
  if (!isOperator(operator)) return unknownOperator(name, operator);
  return {
    kind: 'test',
    at: name,
    left: { kind: 'path', at: name, path },
    operator,
    right: parseValue(name, operator, value),
  };
}

function parseValue(name: string, operator: Operator, value: string): RawOperand {
  if (operator === 'null') {
    if (value !== 'true' && value !== 'false') invalid(name, `"${name}" is true or false.`, ['true', 'false'], value);
    return { kind: 'value', at: name, value: value === 'true' };
  }
  if (!LISTS.has(operator)) return { kind: 'value', at: name, value };
  const members = parseCommaList(value, name);
  if (members.length > CONDITION_LIMITS.values) {
    const message = `A list may have at most ${CONDITION_LIMITS.values} values.`;
    refuse(name, 'invalid_parameter', message, { max: CONDITION_LIMITS.values, found: members.length });
  }
  return { kind: 'list', at: name, of: members.map((member) => ({ kind: 'value', at: name, value: member })) };
}

function unknownOperator(name: string, operator: string): never {
  const suggestion = nearest(operator, OPERATORS);
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(name.slice(0, 200), 'unknown_operator', `"${operator.slice(0, 40)}" is not an operator.${hint}`, {
    expected: OPERATORS,
    found: operator.slice(0, 40),
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}

function unknownParameter(name: string, known: readonly string[]): never {
  const word = name.slice(0, 60);
  // `first` and `select` are what people try first.
  const suggestion = known.find((each) => each === `$${word}`) ?? nearest(word, known);
  const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
  return refuse(word, 'unknown_parameter', `"${word}" is not a known parameter.${hint}`, {
    expected: known,
    found: word,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}
