/**
 * Publishing: documents → model → desired state → difference → one transaction. Either the whole release is there
 * afterwards or nothing of it.
 */
import type { PoolClient } from 'pg';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { problemOf } from '../db/database-error.ts';
import type { Pack, ReleaseSource } from '../model/documents.ts';
import { loadShippedPacks } from '../model/packs.ts';
import type { Tenant } from '../model/tenant.ts';
import type { UpgradeConflict } from '../model/upgrade.ts';
import { invalidAt, notFound } from '../problem.ts';
import type { Ready } from './convert/ahead.ts';
import type { OnFails } from './convert/conversions.ts';
import { clearAhead, convertAheadOf, NeedsConversion } from './convert/publishing.ts';
import { diffReleases, type ReleaseDiff } from './diff-releases.ts';
import { exportedDocuments } from './exported.ts';
import type { Plan } from './plan.ts';
import { type MakeSource, planWithPreviews, prepare } from './prepare.ts';
import { publishIn, requireBase } from './publish-transaction.ts';
import {
  isMadeByAnother,
  listReleases,
  loadIdentities,
  loadRelease,
  loadSource,
  loadTenant,
  madeAlike,
  type Release,
  type ReleaseSummary,
} from './release-store.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import {
  emptySource,
  keepAll,
  nextSource,
  returningIds,
  sourceAgain,
  type SourceInput,
  type TenantDocument,
} from './source.ts';
import { upgradeConflict } from './upgrade-conflict.ts';

export interface PublisherOptions extends RetryOptions {
  readonly database: Database;
  /** Told at once after a publish of this process, before it is answered. */
  readonly onPublished?: (tenantKey: string, release: number) => void;
  /** The packs that ship with the engine; read from `metadata/` when left out. */
  readonly packs?: readonly Pack[];
  /** Which month it is (default: the system's). */
  readonly clock?: Clock;
  /** Records from which on a table is changed without going through it in the transaction (default 5,000). */
  readonly deferAbove?: number;
  /** Sees to it that the steps left for afterwards are worked off; part of the publish's transaction. */
  readonly queueSteps?: (client: PoolClient, tenantKey: string) => Promise<void>;
  /** Layers of the plugins that are installed. */
  readonly plugins?: readonly Pack[];
}

export interface PublishInput extends SourceInput {
  /** Release it is based on; refused when another came first. */
  readonly base: number;
  readonly author: string;
  readonly message: string;
}

export interface RollbackInput {
  /** As {@link SourceInput.onFail}. */
  readonly onFail?: OnFails | undefined;
  readonly base: number;
  /** Release whose documents are published again. */
  readonly to: number;
  readonly author: string;
  readonly message: string;
}

export interface PublishedDocuments {
  readonly release: number;
  /** Pack keys, `core` among them. */
  readonly packs: readonly string[];
  /** Pack key → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** The organisation's own, as they were published. */
  readonly documents: readonly TenantDocument[];
}

export interface ReleaseName {
  readonly tenant: string;
  readonly release: number;
}

export class Publisher {
  readonly #database: Database;
  readonly #options: PublisherOptions;
  #shipped: Promise<readonly Pack[]> | null = null;

  constructor(options: PublisherOptions) {
    this.#database = options.database;
    this.#options = options;
  }

  /**
   * What publishing would do, without doing it.
   * @throws Problem `invalid_document` for documents with faults and for changes that the records do not allow;
   *   `stale_base` when a base is given and is not the current release
   */
  async plan(
    tenantKey: string,
    input: SourceInput & { readonly base?: number | undefined },
  ): Promise<Plan & { readonly conflicts: readonly UpgradeConflict[] }> {
    return this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      if (input.base !== undefined) requireBase(input.base, release);
      const { make, conflicts } = await this.#decided(client, tenant, release, input);
      const prepared = await prepare(client, tenant, release, make, { ...this.#options, onFail: input.onFail });
      return { ...(await planWithPreviews(client, prepared)), conflicts };
    });
  }

  /**
   * @throws Problem as {@link plan}; `publish_in_progress` while another one runs; `unavailable` when long-running work
   *   held the tables for too long. Nothing is changed then.
   */
  async publish(tenantKey: string, input: PublishInput): Promise<Release> {
    return this.#publish(tenantKey, input, this.#fromInput(input));
  }

