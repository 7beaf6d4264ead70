/** From the request's query to the Query of the read path. */
import { parseUrlQuery } from '../records/query/url.ts';
import type { Query, Selection } from '../records/query/query.ts';

/** Screens and programs ask the same lists again and again: what was parsed once is kept, as Queries are frozen. */
const KEPT = 500;
const KEPT_LENGTH = 400;
const parsed = new Map<string, Query>();
const selections = new Map<string, Selection | null>();

function remember<T>(known: Map<string, T>, search: string, parse: () => T): T {
  const found = known.get(search);
  if (found !== undefined) return found;
  const value = parse();
  if (search.length > KEPT_LENGTH) return value;
  if (known.size >= KEPT) known.clear();
  known.set(search, value);
  return value;
}

/**
 * @param search what stands after `?`, still encoded
 * @throws Problem `unknown_parameter`, `unknown_operator`, `invalid_parameter`
 */
export function listQuery(search: string): Query {
  return remember(parsed, search, () => parseUrlQuery(search));
}

/**
 * What `$select` asks to be answered of one record; `null`: every readable field.
 * @throws Problem `unknown_parameter`, `invalid_parameter`
 */
export function selectionIn(search: string): Selection | null {
  if (search === '') return null;
  return remember(selections, search, () => parseUrlQuery(search, { controls: ['$select'], filters: false }).select);
}
