/**
 * Changes as they happen: `/api/$events`, server-sent events (HTML Living Standard, 9.2). What the change feed tells, by
 * the same rules; an event's id is a token of the feed, so that who was away goes on where they stood.
 *
 * | event    | data                                                                                     |
 * | -------- | ---------------------------------------------------------------------------------------- |
 * | `ready`  | `{}`: from here on everything is told                                                    |
 * | `change` | `{"data": [item, …]}` as in `$changes`                                                    |
 * | `reset`  | `{"reason": "rights" \| "gone"}`: begin anew, what was shown may no longer be as it was   |
 * | `end`    | `{"reason": "session" \| "closing" \| "slow"}`: the stream ends                           |
 */
import type { ServerResponse } from 'node:http';
import type { Express } from 'express';
import type { Entity } from '../model/model.ts';
import { Problem } from '../problem.ts';
import type { Position } from '../records/changes/outbox-read.ts';
import { isAfter } from '../records/changes/outbox-read.ts';
import type { Told } from '../records/changes/hub.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate, credentialsOf, requireSameOrigin } from './authenticate.ts';
import { askedEntities, parametersOf } from './changes.ts';
import type { Exchange } from './exchange.ts';
import { originalUrl, searchOf } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';
import { drained, STALL } from './streaming.ts';

/** Milliseconds between signs of life, and until a browser connects again. */
const HEARTBEAT = 15_000;
const RETRY = 3000;
/** Streams of one person at a time: each is a page, or a program. */
const TOGETHER = 12;
/** Bytes that may wait for a slow reader. */
const BUFFER = 256 * 1024;
/** Changes told at once to somebody who was away. */
const PAGE = 500;
/** Changes that may wait while the past is told. */
const WAITING = 5000;

class EventStream {
  readonly #response: ServerResponse;

  constructor(exchange: Exchange) {
    this.#response = exchange.response;
    this.#response.writeHead(200, [
      ...exchange.headers,
      'Content-Type',
      'text/event-stream; charset=utf-8',
      'Cache-Control',
      'no-store',
      // Proxies must not collect it.
      'X-Accel-Buffering',
      'no',
      'X-Request-Id',
      exchange.id,
    ]);
    this.#response.write(`retry: ${RETRY}\n\n`);
  }

  send(event: string, data: unknown, id?: string): void {
    if (this.over) return;
    if (this.#response.writableLength > BUFFER) this.slow();
    else this.#write(event, data, id);
  }

  /** A sign of life that also says how far everything was told. Whoever takes nothing gets none. */
  beat(id: string): void {
    if (!this.over && this.#response.writableLength === 0) this.#response.write(`: \nid: ${id}\n\n`);
  }

  end(event: string, reason: string): void {
    if (this.over) return;
    this.#write(event, { reason });
    this.#response.end();
    // What waits goes out yet, as long as it is taken.
    this.#response.setTimeout(STALL, () => this.#response.destroy());
  }

  /** Whoever does not read comes back with the last id they have seen. */
  slow(): void {
    this.end('end', 'slow');
  }

  /** Whether nothing more can be told. */
  get over(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** Until what waits has been taken, or it is over. */
  async taken(): Promise<void> {
    if (this.over || !this.#response.writableNeedDrain) return;
    const timer = setTimeout(() => this.slow(), STALL);
    await drained(this.#response);
    clearTimeout(timer);
  }

  #write(event: string, data: unknown, id?: string): void {
    this.#response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

const open = new Map<string, number>();

/** @throws Problem `too_many_requests` */
function enter(who: string): () => void {
  const count = open.get(who) ?? 0;
  if (count >= TOGETHER) {
    throw new Problem('too_many_requests', `At most ${TOGETHER} streams of one person at a time.`);
  }
  open.set(who, count + 1);
  return () => {
    const left = (open.get(who) ?? 1) - 1;
    if (left > 0) open.set(who, left);
    else open.delete(who);
  };
}

async function listen(
  exchange: Exchange,
  services: HttpServices,
  scopes: Scopes,
  scope: Scope,
  entities: readonly Entity[],
  since: string | null,
): Promise<void> {
  const { changes, hub, identity } = services;
  const { response } = exchange;
  const token = credentialsOf(exchange.request)?.token ?? '';
  const leave = enter(`${scope.tenant.key} ${scope.principal.userId}`);
  let unsubscribe = () => {};
  let beat: NodeJS.Timeout | undefined;
  response.once('close', () => {
    leave();
    unsubscribe();
    clearInterval(beat);
  });
  response.on('error', () => {});
  const stream = new EventStream(exchange);
  // What happens while the past is told waits, so that nothing is told twice or in the wrong order.
  let waiting: { items: readonly Told[]; position: Position }[] | null = [];
  let queued = 0;
  let told = await hub.head();
  /** Up to where it was told as the past. */
  let past: Position | null = null;
  const id = (position: Position) => changes.tokens.encode(scope, entities, position);
  const send = (items: readonly Told[], position: Position) => {
    told = isAfter(position, told) ? position : told;
    const rest = items.flatMap(({ item, at }) => (past === null || isAfter(at, past) ? [item] : []));
    if (rest.length > 0) stream.send('change', { data: rest }, id(told));
  };
  unsubscribe = hub.subscribe(
    {
      scope: async () => {
        const principal = await identity.authenticate(token);
        return principal && scopes.of(principal);
      },
      entities: entities.map(({ name }) => name),
      send: (items, _scope, _entities, position) => {
        if (!waiting) send(items, position);
        else if ((queued += items.length) <= WAITING) waiting.push({ items, position });
        else stream.slow();
        // Nothing more is looked up for whoever is told nothing more.
        if (stream.over) unsubscribe();
      },
      end: (reason) => (reason === 'rights' ? stream.end('reset', reason) : stream.end('end', reason)),
    },
    scope,
    told,
  );
  if (response.destroyed) return unsubscribe();
  if (since !== null) past = await tellPast(services, scope, entities, since, stream);
  stream.send('ready', {}, id(told));
  for (const { items, position } of waiting) send(items, position);
  waiting = null;
  if (stream.over) return unsubscribe();
  beat = setInterval(() => stream.beat(id(told)), HEARTBEAT);
}

/** What somebody has missed; when nobody knows any more, they begin anew. @returns up to where it is told */
async function tellPast(
  { changes }: HttpServices,
  scope: Scope,
  entities: readonly Entity[],
  since: string,
  stream: EventStream,
): Promise<Position | null> {
  try {
    for (let next = since; ; ) {
      const page = await changes.read(scope, entities, next, PAGE);
      if (page.data.length > 0) stream.send('change', { data: page.data }, page.next);
      if (!page.hasMore || stream.over) return changes.tokens.decode(scope, entities, page.next, 'since');
      next = page.next;
      await stream.taken();
    }
  } catch (error) {
    if (!(error instanceof Problem) || (error.code !== 'gone' && error.code !== 'invalid_cursor')) throw error;
    stream.send('reset', { reason: 'gone' });
    return null;
  }
}

/** `/api/$events?entities=…`, with `Last-Event-ID` or `since=…` */
export function mountEvents(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  mount(app, '/api/$events', {
    GET: async (exchange) => {
      requireSameOrigin(exchange.request, publicOrigin);
      const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const parameters = parametersOf(searchOf(originalUrl(exchange.request)), ['entities', 'since']);
      const entities = askedEntities(scope, parameters.get('entities'));
      const last = exchange.request.headers['last-event-id'];
      const since = (typeof last === 'string' && last !== '' ? last : parameters.get('since')) ?? null;
      await listen(exchange, services, scopes, scope, entities, since);
    },
  });
}