  /**
   * Publishes an earlier release anew, under the next number: what was set aside since comes back with its values.
   * @throws Problem `invalid` at `/to` for a release that does not exist, and as {@link publish}
   */
  async rollback(tenantKey: string, input: RollbackInput): Promise<Release> {
    return this.#publish(tenantKey, input, async (client, tenant, release) => {
      const old = await loadSource(client, tenant, input.to);
      if (!old) {
        const message = `There is no release ${input.to}; the newest one is ${release}.`;
        throw invalidAt('/to', message, 'unknown_reference', { found: input.to, newest: release });
      }
      return sourceAgain(tenant, release + 1, old);
    });
  }

  /**
   * Publishes the current release anew where this engine wants something else of the schema than the one that made it:
   * after an upgrade, before anything is asked of the schema that it does not have.
   * @returns the release that does so; `null` where nothing was to be done
   * @throws Problem as {@link publish}
   */
  async renew(tenantKey: string): Promise<Release | null> {
    const current = await this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      if (!(await isMadeByAnother(client, tenant))) return null;
      const old = await loadSource(client, tenant, release);
      if (!old) return null;
      const make = async () => sourceAgain(tenant, release + 1, old);
      const { changes, drafts } = await prepare(client, tenant, release, make, this.#options);
      if (changes.length + drafts.length > 0) return release;
      await madeAlike(client, tenant, release);
      return null;
    });
    if (current === null) return null;
    const message = 'Schema brought up to date after an upgrade of Armature';
    return this.rollback(tenantKey, { base: current, to: current, author: 'armature', message });
  }

  /** Newest first. */
  async releases(tenantKey: string): Promise<readonly ReleaseSummary[]> {
    return this.#owner(async (client) => listReleases(client, (await loadTenant(client, tenantKey)).tenant));
  }

  /** One release with its plan. @throws Problem `not_found` */
  async release(tenantKey: string, number: number): Promise<Release> {
    return this.#owner(async (client) => {
      const found = await loadRelease(client, (await loadTenant(client, tenantKey)).tenant, number);
      if (!found) throw notFound();
      return found;
    });
  }

  /**
   * What a release was made from.
   * @param options.identities writes `id` into what is the organisation's own, for an export
   * @param options.release the current one when left out
   * @throws Problem `not_found` for a release that does not exist
   */
  async documents(
    tenantKey: string,
    options: { readonly identities?: boolean; readonly release?: number } = {},
  ): Promise<PublishedDocuments> {
    return this.#owner(async (client) => {
      const { tenant, release: current } = await loadTenant(client, tenantKey);
      const release = options.release ?? current;
      const source = await loadSource(client, tenant, release);
      if (source === null && release !== 0) throw notFound();
      const asPublished = () => source?.tenantDocuments.map(({ document }) => document).filter(isDocument);
      const documents = (options.identities && source ? exportedDocuments(source) : asPublished()) ?? [];
      const packs = source?.packs ?? [];
      return {
        release,
        packs: packs.map(({ key }) => key),
        versions: Object.fromEntries(packs.map(({ key, version }) => [key, version])),
        documents,
      };
    });
  }

  /** @throws Problem `not_found` for a release that does not exist; release 0 has nothing */
  async diff(from: ReleaseName, to: ReleaseName): Promise<ReleaseDiff> {
    return this.#owner(async (client) =>
      diffReleases(await releaseSource(client, from), await releaseSource(client, to)),
    );
  }

  /**
   * The first release inside a transaction of the owner that makes the tenant as well.
   * @internal for `tenants.ts`
   */
  async publishWithin(client: PoolClient, tenantKey: string, input: PublishInput): Promise<Release> {
    return publishIn(client, tenantKey, input, this.#fromInput(input), this.#options);
  }

  async #publish(
    tenantKey: string,
    input: Omit<PublishInput, 'packs' | 'documents'>,
    make: MakeSource,
  ): Promise<Release> {
    const release = await this.#convertingAhead((ready) =>
      withRetries(
        () => this.#owner((client) => publishIn(client, tenantKey, input, make, { ...this.#options, ready })),
        this.#options,
      ),
    ).catch(toProblem);
    this.#options.onPublished?.(tenantKey, release.number);
    return release;
  }

  /** Large tables are converted before the release that needs it, and once more where much was written meanwhile. */
  async #convertingAhead(publish: (ready: readonly Ready[]) => Promise<Release>): Promise<Release> {
    let ready: readonly Ready[] = [];
    let tenant: Tenant | null = null;
    for (let round = 0; ; round += 1) {
      try {
        return await publish(ready);
      } catch (error) {
        if (!(error instanceof NeedsConversion) || round > 5) {
          if (tenant !== null) await clearAhead(this.#database, tenant);
          throw error;
        }
        tenant = error.prepared.tenant;
        ready = await convertAheadOf(this.#database, error.prepared, this.#options);
      }
    }
  }

  #fromInput(input: SourceInput): MakeSource {
    return async (client, tenant, release) => {
      const previous = release === 0 ? null : await loadSource(client, tenant, release);
      const { source, conflicts } = nextSource(
        tenant,
        release + 1,
        previous,
        input,
        await this.#shippedFor(input, previous),
        await loadIdentities(client, tenant, returningIds(previous, input)),
      );
      if (conflicts.length > 0) throw upgradeConflict(conflicts);
      return source;
    };
  }

  /** What is undecided, and the source with all of it decided for the organisation. */
  async #decided(
    client: PoolClient,
    tenant: Tenant,
    release: number,
    input: SourceInput,
  ): Promise<{ readonly make: MakeSource; readonly conflicts: readonly UpgradeConflict[] }> {
    const previous = release === 0 ? null : await loadSource(client, tenant, release);
    const shipped = await this.#shippedFor(input, previous);
    const former = await loadIdentities(client, tenant, returningIds(previous, input));
    const { conflicts } = nextSource(tenant, release + 1, previous, input, shipped, former);
    const resolutions = { ...keepAll(conflicts), ...input.resolutions };
    return { make: this.#fromInput({ ...input, resolutions }), conflicts };
  }

  async #shippedFor(input: SourceInput, previous: ReleaseSource | null): Promise<readonly Pack[]> {
    return input.packs || input.upgrade || !previous ? this.#packs() : [];
  }

  async #packs(): Promise<readonly Pack[]> {
    const { packs, plugins = [] } = this.#options;
    if (packs) return [...packs, ...plugins];
    this.#shipped ??= loadShippedPacks().catch((error: unknown) => {
      this.#shipped = null;
      throw error;
    });
    return [...(await this.#shipped), ...plugins];
  }

  async #owner<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#database.ownerTransaction(work);
  }
}

async function releaseSource(client: PoolClient, { tenant: key, release }: ReleaseName): Promise<ReleaseSource> {
  const { tenant } = await loadTenant(client, key);
  const source = await loadSource(client, tenant, release);
  if (source) return source;
  if (release !== 0) throw notFound();
  return emptySource(tenant);
}

function isDocument(document: unknown): document is TenantDocument {
  return typeof document === 'object' && document !== null && !Array.isArray(document);
}

function toProblem(error: unknown): never {
  throw problemOf(error);
}
