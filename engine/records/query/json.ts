/**
 * The JSON form of a query, the body of `QUERY` and `POST …/$query`. It means what the query string means, and can say
 * more: `and`, `or`, `not`, and order and length of children.
 *
 * ```json
 * { "where": { "stage": { "in": ["won", "lost"] }, "or": [{ "amount": { "gte": "10000.00" } }, { "account": { "country": "DE" } }] },
 *   "select": ["id", "name", { "account": ["id", "name"] },
 *              { "lines": { "select": ["id", "quantity"], "where": { "quantity": { "gte": 2 } }, "order": ["-quantity"], "first": 5 } }],
 *   "order": ["-amount", "name"], "first": 50, "after": null, "count": "capped", "search": "acme", "view": "mine" }
 *
 * { "where": { … }, "group": ["stage", "month(created_at)"], "aggregate": ["n:count()", "total:sum(amount)"],
 *   "having": { "n": { "gte": 5 } }, "order": ["-total"] }
 * { "distinct": ["stage", "account.country"] }
 * ```
 */
import { at as pointerTo, describe } from '../../condition/faults.ts';
import { parseCondition } from '../../condition/parse.ts';
import { nearest } from '../../nearest.ts';
import { invalid, refuse } from './fault.ts';
import { makeQuery } from './make-query.ts';
import type { OrderTerm, Query, SelectItem, Selection } from './query.ts';
import { LIMITS } from './query.ts';
import { isKey, parseAggregateTerms, parseGroupTerms, parseOrderTerms, selectionBudget, selectionOf } from './terms.ts';

const PARTS = [
  'where',
  'select',
  'order',
  'first',
  'last',
  'after',
  'before',
  'offset',
  'count',
  'search',
  'view',
  'group',
  'aggregate',
  'having',
  'distinct',
  'deleted',
] as const;

type Json = Readonly<Record<string, unknown>>;

