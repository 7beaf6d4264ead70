/** Runs the product as people do: as a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '#engine/config.ts';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Waits until it has written this to standard output. Fails when it ends or four minutes pass before. */
  readonly says: (text: string) => Promise<string>;
  readonly ended: () => Promise<Ended>;
}

type Environment = Readonly<Record<string, string>>;

/** Of the tests' own environment; nothing of it configures the product. */
const INHERITED = Object.fromEntries(
  ['PATH', 'HOME', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/**
 * @param file path of the entry below the project's folder
 * @param flags of Node
 */
export function start(
  file: string,
  args: readonly string[],
  environment: Environment,
  flags: readonly string[] = [],
): Running {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...flags, join(ROOT, file), ...args],
    {
      cwd: ROOT,
      env: { ...INHERITED, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const closed = once(child, 'close');
  return {
    child,
    out: () => out,
    err: () => err,
    says: async (text) => {
      for (const end = Date.now() + 240_000; Date.now() < end; await delay(20)) {
        if (out.includes(text)) return out;
        if (child.exitCode !== null) break;
      }
      throw new Error(`it did not say "${text}", but:\n${out}${err}`);
    },
    ended: async () => {
      await closed;
      return { code: child.exitCode, out, err };
    },
  };
}

export function run(file: string, args: readonly string[], environment: Environment): Promise<Ended> {
  return start(file, args, environment).ended();
}
