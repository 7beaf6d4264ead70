/**
 * Publishing: documents → model → desired state → difference → one transaction. Either the whole release is there
 * afterwards or nothing of it.
 */
import type { PoolClient } from 'pg';
import { type Clock, systemClock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { problemOf } from '../db/database-error.ts';
import { quote } from '../db/identifiers.ts';
import type { Pack } from '../model/documents.ts';
import { loadShippedPacks } from '../model/packs.ts';
import type { Tenant } from '../model/tenant.ts';
import { invalidAt, notFound, Problem } from '../problem.ts';
import { registerRoles, runChanges } from './apply.ts';
import type { Change } from './change.ts';
import { askForPurge, listSetAside, type SetAside } from './deferred/retention.ts';
import {
  addSteps,
  finishAhead,
  interrupt,
  listSteps,
  pause,
  setStep,
  type Step,
  type StepRow,
  supersede,
} from './deferred/store.ts';
import { exportedDocuments } from './exported.ts';
import type { Plan } from './plan.ts';
import { clearAhead, convertAheadOf, converting, NeedsConversion, requireConverted } from './convert/publishing.ts';
import type { OnFails } from './convert/conversions.ts';
import type { StepWork } from './deferred/work.ts';
import { type MakeSource, planWithPreviews, prepare, type PrepareOptions } from './prepare.ts';
import { dividedTables, makePartitions } from './partitions.ts';
import { tryPublishLock } from './publish-lock.ts';
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
import { nextSource, sourceAgain, type SourceInput, type TenantDocument } from './source.ts';

/** Milliseconds DDL may wait for a lock: everybody else waits behind it for as long, and for what it does then. */
const LOCK_TIMEOUT = 50;

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
}

export interface PublishInput extends SourceInput {
  /** What becomes of values that a field's new type cannot take: refused when left out. */
  readonly onFail?: OnFails | undefined;
  /** Release it is based on; refused when another came first. */
  readonly base: number;
  readonly author: string;
  readonly message: string;
}

export interface PlanInput extends SourceInput {
  readonly base?: number | undefined;
  /** As {@link PublishInput.onFail}. */
  readonly onFail?: OnFails | undefined;
}

