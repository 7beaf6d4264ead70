/** What a command of the command line is. */
import type { ParseArgsConfig } from 'node:util';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, e.g. `EMAIL`. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** An option that takes a value. @throws UsageError when it is required and missing */
  text(name: string): string | undefined;
  required(name: string): string;
  flag(name: string): boolean;
}

export interface Context {
  readonly config: Config;
  /** Results: what a script would read. */
  readonly print: (text: string) => void;
  /** Everything a person reads meanwhile. */
  readonly say: (text: string) => void;
  /**
   * Opens the installation's data; it is closed when the command ends.
   * @param mode `server` works off jobs as well (default `tool`)
   */
  readonly open: (mode?: 'tool' | 'server') => Promise<App>;
}

export interface Command {
  /** Words that call it: `tenant create`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name, e.g. `KEY`. */
  readonly operands?: readonly { readonly name: string; readonly help: string; readonly optional?: boolean }[];
  readonly options?: Readonly<Record<string, Option>>;
  /** Further lines of its help. */
  readonly details?: string;
  /** @returns the exit code; nothing means 0 */
  readonly run: (context: Context, given: Arguments) => Promise<number | void>;
}

/** The command line itself is wrong; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something could not be done, in a sentence; exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

export function parseOptions(command: Command): NonNullable<ParseArgsConfig['options']> {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type }] of Object.entries(command.options ?? {})) options[name] = { type };
  return options;
}
