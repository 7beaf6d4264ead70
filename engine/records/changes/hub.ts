/**
 * Tells those who listen what has changed, as soon as it is committed. One reader of the outbox for the whole process,
 * only while anybody listens; what of it somebody is told is decided with the rights they have at that moment.
 *
 * It looks when this process has written something, when another one says so (NOTIFY, a few times a second at most, and
 * never inside the write itself, where it would make commits wait for each other), and every second anyway.
 */
import type { Logger } from 'pino';
import type { Database } from '#engine/db/database.ts';
import { Listener } from '#engine/db/listener.ts';
import { gateSession } from '#engine/identity/service-principals.ts';
import type { Principal } from '#engine/identity/principal.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';
import type { OutboxEvent, Position } from './outbox-read.ts';
import { isAfter, readHead, readOutbox } from './outbox-read.ts';
import type { ChangeItem } from './sight.ts';
import { tell } from './sight.ts';
import { fingerprint } from './token.ts';

const CHANNEL = 'armature_changes';
/** Milliseconds: between looks at the outbox and at rights; after a write, so that several count as one; between NOTIFYs. */
const PACE = { look: 1000, soon: 20, notify: 200 } as const;

export interface Subscription {
  /** Who listens, as they are now; `null` when they may no longer. */
  readonly scope: () => Promise<Scope | null>;
  /** Qualified names. */
  readonly entities: readonly string[];
  /** @param position what was read up to these */
  readonly send: (items: readonly Told[], scope: Scope, entities: readonly Entity[], position: Position) => void;
  /** It is over: `rights` have changed, the `session` has ended, or the server is `closing`. */
  readonly end: (reason: 'rights' | 'session' | 'closing') => void;
}

interface Listening {
  readonly subscription: Subscription;
  /** What they could see when they came. */
  readonly sight: Buffer;
  /** They were told everything up to here: before they came by somebody else. */
  told: Position;
}

/** What somebody is told of a record, and the place of the newest change that it comes of. */
export interface Told {
  readonly item: ChangeItem;
  readonly at: Position;
}

export class ChangeHub {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #listening = new Set<Listening>();
  #listener: Listener | null = null;
  #position: Position | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #notified = 0;
  #notifying: NodeJS.Timeout | null = null;
  #closed = false;

  constructor({ database, log }: { readonly database: Database; readonly log: Logger }) {
    this.#database = database;
    this.#log = log;
  }

