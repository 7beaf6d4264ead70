/** Puts the engine together: Postgres, models, reading, writing, imports, identity, jobs. And takes it apart in the right order. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import type { Clock, IdSource } from './clock.ts';
import { systemClock, systemIds } from './clock.ts';
import type { Cell } from './cells/cells.ts';
import { Cells } from './cells/cells.ts';
import type { OpenedCell } from './cells/reach.ts';
import { reach } from './cells/reach.ts';
import { type Config, type ExternalPostgres, ROOT } from './config.ts';
import { derive } from './db/bootstrap.ts';
import { Database } from './db/database.ts';
import { errorForLog } from './error-for-log.ts';
import { Files } from './files/files.ts';
import { openFileStore } from './files/open-store.ts';
import { startHousekeeping } from './housekeeping.ts';
import { openHome, readOrMakeSecret } from './home.ts';
import { PasswordIdentity } from './identity/password-identity.ts';
import { followOutbox } from './identity/follow-outbox.ts';
import type { Postgres } from './postgres.ts';
import { openPostgres } from './postgres.ts';
import { createJobs } from './jobs/jobs.ts';
import { keepSchemas, queueSteps, workOffSteps } from './schema-steps.ts';
import { Commands } from './records/commands.ts';
import { ChangeFeed } from './records/changes/feed.ts';
import { ChangeHub } from './records/changes/hub.ts';
import { Exporter } from './records/export/exporter.ts';
import type { Pack } from './model/documents.ts';
import { loadShippedPacks } from './model/packs.ts';
import { loadPlugins, pluginFolders } from './plugins/load.ts';
import { Importer } from './records/import/importer.ts';
import { openSharedCache } from './redis/shared-cache.ts';
import { Reader } from './records/read/reader.ts';
import { MailDomains } from './mail/mail-domains.ts';
import { MailInspector } from './mail/mail-inspector.ts';
import { Writer } from './records/write/writer.ts';
import { ModelStore } from './schema/model-store.ts';
import { StepRunner } from './schema/deferred/runner.ts';
import { Steps } from './schema/deferred/steps.ts';
import { Publisher } from './schema/publish.ts';
import { ensureRoleSet } from './schema/role-sets.ts';
import type { Services } from './services.ts';
import { openVault } from './vault.ts';

export interface AppOptions {
  /**
   * `server`: works off jobs and the outbox, keeps house, and ends the embedded Postgres. `tool`: a command that runs
   * beside a server or without one.
   */
  readonly mode: 'server' | 'tool';
  readonly log?: Logger;
  /** Base address in links, without a trailing slash. */
  readonly url?: string;
  readonly clock?: Clock;
  readonly ids?: IdSource;
}

export interface App {
  /** Of the home cell. */
  readonly services: Services;
  readonly cells: Cells;
  /** Ends everything it opened, in the right order. HTTP must have ended before. */
  readonly close: () => Promise<void>;
}

/** Logs go to stderr as JSON, so that stdout stays for people and scripts. Secrets never enter them. */
export function makeLog(config: Pick<Config, 'logLevel'>): Logger {
  const serializers = { err: errorForLog };
  return pino({ level: config.logLevel, base: null, timestamp: stdTimeFunctions.isoTime, serializers }, destination(2));
}

/** The installation's secret: from the environment, or from its home. */
export async function readSecret(config: Config): Promise<string> {
  await openHome(config.home);
  return config.secret ?? (await readOrMakeSecret(config.home));
}

