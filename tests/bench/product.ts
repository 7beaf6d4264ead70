/** The product as a person starts it: a process of its own, on a folder of its own, with the demo organisation. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import SERVER_FLAGS from '../../scripts/server-flags.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Running {
  readonly url: string;
  /** What it printed at the start: the address and the demo sign-ins. */
  readonly printed: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

function node(script: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  // As `npm start` runs it.
  const flags = script === 'engine/main.ts' ? SERVER_FLAGS : [];
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...flags, script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Ends a process we started, and waits for it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** Starts the server and waits until the demo organisation is there. */
export async function startProduct(home: string): Promise<Running> {
  const child = node('engine/main.ts', [], { ARMATURE_HOME: home, PORT: '0', LOG_LEVEL: 'warn' });
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk);
  });
  for (let waited = 0; waited < 180_000; waited += 250) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${printed}`);
    const url = await readServerUrl(home);
    if (url && (await isReady(url)) && printed.includes('@'))
      return { url, printed, process: child, stop: () => end(child) };
    await delay(250);
  }
  throw new Error(`the server was not ready after three minutes: ${printed}`);
}

async function readServerUrl(home: string): Promise<string | null> {
  const text = await readFile(join(home, 'server.json'), 'utf8').catch(() => '');
  const found = /"url"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return found ? found.replace('localhost', '127.0.0.1') : null;
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

/** Starts the hand-written handler and waits for its port. */
export async function startBaseline(config: unknown): Promise<Running> {
  const child = node('tests/bench/baseline.ts', [JSON.stringify(config)], {});
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    child.once('exit', () => reject(new Error('the baseline ended')));
  });
  return { url: `http://127.0.0.1:${port}`, printed: port, process: child, stop: () => end(child) };
}

/** Runs a command of the command line and returns what it printed on stdout. */
export async function runCommand(home: string, ...args: readonly string[]): Promise<string> {
  const child = node('engine/armature.ts', args, { ARMATURE_HOME: home });
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk);
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`armature ${args.join(' ')} failed`);
  return printed.trim();
}