  /** Where those who come now begin. */
  async head(): Promise<Position> {
    const head = this.#position ?? (await readHead(this.#database));
    // Who has come meanwhile may stand before it.
    return (this.#position ??= head);
  }

  /**
   * @param since everything up to here was told
   * @returns what ends it
   */
  subscribe(subscription: Subscription, scope: Scope, since: Position): () => void {
    const entities = entitiesOf(scope, subscription.entities);
    const listening = { subscription, told: since, sight: fingerprint(scope, entities) };
    this.#listening.add(listening);
    if (this.#position === null || isAfter(this.#position, since)) this.#position = since;
    if (this.#closed) subscription.end('closing');
    this.#begin();
    return () => {
      this.#listening.delete(listening);
      if (this.#listening.size === 0) this.#rest();
    };
  }

  /** Something was written in this process. */
  readonly wrote = (): void => {
    if (this.#closed) return;
    this.#soon();
    const wait = this.#notified + PACE.notify - Date.now();
    this.#notifying ??= setTimeout(
      () => {
        this.#notifying = null;
        this.#notified = Date.now();
        this.#database
          .batch(gateSession('outbox'), [{ text: `select pg_notify('${CHANNEL}', '')`, values: [] }])
          .catch(() => {});
      },
      Math.max(0, wait),
    ).unref();
  };

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#notifying) clearTimeout(this.#notifying);
    for (const { subscription } of this.#listening) subscription.end('closing');
    this.#listening.clear();
    this.#rest();
    await this.#looking;
    await this.#listener?.close();
  }

  #begin(): void {
    if (this.#closed) return;
    if (!this.#listener) {
      const { address, credentials } = this.#database;
      const soon = () => this.#soon();
      this.#listener = new Listener({
        address,
        credentials: credentials.app,
        channel: CHANNEL,
        onMessage: soon,
        onConnected: soon,
        onLost: () => {},
      });
      void this.#listener.start();
    }
    this.#schedule(PACE.look);
  }

  /** Nobody listens: nothing is read, and those who come begin at the end. */
  #rest(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#position = null;
  }

  #soon(): void {
    if (this.#listening.size === 0) return;
    if (this.#looking) this.#again = true;
    else {
      if (this.#timer) clearTimeout(this.#timer);
      this.#timer = null;
      this.#schedule(PACE.soon);
    }
  }

  #schedule(milliseconds: number): void {
    if (this.#timer || this.#looking || this.#closed || this.#listening.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#looking = this.#look()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'change hub'))
        .then(() => {
          this.#looking = null;
          const again = this.#again;
          this.#again = false;
          this.#schedule(again ? PACE.soon : PACE.look);
        });
    }, milliseconds);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    for (;;) {
      const present = await this.#present();
      if (this.#listening.size === 0) return;
      const from = await this.head();
      const { events, caughtUp } = await readOutbox(this.#database, from, null);
      const last = events.at(-1)?.position;
      const to = caughtUp && (!last || isAfter(caughtUp, last)) ? caughtUp : (last ?? from);
      if (events.length > 0) await this.#tellAll(present, events, to);
      for (const { pages } of present.values())
        for (const listening of pages) if (isAfter(to, listening.told)) listening.told = to;
      // Who came after it was asked who is present is told the next time: it goes on where the last of them stands.
      if (this.#listening.size > 0) this.#position = earliest([...this.#listening]);
      if (caughtUp) return;
    }
  }

  /** Those who may still listen, by person: what one of their pages is told need be asked only once. */
  async #present(): Promise<ReadonlyMap<Principal, { scope: Scope; pages: Listening[] }>> {
    const present = new Map<Principal, { scope: Scope; pages: Listening[] }>();
    for (const listening of this.#listening) {
      const scope = await listening.subscription.scope();
      if (!scope) {
        this.#end(listening, 'session');
        continue;
      }
      const entities = entitiesOf(scope, listening.subscription.entities);
      if (!fingerprint(scope, entities).equals(listening.sight)) {
        this.#end(listening, 'rights');
        continue;
      }
      const known = present.get(scope.principal);
      if (known) known.pages.push(listening);
      else present.set(scope.principal, { scope, pages: [listening] });
    }
    return present;
  }

  #end(listening: Listening, reason: 'rights' | 'session'): void {
    this.#listening.delete(listening);
    listening.subscription.end(reason);
  }

  async #tellAll(
    present: ReadonlyMap<Principal, { scope: Scope; pages: Listening[] }>,
    events: readonly OutboxEvent[],
    to: Position,
  ): Promise<void> {
    for (const { scope, pages } of present.values()) {
      const wanted = new Set(pages.flatMap(({ subscription }) => subscription.entities));
      const entities = entitiesOf(scope, [...wanted]);
      const ids = new Set(entities.map(({ id }) => id));
      const some = events.filter(({ tenantId, entityId }) => tenantId === scope.tenant.id && ids.has(entityId));
      if (some.length === 0) continue;
      const told = await tell(this.#database, scope, entities, some);
      for (const listening of pages) {
        if (!this.#listening.has(listening)) continue;
        const { subscription } = listening;
        const own = entitiesOf(scope, subscription.entities);
        const ofOwn = new Set(own.map(({ id }) => id));
        const items = new Map<string, Told>();
        for (const { event, item } of told) {
          if (item && ofOwn.has(event.entityId) && isAfter(event.position, listening.told))
            items.set(`${item.entity} ${item.id}`, { item, at: event.position });
        }
        if (items.size > 0) subscription.send([...items.values()], scope, own, to);
      }
    }
  }
}

function earliest(listening: readonly Listening[]): Position | null {
  const places = listening.map(({ told }) => told);
  return places.reduce<Position | null>((first, place) => (first && isAfter(place, first) ? first : place), null);
}

/** Entities by name, as far as they exist. */
export function entitiesOf(scope: Scope, names: readonly string[]): readonly Entity[] {
  return names.flatMap((name) => scope.model.entities.get(name) ?? []);
}
