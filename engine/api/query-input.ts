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

/** Programs read with the same few selections over and over. A selection is frozen and knows no entity, so it may be shared. */
const selections = new Map<string, Selection>();
const KEPT_SELECTIONS = 500;
/** Characters. */
const LONGEST_KEPT = 2000;

/**
 * What `$select` asks to be answered of one record; `null`: every readable field.
 * @throws Problem `unknown_parameter`, `invalid_parameter`
 */
export function selectionIn(search: string): Selection | null {
  if (search === '') return null;
  const known = selections.get(search);
  if (known !== undefined) return known;
  const { select } = parseUrlQuery(search, { controls: ['$select'], filters: false });
  if (selections.size >= KEPT_SELECTIONS) selections.clear();
  if (select !== null && search.length <= LONGEST_KEPT) selections.set(search, select);
  return select;
}
