/** The reading record routes: lists, one record, its history. Answers pass through as finished text. */
import { storedLiteral } from '../condition/literals.ts';
import { notFound } from '../problem.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import { parseUrlQuery } from '../records/query/url.ts';
import { findKey } from '../records/read/keys.ts';
import { readJson, RECORD_LIMIT } from './body.ts';
import { sendEmpty, sendText } from './exchange.ts';
import { acceptedFormat, exportRoute, FILE_TYPES } from './exports.ts';
import type { RecordRequest } from './record-request.ts';
import { addressOf } from './record-request.ts';
import { listQuery, selectionIn } from './query-input.ts';
import { entityTag, matchesNone, requireJsonAccepted } from './request-headers.ts';

/** The cursor of the next page, out of the finished text: `"page"` stands after the data, and a quote inside a value is escaped. */
function nextCursor(body: string): string | null {
  const at = body.lastIndexOf('"page":{"next":"');
  if (at < 0) return null;
  const from = at + 16;
  return body.slice(from, body.indexOf('"', from));
}

/** `Link` to the next page (RFC 8288): the same query with another cursor. */
function linkHeaders(request: RecordRequest, body: string): string[] {
  const cursor = nextCursor(body);
  if (cursor === null) return [];
  const kept = request.search
    .split('&')
    .filter((part) => part !== '' && !/^(?:\$|%24)(?:after|before|offset)=/i.test(part))
    // The last records after the cursor are at the end of the list, not on the next page.
    .map((part) => part.replace(/^(\$|%24)last=/, '$1first='));
  const path = request.url.slice(0, request.url.length - request.search.length - (request.search === '' ? 0 : 1));
  return [
    'Link',
    // Node lets a raw `>` through, which would end the address here.
    `<${[path.replace(/\?$/, ''), [...kept, `$after=${encodeURIComponent(cursor)}`].join('&')].join('?').replaceAll(/[<>"]/g, encodeURIComponent)}>; rel="next"`,
  ];
}

/** `GET` on a collection: a page as JSON, or the whole as a file when `Accept` asks for one. */
export async function list(request: RecordRequest): Promise<void> {
  if (acceptedFormat(request.exchange.request) !== null) return exportRoute(request);
  requireJsonAccepted(request.exchange.request, FILE_TYPES);
  const { body } = await request.services.reader.list(request.scope, request.entity, listQuery(request.search));
  sendText(request.exchange, 200, body, { headers: linkHeaders(request, body) });
}

/** `QUERY` on a collection. */
export function queryCollection(request: RecordRequest): Promise<void> {
  if (acceptedFormat(request.exchange.request) !== null) return exportRoute(request);
  requireJsonAccepted(request.exchange.request, FILE_TYPES);
  return queryByBody(request);
}

export async function queryByBody(request: RecordRequest): Promise<void> {
  // The body says it all: a filter in the address would be overlooked.
  parseUrlQuery(request.search, { controls: [], filters: false });
  const input = await readJson(request.exchange.request, RECORD_LIMIT);
  const { body } = await request.services.reader.list(request.scope, request.entity, parseJsonQuery(input));
  sendText(request.exchange, 200, body);
}

export async function one(request: RecordRequest, id: string): Promise<void> {
  const found = await request.services.reader.one(request.scope, request.entity, id, selectionIn(request.search));
  if (!found) return merged(request, id);
  const tag = entityTag(found.version, found.body);
  if (matchesNone(request.exchange.request, tag)) return sendEmpty(request.exchange, 304, ['ETag', tag]);
  sendText(request.exchange, 200, found.body, { cache: 'private, no-cache', headers: ['ETag', tag] });
}

/** What is not there may have become another record: whoever may read that one is sent there (RFC 9110 §15.4.9). */
async function merged(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services, search } = request;
  const winner = await services.commands.mergedInto(scope, entity, id);
  if (winner === null) throw notFound();
  const query = search === '' ? '' : `?${search}`;
  sendEmpty(request.exchange, 308, ['Location', addressOf(entity, winner) + query, 'Content-Length', '0']);
}

export async function history(request: RecordRequest, id: string): Promise<void> {
  const { body } = await request.services.reader.history(request.scope, request.entity, id);
  sendText(request.exchange, 200, body);
}

/** `GET …/by/{key}/{value}`: the record that has this value in a unique field. */
export async function oneByKey(request: RecordRequest, key: string, value: string): Promise<void> {
  const { scope, entity, services } = request;
  const field = findKey(scope, entity, [key])?.fields[0];
  const stored = field ? storedLiteral(value, field, scope.tenant.country) : value;
  const id = await services.reader.find(scope, entity, key, stored);
  if (id === null) throw notFound();
  return one(request, id);
}
