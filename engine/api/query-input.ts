/** From the request's query to the Query of the read path. */
import { parseUrlQuery } from '../records/query/url.ts';
import type { Query, Selection } from '../records/query/query.ts';

/** Screens and programs ask the same lists again and again: what was parsed once is kept, as Queries are frozen. */
const KEPT = 500;
const KEPT_LENGTH = 400;
const parsed = new Map<string, Query>();

/**
 * @param search what stands after `?`, still encoded
 * @throws Problem `unknown_parameter`, `unknown_operator`, `invalid_parameter`
 */
export function listQuery(search: string): Query {
  const known = parsed.get(search);
  if (known) return known;
  const query = parseUrlQuery(search);
  if (search.length <= KEPT_LENGTH) {
    if (parsed.size >= KEPT) parsed.clear();
    parsed.set(search, query);
  }
  return query;
}

/**
 * What `$select` asks to be answered of one record; `null`: every readable field.
 * @throws Problem `unknown_parameter`, `invalid_parameter`
 */
export function selectionIn(search: string): Selection | null {
  return search === '' ? null : parseUrlQuery(search, { controls: ['$select'], filters: false }).select;
}
