/** What both spellings of a query share: the rules between its parts, and its shape. */
import { wordsOf } from '../../condition/fold.ts';
import type { RawCondition } from '../../condition/raw.ts';
import { invalid, refuse } from './fault.ts';
import type { AggregateTerm, GroupTerm, OrderTerm, Query, SearchedWord, Selection, Summary } from './query.ts';
import { LIMITS } from './query.ts';
import { countOnly, orderText } from './terms.ts';

export interface Parts {
  readonly select: Selection | null;
  readonly where: RawCondition | null;
  readonly fromText: boolean;
  readonly order: readonly OrderTerm[];
  readonly first: number;
  readonly last: boolean;
  readonly after: string | null;
  readonly before: string | null;
  readonly offset: number;
  readonly count: 'none' | 'exact' | 'capped';
  readonly search: string | null;
  readonly view: string | null;
  readonly group: readonly GroupTerm[] | null;
  readonly aggregate: readonly AggregateTerm[] | null;
  readonly distinct: readonly GroupTerm[] | null;
  readonly having: RawCondition | null;
  readonly deleted: 'exclude' | 'only';
  /** Where a part stands: the name of its parameter, or the pointer. */
  readonly place: (
    name:
      | 'after'
      | 'before'
      | 'offset'
      | 'search'
      | 'view'
      | 'select'
      | 'group'
      | 'aggregate'
      | 'count'
      | 'last'
      | 'distinct'
      | 'having',
  ) => string;
}

const VIEW = /^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?$/;

/** @throws Problem `invalid_parameter` for parts that contradict each other */
export function makeQuery(parts: Parts): Query {
  const { place, group, aggregate, view } = parts;
  checkPaging(parts);
  const search = readSearch(parts.search, place('search'));
  if (view !== null && !VIEW.test(view)) invalid(place('view'), 'The key of a view is expected.', 'key', view);
  let summary: Summary | null = null;
  const { distinct, having } = parts;
  if (distinct !== null) {
    if (group !== null || aggregate !== null)
      invalid(
        place('distinct'),
        'Distinct values are groups without aggregates: ask for one or the other.',
        'one',
        'two',
      );
    summary = { group: distinct, aggregate: [], having };
  } else if (group !== null || aggregate !== null) {
    summary = { group: group ?? [], aggregate: aggregate ?? [countOnly(place('group'))], having };
  }
  if (summary !== null) checkSummary(parts, summary);
  else if (having !== null)
    invalid(place('having'), 'Only groups can be chosen by their aggregates.', 'groups', 'none');
  const { select, where, fromText, order, first, last, after, before, offset, count, deleted } = parts;
  const query = {
    select,
    where,
    fromText,
    order,
    first,
    last,
    after,
    before,
    offset,
    count,
    search,
    view,
    summary,
    deleted,
  };
  return Object.freeze({ ...query, shape: shapeOf(query) });
}

function checkPaging({ last, after, before, offset, place }: Parts): void {
  if (after !== null && before !== null) {
    invalid(place('before'), 'A page is after a cursor or before one, not both.', 'one cursor', 'two');
  }
  if ((after !== null || before !== null) && offset > 0) {
    invalid(place('offset'), 'A page begins at a cursor or at an offset, not both.', 'a cursor or an offset', 'both');
  }
  if (last && offset > 0) {
    invalid(place('offset'), 'An offset is counted from the beginning, not from the end.', 'one', 'both');
  }
  const cursor = after ?? before;
  if (cursor !== null && cursor.length > LIMITS.cursorLength) {
    refuse(
      place(after === null ? 'before' : 'after'),
      'invalid_cursor',
      'This page cursor is not valid for this query.',
    );
  }
}

function readSearch(search: string | null, at: string): readonly SearchedWord[] | null {
  const text = search?.trim() ?? '';
  if (text.length > LIMITS.search) {
    refuse(at, 'invalid_parameter', `A search may have at most ${LIMITS.search} characters.`, { max: LIMITS.search });
  }
  if (text.includes('\0') || !text.isWellFormed())
    invalid(at, 'The searched text has characters that no text has.', 'text', 'NUL');
  // As people type there is a lone dash now and then: nothing is looked for yet.
  const codes = new Set(text.split(/\s+/).flatMap((part) => (/\p{Nd}/u.test(part) ? wordsOf(part) : [])));
  const words = wordsOf(text)
    .slice(0, LIMITS.searchWords)
    .map((word): SearchedWord => ({ word, exact: codes.has(word) }));
  return words.length === 0 ? null : Object.freeze(words);
}

function checkSummary({ select, last, after, before, offset, count, place }: Parts, summary: Summary): void {
  if (select !== null)
    invalid(
      place('select'),
      'Groups have no fields to select; name them in the groups and aggregates.',
      'nothing',
      'a selection',
    );
  if (after !== null || before !== null || offset > 0) {
    invalid(
      place(after !== null ? 'after' : before !== null ? 'before' : 'offset'),
      'Groups come on one page.',
      'nothing',
      'a page',
    );
  }
  if (last) invalid(place('last'), 'Groups come on one page, from the first on.', 'nothing', 'last');
  if (count !== 'none') invalid(place('count'), 'Groups are always counted.', 'nothing', count);
  const names = new Set<string>();
  for (const term of [...summary.group, ...summary.aggregate]) {
    if (names.has(term.name)) invalid(term.at, `The name "${term.name}" is used twice.`, 'different names', term.name);
    names.add(term.name);
  }
}

/** No part can contain a line break or another's separator: all have the form of keys by now. */
function shapeOf(query: Omit<Query, 'shape'>): string {
  const { select, order, summary } = query;
  const flags = `${query.first} ${query.offset} ${query.last ? 'l' : ''}${query.after === null ? '' : 'a'}${query.before === null ? '' : 'b'} ${query.count} ${query.deleted} ${query.search?.length ?? ''}`;
  const terms =
    summary === null
      ? ''
      : `${summary.group.map((term) => `${term.name}=${term.bucket ?? ''}(${term.path.join('.')})`).join(',')}|${summary.aggregate
          .map((term) => `${term.name}=${term.fn}(${term.path.join('.')})`)
          .join(',')}|${summary.having === null ? '' : JSON.stringify(summary.having)}`;
  return `${select === null ? '' : `(${select.key})`}\n${order.length === 0 ? '' : order.map(orderText).join(',')}\n${flags}\n${query.view ?? ''}\n${terms}`;
}
