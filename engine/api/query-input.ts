/** From the request's query to the Query of the read path. */
import { Problem } from '../problem.ts';
import type { Query, Selection } from './ports.ts';

export function urlQuery(search: string, _request: unknown): Query {
  return Object.fromEntries(new URLSearchParams(search));
}

export function jsonQuery(body: unknown, _request: unknown): Query {
  if (typeof body !== 'object' || body === null) throw new Problem('invalid', 'The query must be an object.');
  return body;
}

export function selectionOf(query: Query): Selection {
  return query;
}