function isObject(json: unknown): json is Json {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * @param body the parsed JSON body; not trusted
 * @throws Problem `unknown_parameter`, `unknown_operator` or `invalid_parameter`, each with a pointer into the body
 */
export function parseJsonQuery(body: unknown): Query {
  if (!isObject(body)) return invalid('', `A query is an object, found ${describe(body)}.`, 'object', describe(body));
  onlyKnown(body, PARTS, '');
  // `null` means the same as leaving a part out.
  const part = (name: (typeof PARTS)[number]): unknown => body[name] ?? undefined;
  const group = part('group');
  const aggregate = part('aggregate');
  const distinct = part('distinct');
  const having = part('having');
  const isSummary = group !== undefined || aggregate !== undefined || distinct !== undefined;
  const where = part('where');
  const select = part('select');
  const count = part('count') ?? 'none';
  if (count !== 'none' && count !== 'exact' && count !== 'capped') {
    invalid('/count', '"count" is one of none, exact, capped.', ['none', 'exact', 'capped'], describe(count));
  }
  const last = part('last');
  if (last !== undefined && part('first') !== undefined)
    invalid('/last', 'A page has the first records or the last, not both.', 'one', 'both');
  const deleted = part('deleted');
  if (deleted !== undefined && deleted !== 'only')
    invalid('/deleted', '"deleted" can only be "only".', ['only'], describe(deleted));
  return makeQuery({
    select: select === undefined ? null : parseJsonSelect(select, '/select'),
    where: where === undefined ? null : parseCondition(where, { pointer: '/where' }),
    fromText: false,
    order: jsonOrder(part('order'), '/order', isSummary),
    first: isSummary
      ? integer(part('first'), '/first', LIMITS.groups, 1, LIMITS.groups)
      : integer(last ?? part('first'), last === undefined ? '/first' : '/last', LIMITS.defaultFirst, 1, LIMITS.first),
    last: last !== undefined,
    after: text(part('after'), '/after'),
    before: text(part('before'), '/before'),
    offset: integer(part('offset'), '/offset', 0, 0, LIMITS.offset),
    count,
    search: text(part('search'), '/search'),
    view: text(part('view'), '/view'),
    group: group === undefined ? null : parseGroupTerms(texts(group, '/group'), (index) => `/group/${index}`),
    aggregate:
      aggregate === undefined
        ? null
        : parseAggregateTerms(texts(aggregate, '/aggregate'), (index) => `/aggregate/${index}`),
    distinct:
      distinct === undefined ? null : parseGroupTerms(texts(distinct, '/distinct'), (index) => `/distinct/${index}`),
    having: having === undefined ? null : parseCondition(having, { pointer: '/having' }),
    deleted: deleted === undefined ? 'exclude' : 'only',
    place: (name) => `/${name}`,
  });
}

/** `["id", { "account": ["name"] }, { "lines": { "select": ["id"], "order": ["-id"], "first": 5 } }]` */
export function parseJsonSelect(json: unknown, pointer: string): Selection {
  const budget = selectionBudget();
  const read = (value: unknown, place: string, depth: number): Selection => {
    if (!Array.isArray(value) || value.length === 0) {
      return invalid(place, `A list of fields is expected here, found ${describe(value)}.`, 'list', describe(value));
    }
    return selectionOf(value.flatMap((member: unknown, index) => readMember(member, pointerTo(place, index), depth)));
  };
  const readMember = (member: unknown, place: string, depth: number): SelectItem[] => {
    budget.spend(place, depth);
    if (member === '*') return [{ kind: 'all', at: place }];
    if (typeof member === 'string' && isKey(member)) return [{ kind: 'field', at: place, key: member }];
    if (!isObject(member) || Object.keys(member).length === 0) {
      return invalid(
        place,
        `A field, or {"field": […]}, is expected here, found ${describe(member)}.`,
        'field',
        describe(member),
      );
    }
    return Object.entries(member).map(([key, value]) => readNested(key, value, pointerTo(place, key), depth + 1));
  };
  const readNested = (key: string, value: unknown, place: string, depth: number): SelectItem => {
    if (!isKey(key)) invalid(place, 'The key of a field is expected here.', 'field', key);
    if (!isObject(value))
      return { kind: 'nested', at: place, key, of: read(value, place, depth), order: [], first: null, where: null };
    onlyKnown(value, ['select', 'where', 'order', 'first'], place);
    return {
      kind: 'nested',
      at: place,
      key,
      of: read(value.select ?? ['*'], pointerTo(place, 'select'), depth),
      order: jsonOrder(value.order ?? undefined, pointerTo(place, 'order'), false),
      first:
        value.first === undefined || value.first === null
          ? null
          : integer(value.first, pointerTo(place, 'first'), 0, 1, LIMITS.children),
      where:
        value.where === undefined || value.where === null
          ? null
          : parseCondition(value.where, { pointer: pointerTo(place, 'where') }),
    };
  };
  return read(json, pointer, 1);
}

function jsonOrder(json: unknown, pointer: string, summary: boolean): OrderTerm[] {
  return json === undefined ? [] : parseOrderTerms(texts(json, pointer), (index) => `${pointer}/${index}`, summary);
}

function texts(json: unknown, pointer: string): string[] {
  if (!Array.isArray(json) || json.length === 0) {
    return invalid(pointer, `A list of texts is expected here, found ${describe(json)}.`, 'list', describe(json));
  }
  return json.map((member: unknown, index) => {
    if (typeof member === 'string') return member;
    return invalid(
      `${pointer}/${index}`,
      `A text is expected here, found ${describe(member)}.`,
      'text',
      describe(member),
    );
  });
}

function text(json: unknown, pointer: string): string | null {
  if (json === undefined) return null;
  return typeof json === 'string'
    ? json
    : invalid(pointer, `A text is expected here, found ${describe(json)}.`, 'text', describe(json));
}

function integer(json: unknown, pointer: string, fallback: number, min: number, max: number): number {
  if (json === undefined) return fallback;
  if (typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max) return json;
  return invalid(
    pointer,
    `A whole number from ${min} to ${max} is expected here, found ${describe(json)}.`,
    { min, max },
    describe(json),
  );
}

function onlyKnown(json: Json, known: readonly string[], pointer: string): void {
  for (const key of Object.keys(json)) {
    if (known.includes(key)) continue;
    const word = key.slice(0, 60);
    const suggestion = nearest(word, known);
    const hint = suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`;
    refuse(pointerTo(pointer, word), 'unknown_parameter', `"${word}" is not a known part of a query.${hint}`, {
      expected: known,
      found: word,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
  }
}
