/** What the environment says, checked before anything starts. A wrong value is a sentence, not a stack. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Address, Credentials } from './db/connection.ts';
import { StartupError } from './db/startup-error.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ExternalPostgres {
  readonly address: Address;
  readonly admin: Credentials;
}

export interface Config {
  /** TCP port; 0 lets the system choose. */
  readonly port: number;
  /** Address to listen on: this machine alone unless HOST says otherwise. */
  readonly host: string;
  /** Folder of everything this installation keeps: secret, embedded Postgres, `server.json`. */
  readonly home: string;
  /** Postgres of your own; `null` runs the embedded one. */
  readonly postgres: ExternalPostgres | null;
  /** Further Postgres clusters by key, each the home of a part of the organisations. */
  readonly cells: ReadonlyMap<string, ExternalPostgres>;
  /** Redis, when the installation has one: `redis://` or `rediss://`. */
  readonly redis: string | null;
  /** The installation's secret, when the environment brings it; otherwise `home/secret` holds it. */
  readonly secret: string | null;
  /** Base address in links, without a trailing slash; `null`: `http://localhost:<port>`. */
  readonly publicUrl: string | null;
  /** Proxies in front that write `X-Forwarded-For`; 0 believes nobody. Attempts to sign in are counted by address. */
  readonly trustedProxies: number;
  /** Object store for files, `s3://bucket/prefix?region=…&endpoint=…`; `null`: the disk, below `home`. */
  readonly files: string | null;
  /** Bytes of a file at most. */
  readonly fileLimit: number;
  readonly logLevel: LogLevel;
  /** Days an event stays in the outbox: who follows the changes may be away as long as that. */
  readonly outboxDays?: number;
  /** Whether the demo organisation is made (never on a Postgres of your own). */
  readonly demo: boolean;
  /** Days after which removed fields and entities are dropped for good; 0 keeps them for ever. */
  readonly keepAsideDays: number;
  /** Folders of plugins besides those in `plugins/`. */
  readonly plugins?: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Shorter secrets can be guessed. */
const SECRET_LENGTH = 32;

/**
 * @throws StartupError naming the variable, what it holds and what it may hold
 */
export function readConfig(environment: Environment, root: string = ROOT): Config {
  const value = (name: string) => environment[name]?.trim() || null;
  const postgres = readDatabaseUrl('DATABASE_URL', value('DATABASE_URL'));
  return {
    port: readPort(value('PORT')),
    host: readHost(value('HOST')),
    home: resolve(root, value('ARMATURE_HOME') ?? join(root, '.armature')),
    postgres,
    cells: readCells(value('ARMATURE_CELLS')),
    redis: readRedisUrl(value('REDIS_URL')),
    secret: readSecret(value('ARMATURE_SECRET')),
    publicUrl: readPublicUrl(value('ARMATURE_PUBLIC_URL')),
    trustedProxies: readTrustedProxies(value('ARMATURE_TRUSTED_PROXIES')),
    files: value('ARMATURE_FILES'),
    fileLimit: readFileLimit(value('ARMATURE_FILE_LIMIT')),
    logLevel: readLogLevel(value('LOG_LEVEL')),
    outboxDays: readDays(value('ARMATURE_OUTBOX_DAYS')),
    plugins: readPlugins(value('ARMATURE_PLUGINS'), root),
    demo: readDemo(value('ARMATURE_DEMO')) && postgres === null,
    keepAsideDays: readKeepAsideDays(value('ARMATURE_KEEP_ASIDE_DAYS')),
  };
}

function readPort(text: string | null): number {
  if (text === null) return 3000;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw new StartupError(`PORT is "${text}". It must be a number from 0 to 65535.`);
  return port;
}

function readHost(text: string | null): string {
  if (text === null) return '127.0.0.1';
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) {
    throw new StartupError(`HOST is "${text}". It must be an address or a host name, such as 0.0.0.0 or localhost.`);
  }
  return text;
}

function readSecret(text: string | null): string | null {
  if (text !== null && text.length < SECRET_LENGTH) {
    throw new StartupError(
      `ARMATURE_SECRET has ${text.length} characters. It needs at least ${SECRET_LENGTH}; "openssl rand -base64 32" makes one.`,
    );
  }
  return text;
}

