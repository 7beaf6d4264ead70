/**
 * Prepares a Postgres for Armature: login roles, database, privileges, platform tables, the job queue's tables.
 * Runs at every start and changes nothing the second time.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import type { Address, Credentials } from './connection.ts';
import { isConnectionLost } from './connection.ts';
import { isCatalogueConflict } from './database-error.ts';
import { literal, quote } from './identifiers.ts';
import { migrateUp } from './migrate.ts';
import { StartupError } from './startup-error.ts';

/** Postgres's major version this engine is built for: virtual generated columns, `pg_unicode_fast`. */
const MINIMUM_VERSION = 18;

export const LOGIN_ROLES = { owner: 'armature_owner', app: 'armature_app', jobs: 'armature_jobs' } as const;

/** Queues of the engine; their id sequences are made here, because the runtime role may not. */
export const QUEUES = ['imports', 'schema'] as const;

export interface Bootstrapped {
  readonly address: Address;
  readonly owner: Credentials;
  readonly app: Credentials;
  readonly jobs: Credentials;
}

export interface BootstrapOptions {
  /** A server and a role that may make roles and (when missing) the database. */
  readonly server: Omit<Address, 'database'>;
  readonly admin: Credentials;
  /** Database the admin connects to first. */
  readonly adminDatabase: string;
  readonly database: string;
  /** The installation's secret; the login roles' passwords are derived from it. */
  readonly secret: string;
  /** Prefix of tenant roles, when the installation is new. */
  readonly rolePrefix?: string;
  /** Who hands jobs out from now on (default: as before). Jobs that wait on the other side are not lost by a change. */
  readonly jobsBy?: 'postgres' | 'redis' | undefined;
  /** Told what works and is not as it should be. */
  readonly warn?: (text: string) => void;
}

/** A secret derived from the installation's secret, for one purpose. */
export function derive(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(purpose).digest('base64url');
}

/**
 * @throws StartupError when the server is too old, unreachable, the admin may not make roles, or the secret is not the
 *   one the database was made with
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  const credentials = (user: string): Credentials => ({ user, password: derive(options.secret, `postgres:${user}`) });
  const owner = credentials(LOGIN_ROLES.owner);
  const app = credentials(LOGIN_ROLES.app);
  const jobs = credentials(LOGIN_ROLES.jobs);
  const address: Address = { ...options.server, database: options.database };
  const fingerprint = derive(options.secret, 'fingerprint');

  await connected({ ...options.server, database: options.adminDatabase }, options.admin, async (client) => {
    await requireVersion(client);
    // Two processes may start at once: the second finds everything done. Let go with the connection, at the end.
    await client.query('select pg_advisory_lock(4092211)');
    const { rowCount } = await client.query('select from pg_database where datname = $1', [options.database]);
    // Before the roles get passwords made from it.
    if (rowCount) await connected(address, options.admin, (own) => requireSecret(own, options.database, fingerprint));
    await makeRoles(client, owner, app, jobs);
    if (!rowCount) await client.query(`create database ${quote(options.database)} owner ${quote(owner.user)}`);
    await prepareDatabase(options, address, owner, app, fingerprint);
  });
  return { address, owner, app, jobs };
}

async function prepareDatabase(
  options: BootstrapOptions,
  address: Address,
  owner: Credentials,
  app: Credentials,
  fingerprint: string,
): Promise<void> {
  await connected(address, options.admin, async (client) => {
    await client.query(`grant create, connect on database ${quote(options.database)} to ${quote(owner.user)}`);
    // Nobody has use for temporary tables, and they would be names of one's own making.
    await client.query(`revoke temporary on database ${quote(options.database)} from public`);
    await client.query(`grant create on schema public to ${quote(owner.user)}`);
    await revokeSettings(client, options.warn);
  });
  await migrateUp(address, owner);
  await connected(address, options.admin, async (client) => {
    // How near a word must be to be found in spite of typing errors. A setting of an extension is known once it is loaded.
    await client.query(`select public.word_similarity('a', 'a')`);
    await changeRoles(client, `alter role ${quote(app.user)} set pg_trgm.word_similarity_threshold = 0.5`);
  });
  await connected(address, owner, async (client) => {
    await client.query('insert into armature.installation (role_prefix) values ($1) on conflict do nothing', [
      options.rolePrefix ?? 't',
    ]);
    await client.query('update armature.installation set fingerprint = $1 where fingerprint is null', [fingerprint]);
    await prepareQueues(client);
    if (options.jobsBy) await handOutBy(client, options.jobsBy);
  });
}

/** Roles belong to the whole cluster: starts on other databases of it may change the same ones at this moment. */
async function changeRoles(client: pg.Client, sql: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query(sql);
      return;
    } catch (error) {
      if (!isCatalogueConflict(error) || tries === 100) throw error;
      // By chance: two that met do not meet again.
      await delay(5 + Math.random() * 45);
    }
  }
}

