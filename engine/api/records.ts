/**
 * The record routes, `/api/{pack}/v1/{plural}…`: from the request to the one read path and the one write path, and from
 * their answer to the wire. They are the hot path: plain `node:http`, no middleware, bodies pass through as text.
 */
import type { IncomingMessage } from 'node:http';
import type { Entity } from '../model/model.ts';
import { invalidAt, notFound } from '../problem.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate, credentialsOf } from './authenticate.ts';
import { hasBody, objectOf, parseJson, PATCH_TYPES, readBody, readJson, RECORD_LIMIT, requireType } from './body.ts';
import { changesRoute } from './changes.ts';
import type { Exchange } from './exchange.ts';
import { acceptedFormat, exportRoute } from './exports.ts';
import { searchOf, sendEmpty, sendText } from './exchange.ts';
import { downloadRoute, uploadRoute } from './files.ts';
import { importRoute } from './imports.ts';
import { isOvertaken, stillOvertaken } from './overtaken.ts';
import type { HttpServices, WriteAnswer, WriteOptions } from './ports.ts';
import { notAllowed, sendProblem } from './problem-response.ts';
import type { RecordRequest } from './record-request.ts';
import { requireId } from './record-request.ts';
import { listQuery, selectionIn } from './query-input.ts';
import {
  entityTag,
  idempotencyOf,
  ifMatch,
  matchesNone,
  preferencesOf,
  requireJsonAccepted,
  versionTag,
} from './request-headers.ts';
import type { Scopes } from './scopes.ts';
import { templateRoute } from './templates.ts';
import { knowsEntity } from './scopes.ts';

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

/** The address of one record. */
function address(entity: Entity, id: string): string {
  return `${PREFIX}${entity.pack}/v1/${entity.plural}/${id}`;
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
  if (!found) throw notFound();
  const tag = entityTag(found.version, found.body);
  if (matchesNone(request.exchange.request, tag)) return sendEmpty(request.exchange, 304, ['ETag', tag]);
  sendText(request.exchange, 200, found.body, { cache: 'private, no-cache', headers: ['ETag', tag] });
}

async function history(request: RecordRequest, id: string): Promise<void> {
  const { body } = await request.services.reader.history(request.scope, request.entity, id);
  sendText(request.exchange, 200, body);
}

function sendWritten(request: RecordRequest, answer: WriteAnswer, minimal: boolean): void {
  const { entity, exchange } = request;
  const headers: string[] = [];
  if (answer.status === 201 && answer.id !== undefined) headers.push('Location', address(entity, answer.id));
  if (answer.version !== undefined) {
    headers.push('ETag', answer.body === null ? versionTag(answer.version) : entityTag(answer.version, answer.body));
  }
  if (answer.replayed) headers.push('Idempotency-Replayed', 'true');
  if (minimal) headers.push('Preference-Applied', 'return=minimal');
  if (answer.body === null) {
    // A 201 without a body still says so: a client may wait for one.
    if (answer.status !== 204) headers.push('Content-Length', '0');
    return sendEmpty(exchange, answer.status, headers);
  }
  sendText(exchange, answer.status, answer.body, { headers });
}

/** Reads what the write needs from headers and body, runs it and answers. */
async function write(
  request: RecordRequest,
  body: 'required' | 'optional' | 'none',
  types: ReadonlySet<string> | undefined,
  run: (input: unknown, options: WriteOptions) => Promise<WriteAnswer>,
): Promise<void> {
  const incoming: IncomingMessage = request.exchange.request;
  const { minimal } = preferencesOf(incoming);
  const version = ifMatch(incoming);
  const returning = minimal || request.method === 'DELETE' ? 'minimal' : selectionIn(request.search);
  const withBody = body === 'required' || (body === 'optional' && hasBody(incoming));
  if (withBody) requireType(incoming, types);
  const bytes = await readBody(incoming, RECORD_LIMIT);
  const idempotency = idempotencyOf(incoming, request.url, bytes);
  const answer = await run(withBody ? parseJson(bytes) : {}, {
    returning,
    ...(idempotency && { idempotency }),
    ...(version !== null && { ifMatch: version }),
  });
  sendWritten(request, answer, minimal);
}

async function action(request: RecordRequest, id: string, name: string): Promise<void> {
  const { scope, entity, services } = request;
  if (name === 'set_password' && entity.name === 'core.user') return setPassword(request, id);
  if (name === 'restore') {
    return write(request, 'optional', undefined, (_, options) => services.writer.restore(scope, entity, id, options));
  }
  return write(request, 'optional', undefined, (input, options) =>
    services.writer.transition(scope, entity, id, name, input, options),
  );
}

async function setPassword(request: RecordRequest, userId: string): Promise<void> {
  const input = objectOf(await readJson(request.exchange.request, RECORD_LIMIT));
  const { password, old_password: oldPassword } = input;
  if (typeof password !== 'string') throw invalidAt('/password', 'Give the new password.', 'required');
  const credentials = credentialsOf(request.exchange.request);
  await request.services.identity.setPassword(request.scope.principal, {
    userId,
    password,
    ...(credentials?.kind === 'cookie' && { keepToken: credentials.token }),
    ...(typeof oldPassword === 'string' && { oldPassword }),
  });
  sendEmpty(request.exchange, 204);
}

const COLLECTION = 'GET, HEAD, QUERY, POST';
const RECORD = 'GET, HEAD, PATCH, DELETE';

async function collectionRoute(request: RecordRequest): Promise<void> {
  const { scope, entity, services } = request;
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return list(request);
    case 'QUERY':
      return queryByBody(request);
    case 'POST':
      return write(request, 'required', undefined, (input, options) =>
        services.writer.create(scope, entity, input, options),
      );
    default:
      throw notAllowed(COLLECTION);
  }
}

async function recordRoute(request: RecordRequest, id: string): Promise<void> {
  const { scope, entity, services } = request;
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return one(request, id);
    case 'PATCH':
      return write(request, 'required', PATCH_TYPES, (input, options) =>
        services.writer.update(scope, entity, id, input, options),
      );
    case 'DELETE':
      return write(request, 'none', undefined, (_, options) => services.writer.remove(scope, entity, id, options));
    default:
      throw notAllowed(RECORD);
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
  if (rest.length === 1 && (first === '$changes' || first === '%24changes')) return changesRoute(request);
  const id = requireId(first);
  if (second === undefined) return recordRoute(request, id);
  if (second === 'history' && rest.length === 2) {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD');
    return history(request, id);
  }
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

/** The one dispatcher of the record routes. It answers every request it is given; it never throws. */
export function recordDispatcher(
  services: HttpServices,
  scopes: Scopes,
  publicOrigin: string,
): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response } = exchange;
    const url = request.url ?? '/';
    const { path, rest } = split(url);
    let scope: Scope | null = null;
    const attempt = async () => {
      scope = null;
      scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const entity = scope.model.entitiesByPath.get(path);
      if (!entity || !knowsEntity(scope.rights, entity)) throw notFound();
      await route(
        { exchange, services, scope, entity, method: request.method ?? 'GET', url, search: searchOf(url) },
        rest,
      );
    };
    try {
      await attempt().catch(async (error: unknown) => {
        // A file that is being imported has gone by.
        const again = !response.headersSent && rest[0] !== 'imports' && !/^(\$|%24)files$/.test(rest[0] ?? '');
        if (!again || !(await isOvertaken(error, scope, services.models))) throw error;
        await attempt().catch((second: unknown) => {
          throw stillOvertaken(second, scope);
        });
      });
    } catch (error) {
      sendProblem(exchange, error);
    }
  };
}