function readPublicUrl(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new StartupError(
      `ARMATURE_PUBLIC_URL is "${text}". It must be the address people use, such as https://people.example.com.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

function readTrustedProxies(text: string | null): number {
  if (text === null) return 0;
  if (!/^\d$/.test(text)) {
    throw new StartupError(
      `ARMATURE_TRUSTED_PROXIES is "${text}". It must be how many proxies stand in front, from 0 to 9.`,
    );
  }
  return Number(text);
}

/** In megabytes. */
function readFileLimit(text: string | null): number {
  const limit = text === null ? 25 : /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1)
    throw new StartupError(`ARMATURE_FILE_LIMIT is "${text}". It must be a number of megabytes, from 1 to 9999.`);
  return limit * 1024 * 1024;
}

function readKeepAsideDays(text: string | null): number {
  if (text === null) return 90;
  if (!/^\d{1,5}$/.test(text))
    throw new StartupError(`ARMATURE_KEEP_ASIDE_DAYS is "${text}". It must be a number of days; 0 keeps everything.`);
  return Number(text);
}

function readLogLevel(text: string | null): LogLevel {
  const level = LOG_LEVELS.find((known) => known === (text ?? 'info').toLowerCase());
  if (!level) throw new StartupError(`LOG_LEVEL is "${text}". It must be one of: ${LOG_LEVELS.join(', ')}.`);
  return level;
}

function readDays(text: string | null): number {
  if (text === null) return 7;
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > 365)
    throw new StartupError(`ARMATURE_OUTBOX_DAYS is "${text}". It must be a number of days from 1 to 365.`);
  return days;
}

/** Folders with commas between them; relative ones from the project's folder. */
function readPlugins(text: string | null, root: string): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => resolve(root, part));
}

function readDemo(text: string | null): boolean {
  const known: Readonly<Record<string, boolean>> = {
    on: true,
    true: true,
    '1': true,
    off: false,
    false: false,
    '0': false,
  };
  const demo = known[(text ?? 'on').toLowerCase()];
  if (demo === undefined) throw new StartupError(`ARMATURE_DEMO is "${text}". It must be "on" or "off".`);
  return demo;
}

/** The URL is never repeated in a message: it holds a password. */
function readDatabaseUrl(name: string, text: string | null): ExternalPostgres | null {
  if (text === null) return null;
  const form = 'It must look like postgres://user:password@host:5432/database.';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol))
    throw new StartupError(`${name} is not a Postgres address. ${form}`);
  const user = decode(name, url.username);
  const database = decode(name, url.pathname.slice(1));
  if (!url.hostname) throw new StartupError(`${name} names no host. ${form}`);
  if (!user) throw new StartupError(`${name} names no user. ${form}`);
  if (!database || database.includes('/')) throw new StartupError(`${name} names no database. ${form}`);
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(mode)) {
    throw new StartupError(`${name} has sslmode=${mode}. It must be "disable", "require" or "verify-full".`);
  }
  const ssl = mode === 'require' || mode === 'verify-ca' || mode === 'verify-full';
  return {
    address: {
      // An IPv6 host stands in brackets in a URL and without them everywhere else.
      host: decode(name, url.hostname).replace(/^\[(.*)\]$/, '$1'),
      port: url.port ? Number(url.port) : 5432,
      database,
      ...(ssl ? { ssl } : {}),
    },
    admin: { user, password: decode(name, url.password) },
  };
}

/** `b=postgres://…,c=postgres://…`; a comma in a password is written `%2C`. */
function readCells(text: string | null): ReadonlyMap<string, ExternalPostgres> {
  const cells = new Map<string, ExternalPostgres>();
  for (const part of text?.split(',').map((one) => one.trim()) ?? []) {
    const [, key, url] = /^([a-z][a-z0-9]{0,11})=(\S+)$/.exec(part) ?? [];
    const postgres = url === undefined ? null : readDatabaseUrl(`ARMATURE_CELLS (${key})`, url);
    if (key === undefined || !postgres)
      throw new StartupError('ARMATURE_CELLS must look like b=postgres://user:password@host:5432/database,c=….');
    if (cells.has(key)) throw new StartupError(`ARMATURE_CELLS names the cell "${key}" twice.`);
    cells.set(key, postgres);
  }
  return cells;
}

/** Not repeated in a message either. */
function readRedisUrl(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname || !/^(\/\d{0,2})?$/.test(url.pathname)) {
    throw new StartupError('REDIS_URL is not a Redis address. It must look like redis://user:password@host:6379.');
  }
  return text;
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StartupError(`${name} has a "%" that begins no escape. Write "%25" for a percent sign.`);
  }
}
