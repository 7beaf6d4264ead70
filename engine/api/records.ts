/**
 * The record routes, `/api/{pack}/v1/{plural}…`: from the request to the one read path and the one write path, and from
 * their answer to the wire. They are the hot path: plain `node:http`, no middleware, bodies pass through as text.
 */
import { notFound } from '../problem.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import { readJson, RECORD_LIMIT } from './body.ts';
import { changesRoute } from './changes.ts';
import type { Exchange } from './exchange.ts';
import { acceptedFormat, exportRoute } from './exports.ts';
import { searchOf, sendEmpty, sendText } from './exchange.ts';
import { downloadRoute, uploadRoute } from './files.ts';
import { importRoute } from './imports.ts';
import { duplicatesRoute } from './duplicates.ts';
import { onCurrentRelease } from './overtaken.ts';
import type { HttpServices } from './ports.ts';
import { notAllowed, sendProblem } from './problem-response.ts';
import type { RecordRequest } from './record-request.ts';
import { addressOf, requireId } from './record-request.ts';
import { listQuery, selectionIn } from './query-input.ts';
import { entityTag, matchesNone, requireJsonAccepted } from './request-headers.ts';
import type { Scopes } from './scopes.ts';
import { templateRoute } from './templates.ts';
import { knowsEntity } from './scopes.ts';
import { sharesRoute } from './shares.ts';
import {
  action,
  actionMany,
  change,
  changeMany,
  COMMAND,
  create,
  FREE_COMMAND,
  putByKey,
  remove,
  removeMany,
  write,
} from './writes.ts';

const PREFIX = '/api/';
const VERSION = 'v1/';

/** Whether it is `/api/{pack}/v1/…`. */
export function isRecordPath(url: string): boolean {
  if (!url.startsWith(PREFIX)) return false;
  const slash = url.indexOf('/', PREFIX.length);
  return slash > 0 && url.startsWith(VERSION, slash + 1);
}

/** `/api/crm/v1/opportunities/x/history?…` → path `crm/opportunities`, rest `['x', 'history']`. */
function split(url: string): { readonly path: string; readonly rest: readonly string[] } {
  const query = url.indexOf('?');
  const end = query < 0 ? url.length : query;
  const slash = url.indexOf('/', PREFIX.length);
  const from = slash + 1 + VERSION.length;
  let to = url.indexOf('/', from);
  if (to < 0 || to > end) to = end;
  const path = `${url.slice(PREFIX.length, slash)}/${url.slice(from, to)}`;
  return { path, rest: to === end ? [] : url.slice(to + 1, end).split('/') };
}

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
    .filter((part) => part !== '' && !/^(?:\$|%24)(?:after|before|offset)=/i.test(part));
  const path = request.url.slice(0, request.url.length - request.search.length - (request.search === '' ? 0 : 1));
  return [
    'Link',
    // Node lets a raw `>` through, which would end the address here.
    `<${[path.replace(/\?$/, ''), [...kept, `$after=${encodeURIComponent(cursor)}`].join('&')].join('?').replaceAll(/[<>"]/g, encodeURIComponent)}>; rel="next"`,
  ];
}

async function list(request: RecordRequest): Promise<void> {
  const { body } = await request.services.reader.list(request.scope, request.entity, listQuery(request.search));
  sendText(request.exchange, 200, body, { headers: linkHeaders(request, body) });
}

async function queryByBody(request: RecordRequest): Promise<void> {
  const input = await readJson(request.exchange.request, RECORD_LIMIT);
  const { body } = await request.services.reader.list(request.scope, request.entity, parseJsonQuery(input));
  sendText(request.exchange, 200, body);
}

async function one(request: RecordRequest, id: string): Promise<void> {
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

async function history(request: RecordRequest, id: string): Promise<void> {
  const { body } = await request.services.reader.history(request.scope, request.entity, id);
  sendText(request.exchange, 200, body);
}

/** `GET …/by/{key}/{value}`: the record that has this value in a unique field. */
async function oneByKey(request: RecordRequest, key: string, value: string): Promise<void> {
  const id = await request.services.reader.find(request.scope, request.entity, key, value);
  if (id === null) throw notFound();
  return one(request, id);
}

const COLLECTION = 'GET, HEAD, QUERY, POST, PATCH, DELETE';
const RECORD = 'GET, HEAD, PATCH, DELETE';
const BY_KEY = 'GET, HEAD, PUT';

async function collectionRoute(request: RecordRequest): Promise<void> {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return list(request);
    case 'QUERY':
      return queryByBody(request);
    case 'POST':
      return create(request);
    case 'PATCH':
      return changeMany(request);
    case 'DELETE':
      return removeMany(request);
    default:
      throw notAllowed(COLLECTION);
  }
}

