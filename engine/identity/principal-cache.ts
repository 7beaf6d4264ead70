/** Keeps principals for a few seconds, so that an ordinary request asks nothing about its user. */
import type { Clock } from '../clock.ts';
import type { Model } from '../model/model.ts';
import type { Principal } from './principal.ts';

/** What another process changed is seen after this many milliseconds at the latest. */
export const TTL = 30_000;
const KEPT_PER_TENANT = 5_000;

interface Entry {
  readonly principal: Promise<Principal | null>;
  /** What it came to. */
  loaded: Principal | null;
  /** A new release may know other roles. */
  readonly model: Model;
  readonly until: number;
}

export class PrincipalCache {
  readonly #tenants = new Map<string, Map<string, Entry>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who is at hand already. */
  known(tenant: string, userId: string, model: Model): Principal | null {
    const entry = this.#tenants.get(tenant)?.get(userId);
    return entry && this.#holds(entry, model) ? entry.loaded : null;
  }

  /** Requests that arrive together share one load. What is loading when `forget` is called is not kept. */
  get(tenant: string, userId: string, model: Model, load: () => Promise<Principal | null>): Promise<Principal | null> {
    let users = this.#tenants.get(tenant);
    if (!users) this.#tenants.set(tenant, (users = new Map()));
    const known = users.get(userId);
    if (known && this.#holds(known, model)) return known.principal;

    const entry: Entry = { principal: load(), loaded: null, model, until: this.#clock.now() + TTL };
    users.delete(userId);
    users.set(userId, entry);
    for (const oldest of users.keys()) {
      if (users.size <= KEPT_PER_TENANT) break;
      users.delete(oldest);
    }
    const forget = () => {
      if (users.get(userId) === entry) users.delete(userId);
    };
    // Neither a failure nor an absent user is remembered.
    entry.principal.then((principal) => {
      entry.loaded = principal;
      if (!principal) forget();
    }, forget);
    return entry.principal;
  }

  #holds(entry: Entry, model: Model): boolean {
    return entry.model === model && entry.until > this.#clock.now();
  }

  forget(tenant: string, userId?: string): void {
    if (userId === undefined) this.#tenants.delete(tenant);
    else this.#tenants.get(tenant)?.delete(userId);
  }
}
