/** One request and its answer: what every handler gets, and the few ways to answer. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Principal } from '../identity/principal.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Stands in the log line, in `X-Request-Id` and in the `instance` of problems. */
  readonly id: string;
  /** Milliseconds of `performance.now()`. */
  readonly started: number;
  readonly log: Logger;
  /** Headers of every API answer, flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Known once the request is authenticated. */
  principal: Principal | null;
}

const INCOMING_ID = /^[A-Za-z0-9_.:-]{8,64}$/;
const processPart = randomBytes(6).toString('base64url');
let count = 0;

/** A proxy's `X-Request-Id` is kept when it is harmless; else an id of ours: random per process, then a counter. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  if (typeof given === 'string' && INCOMING_ID.test(given)) return given;
  count += 1;
  return `${processPart}-${count.toString(36)}`;
}

export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
  headers: readonly string[],
): Exchange {
  return { request, response, id: requestId(request), started: performance.now(), log, headers, principal: null };
}

/** The path without the query: queries hold what people search for, and that is not for the log. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** The part after `?`, still encoded; empty without one. */
export function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
}

/** One line per request: no query, no headers, no bodies. Refusals of ours are `info`; what we broke was logged with its stack before. */
export function logExchange(exchange: Exchange): void {
  const { request, response, principal, log } = exchange;
  if (!log.isLevelEnabled('info')) return;
  log.info({
    request: exchange.id,
    method: request.method,
    path: pathOf(originalUrl(request)),
    status: response.statusCode,
    ms: Math.round((performance.now() - exchange.started) * 100) / 100,
    ...(principal && { tenant: principal.tenant, user: principal.userId }),
  });
}

/** Express rewrites `url` below a mounted router and keeps the whole one in `originalUrl`. */
export function originalUrl(request: IncomingMessage): string {
  const whole: unknown = Reflect.get(request, 'originalUrl');
  return typeof whole === 'string' ? whole : (request.url ?? '/');
}

const NO_STORE = 'no-store';
/** Of every answer with an ETag. */
const REVALIDATED = 'private, no-cache';
const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'] as const;

export interface SendOptions {
  /** Further headers, flat. */
  readonly headers?: readonly string[];
  /** Instead of `application/json; charset=utf-8`. */
  readonly type?: string;
  /**
   * Instead of `no-store`. What is kept `private, no-cache` is asked for again before it is used, and an ETag is of the
   * very bytes: so nothing has to say what an answer varies with.
   */
  readonly cache?: string;
}

/** Answers with a text that is finished already (JSON built by Postgres passes through here unparsed). */
export function sendText(exchange: Exchange, status: number, body: string, options: SendOptions = {}): void {
  const { response } = exchange;
  const length = Buffer.byteLength(body);
  response.writeHead(status, [
    ...exchange.headers,
    ...(options.type === undefined ? JSON_TYPE : ['Content-Type', options.type]),
    'Cache-Control',
    options.cache ?? NO_STORE,
    'Content-Length',
    String(length),
    'X-Request-Id',
    exchange.id,
    ...(options.headers ?? []),
  ]);
  // As many bytes as characters: all ASCII, which goes out without being encoded.
  response.end(body, length === body.length ? 'latin1' : 'utf8');
}

export function sendJson(exchange: Exchange, status: number, body: unknown, options?: SendOptions): void {
  sendText(exchange, status, JSON.stringify(body), options);
}

/** Answers without a body: 204 and 304. */
export function sendEmpty(exchange: Exchange, status: number, headers: readonly string[] = []): void {
  exchange.response.writeHead(status, [
    ...exchange.headers,
    'Cache-Control',
    // What is known stays known: a 304 renews what was kept with it (RFC 9111 §4.3.4), and that may be kept.
    status === 304 ? REVALIDATED : NO_STORE,
    'X-Request-Id',
    exchange.id,
    ...headers,
  ]);
  exchange.response.end();
}
