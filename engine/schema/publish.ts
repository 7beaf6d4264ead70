/**
 * Publishing: documents → model → desired state → difference → one transaction. Either the whole release is there
 * afterwards or nothing of it.
 */
import type { PoolClient } from 'pg';
import type { Database } from '../db/database.ts';
import { problemOf } from '../db/database-error.ts';
import { quote } from '../db/identifiers.ts';
import { buildModel } from '../model/build.ts';
import type { Pack, ReleaseSource } from '../model/documents.ts';
import { loadShippedPacks } from '../model/packs.ts';
import type { Tenant } from '../model/tenant.ts';
import type { UpgradeConflict } from '../model/upgrade.ts';
import { invalidAt, notFound, Problem, type ProblemDetail } from '../problem.ts';
import { checkRows, estimateRows, registerRoles, runChanges } from './apply.ts';
import type { Change } from './change.ts';
import { desiredState } from './desired.ts';
import { contextOf } from './context.ts';
import { difference } from './diff.ts';
import { diffReleases, type ReleaseDiff } from './diff-releases.ts';
import { exportedDocuments } from './exported.ts';
import { makePlan, type Plan } from './plan.ts';
import {
  listReleases,
  loadRelease,
  loadSource,
  loadState,
  loadTenant,
  type Release,
  type ReleaseSummary,
  saveRelease,
} from './release-store.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { rulesBroken } from './rule-rows.ts';
import { upgradeConflict } from './upgrade-conflict.ts';
import {
  emptySource,
  keepAll,
  locate,
  nextSource,
  sourceAgain,
  type SourceInput,
  type TenantDocument,
} from './source.ts';
import type { DesiredState } from './state.ts';

/** Milliseconds DDL may wait for a lock: everybody else waits behind it for as long. */
const LOCK_TIMEOUT = 250;

export interface PublisherOptions extends RetryOptions {
  readonly database: Database;
  /** Told at once after a publish of this process, before it is answered. */
  readonly onPublished?: (tenantKey: string, release: number) => void;
  /** The packs that ship with the engine; read from `metadata/` when left out. */
  readonly packs?: readonly Pack[];
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

/** Everything a publish is about to do. */
interface Prepared {
  readonly source: ReleaseSource;
  readonly before: DesiredState | null;
  readonly state: DesiredState;
  /** Keys of the roles of administrators. */
  readonly administrators: readonly string[];
  readonly changes: readonly Change[];
  readonly plan: Plan;
}

type MakeSource = (client: PoolClient, tenant: Tenant, release: number) => Promise<ReleaseSource>;

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
      return { ...(await prepare(client, tenant, release, make)).plan, conflicts };
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
    return publishIn(client, tenantKey, input, this.#fromInput(input));
  }

  async #publish(
    tenantKey: string,
    input: Omit<PublishInput, 'packs' | 'documents'>,
    make: MakeSource,
  ): Promise<Release> {
    const release = await withRetries(
      () => this.#owner((client) => publishIn(client, tenantKey, input, make)),
      this.#options,
    ).catch(toProblem);
    this.#options.onPublished?.(tenantKey, release.number);
    return release;
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
    const { conflicts } = nextSource(tenant, release + 1, previous, input, shipped);
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

async function publishIn(
  client: PoolClient,
  tenantKey: string,
  input: Omit<PublishInput, 'packs' | 'documents'>,
  make: MakeSource,
): Promise<Release> {
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}; set local search_path = pg_catalog, pg_temp`);
  const { rows } = await client.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 4092212)) as locked',
    [tenantKey],
  );
  if (!rows[0]?.locked)
    throw new Problem('publish_in_progress', 'Somebody is publishing right now. Try again when they are done.');
  // Read with the lock held: whoever had it before has committed.
  const { tenant, release } = await loadTenant(client, tenantKey);
  requireBase(input.base, release);
  const prepared = await prepare(client, tenant, release, make);
  if (prepared.before === null) await client.query(`create schema ${quote(prepared.state.schema)}`);
  await runChanges(client, prepared.changes);
  await registerRoles(client, tenant, prepared.before, prepared.state, prepared.administrators);
  return saveRelease(client, { tenant, ...prepared, base: input.base, author: input.author, message: input.message });
}

async function prepare(client: PoolClient, tenant: Tenant, release: number, make: MakeSource): Promise<Prepared> {
  const source = await make(client, tenant, release);
  const model = buildModel(source);
  const before = await loadState(client, tenant);
  const { settled, changes } = located(source, () => difference(before, desiredState(tenant, model)));
  await checkRows(client, changes, source);
  const rows = before === null ? new Map<string, number>() : await estimateRows(client, before.schema);
  const plan = makePlan(release, changes, (table) => rows.get(before?.tables[table]?.name ?? '') ?? 0);
  const broken = before === null ? [] : await rulesBroken(client, contextOf(tenant, model), before, settled);
  const administrators = [...model.roles.values()].filter(({ administrator }) => administrator).map(({ key }) => key);
  return {
    source,
    before,
    state: settled,
    administrators,
    changes,
    plan: broken.length === 0 ? plan : { ...plan, warnings: [...plan.warnings, ...broken] },
  };
}

async function releaseSource(client: PoolClient, { tenant: key, release }: ReleaseName): Promise<ReleaseSource> {
  const { tenant } = await loadTenant(client, key);
  const source = await loadSource(client, tenant, release);
  if (source) return source;
  if (release !== 0) throw notFound();
  return emptySource(tenant);
}

function requireBase(base: number, release: number): void {
  if (base === release) return;
  const message = `This is based on release ${base}, and release ${release} is the current one.`;
  throw new Problem('stale_base', message, [
    { code: 'stale_base', message, pointer: '/base', params: { base, current: release } },
  ]);
}

/** Refusals know the field; here they get the place in the documents. */
function located<T>(source: ReleaseSource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_document') throw error;
    throw new Problem(
      'invalid_document',
      error.message,
      error.errors.map((detail) => place(source, detail)),
      { cause: error },
    );
  }
}

function place(
  source: ReleaseSource,
  detail: ProblemDetail & { readonly entity?: string; readonly field?: string | null },
): ProblemDetail {
  const { entity, field, ...rest } = detail;
  return entity === undefined ? rest : { ...rest, ...locate(source, entity, field ?? null, null) };
}

function isDocument(document: unknown): document is TenantDocument {
  return typeof document === 'object' && document !== null && !Array.isArray(document);
}

function toProblem(error: unknown): never {
  throw problemOf(error);
}
