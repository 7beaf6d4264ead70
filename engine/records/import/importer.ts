/**
 * Bringing files in: upload, mapping, run in the background, result. Whoever imports does so with their own rights, from
 * the look at the columns to the last row.
 */
import { Readable } from 'node:stream';
import type { IdSource } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import type { Principal } from '#engine/identity/principal.ts';
import { systemPrincipal } from '#engine/identity/service-principals.ts';
import type { JobContext, Jobs } from '#engine/jobs/jobs.ts';
import { Interrupted } from '#engine/jobs/interrupted.ts';
import { enqueueStatement } from '#engine/jobs/queue.ts';
import type { Entity } from '#engine/model/model.ts';
import { systemClock } from '#engine/clock.ts';
import { rightsBehindFlags } from '#engine/model/flag-rights.ts';
import { rightsOf } from '#engine/model/rights.ts';
import type { ModelSource } from '#engine/model/tenant.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import { isObject } from '../write/validate.ts';
import { proposeMapping } from './columns.ts';
import type { Cell, FileRow } from './csv.ts';
import { BYTE_ORDER_MARK, csvLine, guardUntyped } from '../csv-text.ts';
import type { ImportSettings } from './mapping.ts';
import { readSettings } from './mapping.ts';
import { badFile } from './problems.ts';
import { importedEntity, markFailed, runImport } from './run.ts';
import type { TableOptions } from './table-file.ts';
import { readTable } from './table-file.ts';
import { plainNumber } from './xlsx/styles.ts';
import type { State, StoredImport } from './store.ts';
import {
  insertImport,
  insertRows,
  readDuplicates,
  readFailed,
  readImport,
  resetImport,
  selectDuplicates,
  type ToldDuplicates,
  selectFailed,
  selectImport,
  setState,
  updateSettings,
} from './store.ts';

/** Rows of a statement that stores the file. */
const CHUNK = 1000;
const SAMPLE = 5;
/** Imports that run at the same time: of all organisations, and of one, so that others find room at once. */
const TOGETHER = { all: 4, tenant: 2 } as const;
/** Milliseconds until an import that found no room looks again. */
const PAUSE = 1000;
const SHOWN_ERRORS = 20;

export interface Upload {
  readonly id: string;
  readonly columns: readonly string[];
  /** The first rows, cells in the order of the columns. */
  readonly sample: readonly (readonly string[])[];
  /** What each column probably is: column → field key or null. */
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly rows: number;
  /** Sheets of a workbook that can be seen; empty for CSV. */
  readonly sheets: readonly string[];
  /** The sheet that was read. */
  readonly sheet: string | null;
}

export interface ImportStatus {
  readonly id: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly settings: ImportSettings;
  readonly state: State;
  readonly dryRun: boolean;
  readonly total: number;
  readonly processed: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  /** Why the run ended before its time; `null` otherwise. */
  readonly problem: unknown;
  /** The first twenty rows that failed. */
  readonly errors: readonly { readonly line: number; readonly message: string }[];
  /** Rows that became a record which may have been there already, where this is looked for: how many, and the first twenty. */
  readonly duplicates: ToldDuplicates;
}

type RunContext = Pick<JobContext, 'signal' | 'last'> & Partial<Pick<JobContext, 'othersWait'>>;

interface ImportJob {
  readonly tenant: string;
  readonly id: string;
  readonly user: string;
}

export interface ImporterServices {
  readonly database: Database;
  readonly ids: IdSource;
  readonly models: ModelSource;
  /** The user as they are now; `null` when they may no longer act. Asked when a run begins. */
  readonly principalOf: (tenant: string, userId: string) => Principal | null | Promise<Principal | null>;
}

export class Importer {
  readonly #services: ImporterServices;
  /** By organisation, how many imports run. */
  readonly #running = new Map<string, number>();

  constructor(services: ImporterServices) {
    this.#services = services;
  }