async function connected<T>(
  address: Address,
  credentials: Credentials,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    database: address.database,
    ...credentials,
    ...(address.ssl ? { ssl: true } : {}),
  });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const where = `Postgres at ${address.host}:${address.port}`;
    const text = isConnectionLost(error)
      ? `${where} cannot be reached (${reason}). Check that it runs and that DATABASE_URL is right.`
      : `${where} (database ${address.database}) does not accept "${credentials.user}": ${reason}`;
    throw new StartupError(text, { cause: error });
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int / 10000 as version`,
  );
  const version = rows[0]?.version ?? 0;
  if (version < MINIMUM_VERSION) {
    throw new StartupError(`Armature needs Postgres ${MINIMUM_VERSION} or newer; this server is version ${version}.`);
  }
}

/** A database that has no fingerprint yet gets one at the end of this start. */
async function requireSecret(client: pg.Client, database: string, fingerprint: string): Promise<void> {
  const { rows: there } = await client.query<{ there: boolean }>(
    `select to_regprocedure('public.armature_fingerprint()') is not null as there`,
  );
  if (!there[0]?.there) return;
  const { rows } = await client.query<{ known: string | null }>('select public.armature_fingerprint() as known');
  const known = rows[0]?.known ?? null;
  if (known === null || known === fingerprint) return;
  throw new StartupError(
    `The database ${database} was made with another secret than this one. Start with that secret (ARMATURE_SECRET, or the file "secret" in ARMATURE_HOME); nothing was changed.`,
  );
}

async function makeRoles(client: pg.Client, owner: Credentials, app: Credentials, jobs: Credentials): Promise<void> {
  const wanted: readonly (readonly [string, string])[] = [
    [owner.user, `login createrole noinherit password ${literal(owner.password)}`],
    // Inherits nothing and is granted nothing: lost context reads nothing (rule 2).
    [app.user, `login noinherit password ${literal(app.password)}`],
    [jobs.user, `login noinherit password ${literal(jobs.password)}`],
    ['armature_gate', 'nologin'],
    ['armature_tenant', 'nologin'],
  ];
  try {
    for (const [name, attributes] of wanted) {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name]);
      await changeRoles(client, `${rowCount ? 'alter' : 'create'} role ${quote(name)} ${attributes}`);
    }
    await changeRoles(client, `grant armature_gate to ${quote(app.user)} with inherit false, set true`);
    await changeRoles(client, `grant armature_tenant to ${quote(owner.user)} with admin option, inherit false`);
    await readSessions(client, owner);
    // Made by a CREATEROLE role, tenant roles must be grantable by it and usable for definer functions.
    await changeRoles(client, `alter role ${quote(owner.user)} set createrole_self_grant = 'set'`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') {
      throw new StartupError(
        'The Postgres user of DATABASE_URL may not make roles. Give it CREATEROLE, or use a superuser for the first start.',
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * Lets the owner's functions tell whose transactions are open: the outbox is then held back by this database's alone
 * (migration 0017). Only a superuser, or who was given it to give, can grant this; without it other databases' count too.
 */
async function readSessions(client: pg.Client, owner: Credentials): Promise<void> {
  try {
    await changeRoles(client, `grant pg_read_all_stats to ${quote(owner.user)} with inherit true`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === '42501')) throw error;
  }
}

/**
 * Nobody but the login roles may change a setting through a function call: SQL could otherwise change who it is.
 * @param warn told what a superuser has to run, when the client is none and it has not been done
 */
export async function revokeSettings(client: pg.Client, warn?: (text: string) => void): Promise<void> {
  const { rows } = await client.query<{ superuser: boolean }>(
    `select rolsuper as superuser from pg_roles where rolname = current_user`,
  );
  const commands = [
    'revoke execute on function pg_catalog.set_config(text, text, boolean) from public',
    `grant execute on function pg_catalog.set_config(text, text, boolean) to ${Object.values(LOGIN_ROLES).join(', ')}`,
  ];
  if (rows[0]?.superuser) {
    for (const command of commands) await client.query(command);
    return;
  }
  const { rowCount } = await client.query(
    `select from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.oid = 'pg_catalog.set_config(text, text, boolean)'::regprocedure and a.grantee = 0`,
  );
  if (rowCount)
    warn?.(
      `Every role of this Postgres may call set_config, and the user of DATABASE_URL cannot change that. Run once as a superuser, in this database: ${commands.join('; ')};`,
    );
}

async function prepareQueues(client: pg.Client): Promise<void> {
  await runMigrations(client, 'bullmq');
  const jobs = quote(LOGIN_ROLES.jobs);
  for (const queue of QUEUES) {
    await client.query(
      `do $$ begin execute format('create sequence if not exists bullmq.%I', bullmq.job_id_seq_name(${literal(queue)})); end $$`,
    );
  }
  await client.query(`
    grant usage on schema bullmq to ${jobs}, armature_tenant;
    grant select, insert, update, delete on all tables in schema bullmq to ${jobs};
    grant usage, select, update on all sequences in schema bullmq to ${jobs};
    revoke execute on all functions in schema bullmq from public;
    grant execute on all functions in schema bullmq to ${jobs};
    -- A job becomes visible with the transaction that made it, or not at all.
    create or replace function bullmq.enqueue(queue text, id text, name text, data jsonb, options jsonb default '{}') returns text
      language plpgsql security definer set search_path = bullmq, pg_temp as $$
      begin
        if queue <> all (array[${QUEUES.map(literal).join(', ')}]) then
          raise insufficient_privilege using message = 'unknown queue';
        end if;
        if (select jobs_by = 'redis' from armature.installation) then
          insert into armature.job (queue, id, name, data, options) values (queue, id, name, data, options)
            on conflict do nothing;
          perform pg_notify('armature_job', queue);
          return id;
        end if;
        return bullmq.add_job(queue, id, name, data, options, coalesce((options->>'priority')::int, 0),
          coalesce((options->>'delay')::bigint, 0), (extract(epoch from clock_timestamp()) * 1000)::bigint,
          coalesce((options->>'attempts')::int, 1), null, null, null, options->'deduplication'->>'id', null, false);
      end $$;
    revoke all on function bullmq.enqueue from public;
    grant execute on function bullmq.enqueue to armature_tenant;
  `);
}

async function handOutBy(client: pg.Client, jobsBy: 'postgres' | 'redis'): Promise<void> {
  const { rowCount } = await client.query('update armature.installation set jobs_by = $1 where jobs_by <> $1', [
    jobsBy,
  ]);
  // What Redis was to hand out, Postgres hands out now. (The other way round, `jobs.ts` works off what is left.)
  if (rowCount && jobsBy === 'postgres') {
    await client.query(`with left_over as (delete from armature.job where failed_at is null returning *)
      select bullmq.enqueue(queue, id, name, data, options) from left_over order by made_at`);
  }
}
