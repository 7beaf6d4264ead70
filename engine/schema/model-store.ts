/**
 * Models in memory: one for each tenant, built when it is first asked for and kept until another release is published.
 * Other processes tell by NOTIFY; this one at once. While nobody can tell (the listening connection is lost) every use
 * asks for the number of the current release.
 */
import type { Database } from '../db/database.ts';
import { bareSession } from '../db/database.ts';
import { buildModel } from '../model/build.ts';
import type { ReleaseSource } from '../model/documents.ts';
import { NO_IDENTITIES } from '../model/build.ts';
import type { Model } from '../model/model.ts';
import type { ModelSource, TenantModel } from '../model/tenant.ts';
import { notFound } from '../problem.ts';
import { Listener } from '../db/listener.ts';
import { TENANT_COLUMNS } from './release-store.ts';
import { foundTenant, getTenant } from './tenants.ts';

/** Entities of the models that are kept, all tenants together: a model of forty takes about 2 MB, so a gigabyte at most. */
const MAX_ENTITIES = 20_000;

/** JSON object of a tenant's flags that were switched, always in the same order. */
const SWITCHES = `(select json_object_agg(f.flag, f."on" order by f.flag)::text from armature.flag_switch f where f.tenant_id = t.id)`;

interface Entry {
  /** Another one when a flag is switched. */
  loading: Promise<TenantModel>;
  /** What the newest `loading` came to. */
  loaded: TenantModel | null;
  /** Known when it has loaded. */
  release: number | null;
  /** What is switched, as the database tells it. */
  switches: string;
  /** Entities of its model, 1 until it has loaded. */
  weight: number;
}

export interface ModelStoreOptions {
  readonly database: Database;
  /** Entities of the models kept (default 20,000). */
  readonly max?: number;
}

export class ModelStore implements ModelSource {
  readonly #database: Database;
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();
  /** The newest release of each tenant that this process has heard of. */
  readonly #heard = new Map<string, number>();
  readonly #listener: Listener;
  #listening = false;