  /**
   * Reads a CSV file or an Excel workbook and stores its rows; nothing of it when it cannot be read.
   * @throws Problem `invalid_import` with the line, `too_large`, `forbidden`, `not_found`
   */
  async upload(
    scope: Scope,
    entity: Entity,
    file: TableOptions & { readonly name: string; readonly stream: Readable },
  ): Promise<Upload> {
    requirePerson(scope, importedEntity(scope, entity.name));
    let columns: readonly string[] = [];
    const sample: FileRow[] = [];
    // The file is read to its end before the database hears of it: a slow sender must not hold a connection.
    const pieces: { first: number; last: number; json: string }[] = [];
    let open: FileRow[] = [];
    const close = () => {
      const [first] = open;
      const last = open.at(-1);
      if (first && last) pieces.push({ first: first.line, last: last.line, json: JSON.stringify(open) });
      open = [];
    };
    const table = await readTable(
      file.stream,
      (header) => {
        columns = header;
      },
      (row) => {
        if (sample.length < SAMPLE) sample.push(row);
        open.push(row);
        if (open.length >= CHUNK) close();
      },
      file,
    );
    const { rows } = table;
    close();
    const id = this.#services.ids.uuid();
    const mapping = proposeMapping(scope, entity, columns);
    const settings: ImportSettings = {
      mapping: Object.fromEntries(
        Object.entries(mapping).flatMap(([column, field]) => (field === null ? [] : [[column, { field }]])),
      ),
      upsertBy: null,
      dateOrder: null,
      decimalMark: null,
      duplicates: null,
      dryRun: false,
    };
    await this.#services.database.transaction(sessionOf(scope.principal), async ({ send }) => {
      await send(insertImport(scope, { id, entity: entity.name, name: file.name, columns, settings, total: rows }));
      for (const piece of pieces) await send(insertRows(scope, id, piece));
    });
    return {
      id,
      columns,
      sample: sample.map(({ cells }) => columns.map((_, index) => shown(cells[index] ?? ''))),
      mapping,
      rows,
      sheets: table.sheets,
      sheet: table.sheet,
    };
  }

  /** Changes the settings; see {@link readSettings}. @throws Problem `invalid`, `conflict` while it runs, `not_found` */
  async configure(scope: Scope, entity: Entity, id: string, body: unknown): Promise<ImportStatus> {
    importedEntity(scope, entity.name);
    const stored = await this.#read(scope, entity, id);
    requireStill(stored);
    const settings = readSettings(scope, entity, stored.columns, stored.settings, body);
    await this.#services.database.batch(sessionOf(scope.principal), [
      updateSettings(scope, stored.id, settings),
      // What a trial said does not hold for other settings.
      ...(stored.state === 'done' ? resetImport(scope, stored.id, 'uploaded') : []),
    ]);
    return this.status(scope, entity, id);
  }

  /**
   * Puts the run into the queue.
   * @param body settings to be changed before, as for {@link configure}; may be empty
   * @throws Problem `invalid` when no column is mapped, `conflict` when it runs or has run already, `not_found`
   */
  async start(scope: Scope, entity: Entity, id: string, body?: unknown): Promise<ImportStatus> {
    importedEntity(scope, entity.name);
    const { database, ids } = this.#services;
    await database.transaction(sessionOf(scope.principal), async ({ send }) => {
      const [found] = await send(selectImport(scope, id, true));
      const stored = readImport(found, entity.name);
      requireStill(stored);
      const settings =
        isObject(body) && Object.keys(body).length === 0
          ? stored.settings
          : readSettings(scope, entity, stored.columns, stored.settings, body ?? {});
      if (Object.keys(settings.mapping).length === 0) {
        const message = 'No column is mapped to a field.';
        throw new Problem('invalid', message, [{ code: 'unmapped', message, pointer: '/mapping' }]);
      }
      // A real run that failed goes on where it stopped; everything else begins anew.
      const resumed = stored.state === 'failed' && !stored.settings.dryRun && !settings.dryRun;
      await send(
        updateSettings(scope, stored.id, settings),
        ...(resumed ? [setState(scope, stored.id, 'queued')] : resetImport(scope, stored.id, 'queued')),
        enqueueStatement({
          queue: 'imports',
          id: ids.uuid(),
          name: 'import',
          data: { tenant: scope.tenant.key, import: stored.id, user: scope.principal.userId },
        }),
      );
    });
    return this.status(scope, entity, id);
  }

  /** @throws Problem `not_found`: each sees their own imports only */
  async status(scope: Scope, entity: Entity, id: string): Promise<ImportStatus> {
    const [found, failed, alike] = await this.#services.database.batch(sessionOf(scope.principal), [
      selectImport(scope, id),
      selectFailed(scope, id, 0, SHOWN_ERRORS),
      selectDuplicates(scope, id, SHOWN_ERRORS),
    ]);
    const { entity: _, settings, position: __, ...stored } = readImport(found, entity.name);
    const errors = readFailed(failed).map(({ line, message }) => ({ line, message }));
    return { ...stored, settings, dryRun: settings.dryRun, errors, duplicates: readDuplicates(alike) };
  }

  /** The rows that failed, as a CSV file: their cells, their line, what was wrong. */
  async errors(scope: Scope, entity: Entity, id: string): Promise<Readable> {
    const stored = await this.#read(scope, entity, id);
    const { database } = this.#services;
    async function* lines(): AsyncGenerator<string> {
      yield BYTE_ORDER_MARK + csvLine([...stored.columns.map(guardUntyped), 'line', 'message']);
      for (let last = 0; ; ) {
        const [result] = await database.batch(sessionOf(scope.principal), [
          selectFailed(scope, stored.id, last, CHUNK),
        ]);
        const failed = readFailed(result);
        last = failed.at(-1)?.line ?? last;
        const text = failed.map(({ line, message, cells }) =>
          csvLine([
            ...stored.columns.map((_, index) => guardUntyped(cells[index] ?? '')),
            String(line),
            guardUntyped(message),
          ]),
        );
        if (text.length > 0) yield text.join('');
        if (failed.length < CHUNK) return;
      }
    }
    return Readable.from(lines());
  }

  /** Registers the runs with the queue. */
  work(jobs: Jobs): void {
    jobs.process('imports', (data, context) => this.run(data, context), { concurrency: TOGETHER.all });
  }

  /**
   * Runs a queued import, as the user who started it and with the rights they have now.
   * @throws Interrupted when it gives way to others: it goes on later
   */
  async run(data: unknown, context: RunContext): Promise<void> {
    const job = readJob(data);
    const running = this.#running.get(job.tenant) ?? 0;
    if (running >= TOGETHER.tenant) throw new Interrupted(PAUSE);
    this.#running.set(job.tenant, running + 1);
    try {
      await this.#run(job, context);
    } finally {
      const left = (this.#running.get(job.tenant) ?? 1) - 1;
      if (left > 0) this.#running.set(job.tenant, left);
      else this.#running.delete(job.tenant);
    }
  }

  async #run({ tenant, id, user }: ImportJob, context: RunContext): Promise<void> {
    const principal = await this.#services.principalOf(tenant, user);
    const { database, ids, models } = this.#services;
    const known = await models.get(tenant);
    if (!principal) {
      const gone = new Problem('forbidden', 'The user who started this import may no longer act.');
      const noting = { ...systemPrincipal(known.tenant, 'imports'), userId: user };
      await markFailed(
        database,
        { ...known, principal: noting, rights: rightsOf(known.model, []), predicates: true },
        id,
        gone,
      );
      throw gone;
    }
    const rights = rightsBehindFlags(known, principal, systemClock.now());
    const scope: Scope = { ...known, principal, rights, predicates: true };
    try {
      await runImport({
        database,
        ids,
        scope,
        id,
        signal: context.signal,
        ...(context.othersWait ? { othersWait: context.othersWait } : {}),
      });
    } catch (error) {
      const final = error instanceof Problem ? !error.retryable : context.last;
      if (!(error instanceof Interrupted) && final) await markFailed(database, scope, id, error);
      throw error;
    }
  }

  async #read(scope: Scope, entity: Entity, id: string): Promise<StoredImport> {
    const [found] = await this.#services.database.batch(sessionOf(scope.principal), [selectImport(scope, id)]);
    return readImport(found, entity.name);
  }
}

function requirePerson(scope: Scope, entity: Entity): void {
  if (scope.principal.userId === null)
    throw new Problem('forbidden', `Only people import records of “${entity.label}”.`);
  if (entity.parent) throw badFile(`“${entity.label}” is part of another record and cannot be imported by itself.`);
}

/** Neither waiting nor running nor finished for good. */
function requireStill({ state, settings }: StoredImport): void {
  if (state === 'queued' || state === 'running')
    throw new Problem('conflict', 'This import is running. Wait until it is done.');
  if (state === 'done' && !settings.dryRun) {
    throw new Problem(
      'conflict',
      'This file was imported already. Correct the rows that failed and upload them as a new file.',
    );
  }
}

const shown = (cell: Cell): string => (typeof cell === 'number' ? plainNumber(cell) : cell);

function readJob(data: unknown): ImportJob {
  if (!isObject(data)) throw new TypeError('an import job without data');
  const { tenant, import: id, user } = data;
  if (typeof tenant !== 'string' || typeof id !== 'string' || typeof user !== 'string')
    throw new TypeError('an import job without its ids');
  return { tenant, id, user };
}
