/** The installation's folder: its secret, and the note by which the command line finds a running server. */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from './db/startup-error.ts';

/**
 * Makes the folder.
 * @throws StartupError when it cannot be made or written to
 */
export async function openHome(home: string): Promise<void> {
  const probe = join(home, `.write-${process.pid}`);
  try {
    await mkdir(home, { recursive: true });
    await writeFile(probe, '');
    await rm(probe, { force: true });
  } catch (error) {
    throw new StartupError(
      `The folder ${home} cannot be written to (${reasonOf(error)}). Give this user the right, or set ARMATURE_HOME to another folder.`,
      { cause: error },
    );
  }
}

/** The secret in `home/secret`, made at the first start. Two processes that start at once agree on one. */
export async function readOrMakeSecret(home: string): Promise<string> {
  const file = join(home, 'secret');
  const stored = await readSecretFile(file);
  if (stored !== null) return stored;
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  // A link fails when the name exists: whoever was first has made the secret.
  await link(fresh, file).catch(() => {});
  await rm(fresh, { force: true });
  const made = await readSecretFile(file);
  if (made === null) throw new StartupError(`The secret could not be written to ${file}.`);
  return made;
}

async function readSecretFile(file: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new StartupError(`The secret in ${file} cannot be read (${reasonOf(error)}).`, { cause: error });
  }
  if (text.length < 32) {
    throw new StartupError(
      `The secret in ${file} is incomplete. Restore it from a backup; with another one the stored data cannot be opened.`,
    );
  }
  await chmod(file, 0o600).catch(() => {});
  return text;
}

/** The note a running server leaves. */
export interface RunningServer {
  readonly pid: number;
  /** Address on this machine, e.g. `http://127.0.0.1:3000`. */
  readonly url: string;
}

const NOTE = 'server.json';
/** How far the demo organisation is. */
export const DEMO_NOTE = 'demo.json';

export async function noteServer(home: string, server: RunningServer): Promise<void> {
  const file = join(home, NOTE);
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
}

/** Takes the note away, unless another server has written its own meanwhile. */
export async function forgetServer(home: string): Promise<void> {
  const server = await readNote(home);
  if (server?.pid === process.pid) await rm(join(home, NOTE), { force: true });
}

/** There is no demo organisation any more: the next start makes it anew. */
export async function forgetDemo(home: string): Promise<void> {
  await rm(join(home, DEMO_NOTE), { force: true });
}

/**
 * The server that runs on this folder, or `null`. A note alone proves nothing: its process may have been killed and its
 * number given to another, so the server itself is asked.
 */
export async function findServer(home: string): Promise<RunningServer | null> {
  const server = await readNote(home);
  if (!server || server.pid === process.pid || !isAlive(server.pid)) return null;
  try {
    const response = await fetch(`${server.url}/livez`, { signal: AbortSignal.timeout(3000) });
    await response.body?.cancel();
    return response.ok ? server : null;
  } catch {
    return null;
  }
}

async function readNote(home: string): Promise<RunningServer | null> {
  try {
    const note: unknown = JSON.parse(await readFile(join(home, NOTE), 'utf8'));
    if (typeof note !== 'object' || note === null || !('pid' in note) || !('url' in note)) return null;
    return typeof note.pid === 'number' && typeof note.url === 'string' ? { pid: note.pid, url: note.url } : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function reasonOf(error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'it is a file',
  };
  return reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
