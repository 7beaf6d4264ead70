/** The change feed: what of some entities' records has changed since a token, in the order of the commits. */
import type { Database } from '#engine/db/database.ts';
import { problemOf } from '#engine/db/database-error.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';
import type { Position } from './outbox-read.ts';
import { isAfter, readHead, readOutbox } from './outbox-read.ts';
import type { ChangeItem } from './sight.ts';
import { tell } from './sight.ts';
import { FeedTokens, gone } from './token.ts';

export interface ChangePage {
  readonly data: readonly ChangeItem[];
  /** The token to ask with next time. */
  readonly next: string;
  /** Whether there is more already. */
  readonly hasMore: boolean;
}

/** Where an error about the token points to. */
const SINCE = 'since';

export class ChangeFeed {
  readonly #database: Database;
  readonly tokens: FeedTokens;

  constructor({ database, secret }: { readonly database: Database; readonly secret: string }) {
    this.#database = database;
    this.tokens = new FeedTokens(secret);
  }

  /**
   * A page. Each record stands in it once. It is full as long as there is something to tell: what is hidden from
   * somebody makes no page shorter.
   * @param since a token of this feed; `null` answers nothing but the token of now
   * @param first items at most
   * @throws Problem `invalid_cursor`, `gone`
   */
  async read(scope: Scope, entities: readonly Entity[], since: string | null, first: number): Promise<ChangePage> {
    try {
      if (since === null) {
        const now = await readHead(this.#database);
        return { data: [], next: this.tokens.encode(scope, entities, now), hasMore: false };
      }
      const after = this.tokens.decode(scope, entities, since, SINCE);
      return await this.#page(scope, entities, after, first);
    } catch (error) {
      throw problemOf(error);
    }
  }

  async #page(scope: Scope, entities: readonly Entity[], after: Position, first: number): Promise<ChangePage> {
    const filter = { tenantId: scope.tenant.id, entityIds: entities.map(({ id }) => id) };
    const items = new Map<string, ChangeItem>();
    const page = (place: Position, hasMore: boolean): ChangePage => ({
      data: [...items.values()],
      next: this.tokens.encode(scope, entities, place),
      hasMore,
    });
    for (let place = after; ; ) {
      const { events, caughtUp, floor } = await readOutbox(this.#database, place, filter);
      if (isAfter(floor, after)) throw gone('This token is too old: what happened since is no longer kept.', SINCE);
      for (const { event, item } of await tell(this.#database, scope, entities, events)) {
        if (item) {
          const key = `${item.entity} ${item.id}`;
          if (!items.has(key) && items.size >= first) return page(place, true);
          items.set(key, item);
        }
        place = event.position;
      }
      // A place before the caller's own would tell everything again.
      if (caughtUp) return page(isAfter(caughtUp, place) ? caughtUp : place, false);
    }
  }
}