export interface RollbackInput {
  /** As {@link PublishInput.onFail}. */
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
  /** The organisation's own, as they were published. */
  readonly documents: readonly TenantDocument[];
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
  async plan(tenantKey: string, input: PlanInput): Promise<Plan> {
    const make = this.#fromInput(input);
    return this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      if (input.base !== undefined) requireBase(input.base, release);
      return planWithPreviews(
        client,
        await prepare(client, tenant, release, make, { ...this.#options, onFail: input.onFail }),
      );
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

  /** What publishes left for afterwards, newest first, those that are done among it. */
  async steps(tenantKey: string, limit = 200): Promise<readonly Step[]> {
    return this.#owner(async (client) => listSteps(client, (await loadTenant(client, tenantKey)).tenant, limit));
  }

  /**
   * Takes a step back; what it has done so far stays until the next publish, which proposes the rest anew.
   * @throws Problem `not_found`; `conflict` for a step that is done or superseded
   */
  async cancelStep(tenantKey: string, number: number): Promise<void> {
    await this.#setStep(tenantKey, number, 'cancelled');
  }

  /**
   * Gives a step that failed or was cancelled another chance.
   * @throws Problem as {@link cancelStep}
   */
  async retryStep(tenantKey: string, number: number): Promise<void> {
    await this.#setStep(tenantKey, number, 'waiting');
  }

  /** What was set aside at least so many days ago, oldest first. */
  async setAside(tenantKey: string, days: number): Promise<readonly SetAside[]> {
    return this.#owner(async (client) => listSetAside(client, (await loadTenant(client, tenantKey)).tenant, days));
  }

  /** Leaves the purge of what was set aside so long ago to be worked off. @returns how many steps that makes */
  async purge(tenantKey: string, days: number): Promise<number> {
    return this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      const state = await loadState(client, tenant);
      const count = state ? await askForPurge(client, tenant, release, state, days) : 0;
      if (count > 0) await this.#options.queueSteps?.(client, tenantKey);
      return count;
    });
  }

  async #setStep(tenantKey: string, number: number, to: 'waiting' | 'cancelled'): Promise<void> {
    await withRetries(
      () =>
        this.#owner(async (client) => {
          await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}`);
          const { tenant } = await loadTenant(client, tenantKey);
          const backend = await setStep(client, tenant, number, to);
          if (backend !== null) await interrupt(client, [backend]);
          if (to === 'waiting') await this.#options.queueSteps?.(client, tenantKey);
        }),
      this.#options,
    ).catch(toProblem);
  }

  /**
   * What the current release was made from.
   * @param options.identities writes `id` into what is the organisation's own, for an export
   */
  async documents(tenantKey: string, options: { readonly identities?: boolean } = {}): Promise<PublishedDocuments> {
    return this.#owner(async (client) => {
      const { tenant, release } = await loadTenant(client, tenantKey);
      const source = await loadSource(client, tenant, release);
      const asPublished = () => source?.tenantDocuments.map(({ document }) => document).filter(isDocument);
      const documents = (options.identities && source ? exportedDocuments(source) : asPublished()) ?? [];
      return { release, packs: source?.packs.map(({ key }) => key) ?? [], documents };
    });
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
  async #convertingAhead(publish: (ready: readonly StepWork[]) => Promise<Release>): Promise<Release> {
    let ready: readonly StepWork[] = [];
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
      const shipped = input.packs || !previous ? await this.#packs() : [];
      return nextSource(tenant, release + 1, previous, input, shipped);
    };
  }

  async #packs(): Promise<readonly Pack[]> {
    if (this.#options.packs) return this.#options.packs;
    this.#shipped ??= loadShippedPacks().catch((error: unknown) => {
      this.#shipped = null;
      throw error;
    });
    return this.#shipped;
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
  options: PrepareOptions & Pick<PublisherOptions, 'queueSteps' | 'clock'>,
): Promise<Release> {
  const { ready = [] } = options;
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT}; set local search_path = pg_catalog, pg_temp`);
  if (!(await tryPublishLock(client, tenantKey)))
    throw new Problem('publish_in_progress', 'Somebody is publishing right now. Try again when they are done.');
  // Read with the lock held: whoever had it before has committed.
  const { tenant, release } = await loadTenant(client, tenantKey);
  requireBase(input.base, release);
  const prepared = await prepare(client, tenant, release, make, {
    ...options,
    onFail: input.onFail,
    publishing: true,
  });
  requireConverted(prepared, ready);
  if (prepared.before === null) await client.query(`create schema ${quote(prepared.state.schema)}`);
  await makeWay(client, tenant, prepared.kept, prepared.changes);
  await runChanges(client, prepared.changes, converting(client, prepared));
  for (const table of dividedTables(prepared.state))
    await makePartitions(client, prepared.state, table, (options.clock ?? systemClock).now());
  await registerRoles(client, tenant, prepared.before, prepared.state);
  await supersede(
    client,
    tenant,
    release + 1,
    prepared.superseded.map(({ number }) => number),
  );
  await finishAhead(client, tenant, prepared.kept);
  await addSteps(client, tenant, release + 1, prepared.drafts);
  const paused = prepared.kept.filter(({ state, work }) => state === 'running' && work.kind !== 'convert');
  const waiting = prepared.drafts.length + paused.length;
  if (waiting > 0) await options.queueSteps?.(client, tenantKey);
  return saveRelease(client, { ...prepared, base: input.base, author: input.author, message: input.message });
}

/** Steps under way on tables that the publish changes stand aside; they begin anew after it. */
async function makeWay(
  client: PoolClient,
  tenant: Tenant,
  steps: readonly StepRow[],
  changes: readonly Change[],
): Promise<void> {
  const locking = changes.filter(({ lock }) => lock !== 'none');
  const tables = new Set(locking.map(({ table }) => table));
  // A reference locks the table it leads to as well.
  const all = locking.some(({ kind }) => kind === 'change_reference' || kind === 'set_table_aside');
  const inTheWay = steps.filter(
    ({ state, work }) => state === 'running' && work.kind !== 'convert' && (all || tables.has(work.table)),
  );
  await pause(
    client,
    tenant,
    inTheWay.map(({ number }) => number),
  );
  await interrupt(
    client,
    inTheWay.flatMap(({ backend }) => backend ?? []),
  );
}

function requireBase(base: number, release: number): void {
  if (base === release) return;
  const message = `This is based on release ${base}, and release ${release} is the current one.`;
  throw new Problem('stale_base', message, [
    { code: 'stale_base', message, pointer: '/base', params: { base, current: release } },
  ]);
}

function isDocument(document: unknown): document is TenantDocument {
  return typeof document === 'object' && document !== null && !Array.isArray(document);
}

function toProblem(error: unknown): never {
  throw problemOf(error);
}