/**
 * @throws StartupError with a sentence for whoever started it
 */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const secret = await readSecret(config);
  const { log = makeLog(config) } = options;
  const postgres = await openPostgres(config, secret, options.mode === 'server', (text) => log.warn(text));
  const opened: Closing = [];
  opened.push(() => postgres.close());
  try {
    const plugins = await installedPlugins(config);
    const services = await openServices(config, { ...options, log, cell: null, plugins }, secret, postgres, opened);
    const others = new Map<string, Cell>();
    for (const [key, external] of config.cells) {
      const { cell, close } = await reach(
        key,
        () => openCell(config, { ...options, log, cell: key, plugins }, secret, external),
        log,
      );
      others.set(key, cell);
      opened.push(close);
    }
    return { services, cells: new Cells(services, others), close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** @throws StartupError when its Postgres cannot be reached */
async function openCell(
  config: Config,
  options: ServicesOptions,
  secret: string,
  postgres: ExternalPostgres,
): Promise<OpenedCell> {
  const opened: Closing = [];
  const prepared = await openPostgres({ ...config, postgres }, secret, options.mode === 'server', (text) =>
    options.log.warn(text),
  );
  try {
    const services = await openServices(config, options, secret, prepared, opened);
    return { services, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** Those in `plugins/` and those that the environment names. @throws StartupError */
async function installedPlugins(config: Config): Promise<readonly Pack[]> {
  const folders = [...(await pluginFolders(join(ROOT, 'plugins'))), ...(config.plugins ?? [])];
  if (folders.length === 0) return [];
  return loadPlugins(folders, new Set((await loadShippedPacks()).map(({ key }) => key)));
}

/** What ends what was opened, in the order of opening; it is done backwards. */
type Closing = (() => Promise<void>)[];

async function closeAll(opened: Closing): Promise<void> {
  const faults: unknown[] = [];
  for (const close of opened.splice(0).toReversed()) await close().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw faults[0];
}

interface ServicesOptions extends AppOptions {
  readonly log: Logger;
  /** Layers of the plugins. */
  readonly plugins: readonly Pack[];
  /** Key of the cell, `null` for home. */
  readonly cell: string | null;
}

async function openServices(
  config: Config,
  options: ServicesOptions,
  secret: string,
  postgres: Postgres,
  opened: Closing,
): Promise<Services> {
  const { clock = systemClock, ids = systemIds, log, cell } = options;
  const { address, app, owner } = postgres;
  openVault(secret);
  const database = new Database({ address, app, owner, clock });
  opened.push(() => database.close());
  const models = new ModelStore({ database });
  opened.push(() => models.close());
  const publisher = new Publisher({
    database,
    onPublished: models.published,
    plugins: options.plugins,
    queueSteps: queueSteps(ids),
    clock,
  });
  const steps = new Steps({ database, queueSteps: queueSteps(ids) });
  const stepRunner = new StepRunner({
    database,
    onError: (err, { number, title }) => log.error({ err, step: number, title }, 'step of a publish'),
  });
  const redis =
    config.redis === null
      ? null
      : {
          url: config.redis,
          prefix: `armature:${derive(secret, `redis ${address.database} ${cell ?? ''}`).slice(0, 12)}`,
          log,
        };
  const shared = redis && (await openSharedCache(redis, 'people', (tenant, userId) => identity.forget(tenant, userId)));
  if (shared) opened.push(() => shared.close());
  const identity: PasswordIdentity = new PasswordIdentity({
    database,
    models,
    cell,
    shared: shared ?? undefined,
    roleSet: (tenant, roles) => ensureRoleSet(database, tenant, roles),
    clock,
    ids,
  });
  const hub = new ChangeHub({ database, log });
  opened.push(() => hub.close());
  // The change is made: what cannot be told now must not look like a failure, and the outbox tells it again.
  const writer = new Writer({
    database,
    ids,
    clock,
    inspector: new MailInspector({ domains: new MailDomains({ clock }), clock, secret }),
    announce: (tenant, entity, id) => {
      hub.wrote();
      return identity
        .recordChanged(tenant, entity, id)
        .catch((error: unknown) => log.warn({ err: error }, 'telling identity'));
    },
  });
  const reader = new Reader({ database, secret, clock });
  const publicUrl = options.url ?? config.publicUrl ?? `http://localhost:${config.port}`;
  const principalOf = (tenant: string, userId: string) => identity.principalOf(tenant, userId);
  const importer = new Importer({ database, ids, models, principalOf });
  const store = await openFileStore(config.files, config.home);
  const files = new Files({ database, ids, clock, store, reader, limit: config.fileLimit });
  const services = {
    database,
    clock,
    ids,
    models,
    publisher,
    steps,
    stepRunner,
    reader,
    writer,
    commands: new Commands({ writer, database, clock, ids }),
    importer,
    files,
    exporter: new Exporter({ database, clock }),
    changes: new ChangeFeed({ database, secret }),
    hub,
    identity,
    log,
    secret,
    publicUrl,
  };
  if (options.mode === 'server') {
    await models.start();
    opened.push(await followOutbox(services));
    opened.push(
      startHousekeeping({
        ...services,
        outboxKept: (config.outboxDays ?? 7) * 24 * 3_600_000,
        also: () => keepSchemas(services, config.keepAsideDays),
      }),
    );
    const jobs = createJobs({
      address,
      credentials: postgres.jobs,
      log,
      ...(redis && { redis: { ...redis, database } }),
    });
    opened.push(() => jobs.close());
    importer.work(jobs);
    await workOffSteps(jobs, services);
    await jobs.start();
  }
  return services;
}