async function recordRoute(request: RecordRequest, id: string): Promise<void> {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return one(request, id);
    case 'PATCH':
      return change(request, id);
    case 'DELETE':
      return remove(request, id);
    default:
      throw notAllowed(RECORD);
  }
}

async function keyRoute(request: RecordRequest, key: string, value: string): Promise<void> {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return oneByKey(request, key, value);
    case 'PUT':
      return putByKey(request, key, value);
    default:
      throw notAllowed(BY_KEY);
  }
}

/** A part of the path as it was meant. @throws Problem `not_found` for what is no percent-encoding */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw notFound();
  }
}

/** Picks the handler by what stands after the entity's path. @throws Problem `not_found` */
async function route(request: RecordRequest, rest: readonly string[]): Promise<void> {
  const [first, second, third] = rest;
  if (first === 'imports') return importRoute(request, rest.slice(1));
  if (rest.length === 1 && (first === '$files' || first === '%24files')) return uploadRoute(request);
  if (second === 'files' && rest.length === 3 && first && third) return downloadRoute(request, requireId(first), third);
  const exported = first === '$export' || first === '%24export';
  if (exported && rest.length === 1) return exportRoute(request);
  const reads = request.method === 'GET' || request.method === 'HEAD' || request.method === 'QUERY';
  if (first === undefined && reads && acceptedFormat(request.exchange.request) !== null) return exportRoute(request);
  requireJsonAccepted(request.exchange.request);
  if (first === undefined) return collectionRoute(request);
  if (rest.length === 1 && (first === '$query' || first === '%24query')) {
    if (request.method !== 'POST') throw notAllowed('POST');
    return queryByBody(request);
  }
  if (rest.length === 1 && (first === '$duplicates' || first === '%24duplicates')) return duplicatesRoute(request);
  if (rest.length === 1 && first === 'bin') {
    if (request.method !== 'POST') throw notAllowed('POST');
    return write(request, FREE_COMMAND, (input, options) =>
      request.services.commands.bin(request.scope, request.entity, input, options),
    );
  }
  if (rest.length === 1 && (first === '$changes' || first === '%24changes')) return changesRoute(request);
  if (first === 'by' && rest.length === 3 && second !== undefined && third !== undefined && third !== '')
    return keyRoute(request, second, decoded(third));
  if ((first === '$actions' || first === '%24actions') && rest.length === 2 && second !== undefined && second !== '') {
    if (request.method !== 'POST') throw notAllowed('POST');
    return actionMany(request, second);
  }
  const id = requireId(first);
  if (second === undefined) return recordRoute(request, id);
  if (second === 'history' && rest.length === 2) {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD');
    return history(request, id);
  }
  if (second === 'merge' && rest.length === 2) {
    if (request.method !== 'POST') throw notAllowed('POST');
    return write(request, COMMAND, (input, options) =>
      request.services.commands.merge(request.scope, request.entity, id, input, options),
    );
  }
  if (second === 'shares') return sharesRoute(request, id, rest.slice(2));
  if (second === 'templates' && rest.length === 3 && third !== undefined && third !== '') {
    if (request.method !== 'POST') throw notAllowed('POST');
    return templateRoute(request, id, third);
  }
  if (second === 'actions' && rest.length === 3 && third !== undefined && third !== '') {
    if (request.method !== 'POST') throw notAllowed('POST');
    return action(request, id, third);
  }
  throw notFound();
}

/**
 * Answers a request to a record address: the entity is found, then the handler. Parts of a batch come here as well.
 * @throws Problem `not_found`, and whatever the handlers refuse
 */
export async function answerRecord(exchange: Exchange, services: HttpServices, scope: Scope): Promise<void> {
  const url = exchange.request.url ?? '/';
  const { path, rest } = split(url);
  const entity = scope.model.entitiesByPath.get(path);
  if (!entity || !knowsEntity(scope.rights, entity)) throw notFound();
  const method = exchange.request.method ?? 'GET';
  await route({ exchange, services, scope, entity, method, url, search: searchOf(url) }, rest);
}

/** What stands after the entity in a record address. */
export function restOf(url: string): readonly string[] {
  return split(url).rest;
}

/** The one dispatcher of the record routes. It answers every request it is given; it never throws. */
export function recordDispatcher(
  services: HttpServices,
  scopes: Scopes,
  publicOrigin: string,
): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response } = exchange;
    try {
      await onCurrentRelease(
        services.models,
        async () => scopes.of(await authenticate(exchange, services.identity, publicOrigin)),
        (scope) => answerRecord(exchange, services, scope),
        // A file that is being imported has gone by.
        () => !response.headersSent && !/^(imports|(\$|%24)files)$/.test(restOf(request.url ?? '/')[0] ?? ''),
      );
    } catch (error) {
      sendProblem(exchange, error);
    }
  };
}