  constructor(options: ModelStoreOptions) {
    const { database } = options;
    this.#database = database;
    this.#max = options.max ?? MAX_ENTITIES;
    this.#listener = new Listener({
      address: database.address,
      credentials: database.credentials.app,
      channel: 'armature_release',
      onMessage: (payload) => this.#hear(payload),
      onConnected: () => {
        // What was published while nobody listened.
        this.#entries.clear();
        this.#listening = true;
      },
      onLost: () => {
        this.#listening = false;
      },
    });
  }

  /** Listens for releases of other processes. Without it every {@link get} asks the database for the release. */
  async start(): Promise<void> {
    await this.#listener.start();
  }

  async close(): Promise<void> {
    this.#listening = false;
    await this.#listener.close();
  }

  /** For {@link import('./publish.ts').PublisherOptions.onPublished}: from now on nothing older is given out. */
  readonly published = (tenantKey: string, release: number): void => {
    this.#heard.set(tenantKey, Math.max(release, this.#heard.get(tenantKey) ?? 0));
    const entry = this.#entries.get(tenantKey);
    // One that is loading may be of this release or the one before: whoever waits for it looks again.
    if (entry?.release !== null && entry !== undefined && entry.release < release) this.#entries.delete(tenantKey);
  };

  known(tenantKey: string): TenantModel | null {
    const loaded = this.#listening ? this.#entries.get(tenantKey)?.loaded : null;
    return loaded && loaded.model.release >= (this.#heard.get(tenantKey) ?? 0) ? loaded : null;
  }

  async get(tenantKey: string, as: 'told' | 'stored' = 'told'): Promise<TenantModel> {
    if (as === 'stored') this.published(tenantKey, (await getTenant(this.#database, tenantKey)).release);
    for (;;) {
      const entry = this.#entries.get(tenantKey) ?? this.#load(tenantKey);
      const loaded = await entry.loading;
      const newest = this.#listening ? (this.#heard.get(tenantKey) ?? 0) : await this.#newest(tenantKey, entry);
      // Another one when what was found just now differs.
      if (loaded.model.release >= newest) return this.#listening ? loaded : entry.loading;
      if (this.#entries.get(tenantKey) === entry) this.#entries.delete(tenantKey);
    }
  }

  /** For {@link ModelSource.switched}: the model stays, what is switched is read anew before it is given out again. */
  readonly switched = (tenantKey: string): void => {
    const entry = this.#entries.get(tenantKey);
    if (!entry) return;
    this.#await(
      entry,
      entry.loading.then(async (loaded) => this.#switchedTo(entry, loaded, (await this.#now(tenantKey)).switches)),
    );
    // Whoever waits for it is told; that nobody does must not end the process.
    entry.loading.catch(() => this.#entries.delete(tenantKey));
  };

  /** The release the database has now; what is switched is taken along. */
  async #newest(tenantKey: string, entry: Entry): Promise<number> {
    const { release, switches } = await this.#now(tenantKey);
    if (switches !== entry.switches)
      this.#await(
        entry,
        entry.loading.then((loaded) => this.#switchedTo(entry, loaded, switches)),
      );
    return release;
  }

  async #now(tenantKey: string): Promise<{ readonly release: number; readonly switches: string }> {
    const [result] = await this.#database.batch(bareSession('armature_gate'), [
      {
        text: `select t.release::text, ${SWITCHES} from armature.tenant t where t.key = $1`,
        values: [tenantKey],
      },
    ]);
    const row = result?.rows[0];
    if (!row) throw notFound();
    return { release: Number(row[0]), switches: row[1] ?? '{}' };
  }

  #switchedTo(entry: Entry, loaded: TenantModel, switches: string): TenantModel {
    if (switches === entry.switches) return loaded;
    entry.switches = switches;
    return Object.freeze({ ...loaded, switched: parseSwitches(switches) });
  }

  /** From now on the entry is what `loading` comes to. */
  #await(entry: Entry, loading: Promise<TenantModel>): void {
    entry.loading = loading;
    entry.loaded = null;
    const keep = (loaded: TenantModel | null) => {
      if (entry.loading === loading) entry.loaded = loaded;
    };
    loading.then(keep, () => keep(null));
  }

  #load(tenantKey: string): Entry {
    const loading = this.#read(tenantKey, (text) => (entry.switches = text));
    const entry: Entry = { loading, loaded: null, release: null, switches: '{}', weight: 1 };
    this.#await(entry, loading);
    this.#entries.set(tenantKey, entry);
    entry.loading.then(
      ({ model }) => {
        entry.release = model.release;
        entry.weight = Math.max(1, model.entities.size);
        this.#shrink(entry);
      },
      () => {
        if (this.#entries.get(tenantKey) === entry) this.#entries.delete(tenantKey);
      },
    );
    return entry;
  }

  /** Lets go of the oldest, but never of the one that was just asked for. */
  #shrink(kept: Entry): void {
    let weight = 0;
    for (const entry of this.#entries.values()) weight += entry.weight;
    for (const [key, entry] of this.#entries) {
      if (weight <= this.#max) break;
      if (entry === kept) continue;
      this.#entries.delete(key);
      weight -= entry.weight;
    }
  }

  async #read(tenantKey: string, onSwitches: (text: string) => void): Promise<TenantModel> {
    const [result] = await this.#database.batch(bareSession('armature_gate'), [
      {
        text: `select ${TENANT_COLUMNS}, ${SWITCHES}, r.source::text as source from armature.tenant t
               left join armature.release r on r.tenant_id = t.id and r.number = t.release where t.key = $1`,
        values: [tenantKey],
      },
    ]);
    const row = result?.rows[0];
    if (!row) throw notFound();
    const { tenant } = foundTenant(row);
    const source = row.at(-1);
    const switches = row.at(-2) ?? '{}';
    onSwitches(switches);
    const switched = parseSwitches(switches);
    return Object.freeze({ tenant, switched, model: source ? buildModel(parseSource(source)) : emptyModel(tenantKey) });
  }

  #hear(payload: string): void {
    const [tenantKey, release] = payload.split(' ');
    if (tenantKey && release === 'flags') this.switched(tenantKey);
    else if (tenantKey && release) this.published(tenantKey, Number(release));
  }
}

function parseSwitches(text: string): ReadonlyMap<string, boolean> {
  const json: unknown = JSON.parse(text);
  const pairs = Object.entries(typeof json === 'object' && json !== null ? json : {});
  return new Map(pairs.map(([flag, on]) => [flag, on === true]));
}

/** Written by a publish, which had built a model of it. */
function parseSource(text: string): ReleaseSource {
  return JSON.parse(text);
}

/** A tenant that has no release yet has an empty model. */
function emptyModel(tenant: string): Model {
  const settings = { currency: 'EUR', country: 'DE', timeZone: 'UTC', locale: 'en' };
  return buildModel({ tenant, release: 0, settings, packs: [], tenantDocuments: [], identities: NO_IDENTITIES });
}
