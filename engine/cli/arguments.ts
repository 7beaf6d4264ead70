import { parseArgs } from 'node:util';
import { nearest } from '../nearest.ts';
import type { Arguments, Command } from './command.ts';
import { parseOptions, UsageError } from './command.ts';

/**
 * Finds the command the words call: the one with most words wins.
 * @returns the command and the words after its name
 */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { command: Command; rest: string[] } | null {
  const found = commands
    .filter(({ name }) => name.split(' ').every((word, index) => words[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return found ? { command: found, rest: words.slice(found.name.split(' ').length) } : null;
}

/**
 * Reads the words after a command's name.
 * @returns `null` when its help was asked for
 * @throws UsageError for unknown options, missing or surplus operands
 */
export function readArguments(command: Command, words: readonly string[]): Arguments | null {
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...words], options: parseOptions(command), allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(explain(command, error));
  }
  const { values, positionals } = parsed;
  if (values['help'] === true) return null;

  const operands = command.operands ?? [];
  const missing = operands.filter((operand, index) => !operand.optional && positionals[index] === undefined);
  if (missing.length > 0) throw new UsageError(`${missing.map(({ name }) => name).join(' and ')} is missing.`);
  const surplus = positionals[operands.length];
  if (surplus !== undefined) throw new UsageError(`This is too much here: ${surplus}`);

  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  for (const [name, option] of Object.entries(command.options ?? {})) {
    if (option.required && !text(name))
      throw new UsageError(`--${name} ${option.value ?? ''} is missing.`.replace(' is', ' is'));
  }
  return { positionals, text, required: (name) => text(name) ?? '', flag: (name) => values[name] === true };
}

function explain(command: Command, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown option '(--?[^']*)'/.exec(message)?.[1];
  if (unknown) {
    const guess = nearest(unknown.replace(/^-+/, ''), Object.keys(command.options ?? {}));
    return `There is no option ${unknown}.${guess ? ` Did you mean --${guess}?` : ''}`;
  }
  const valueless = /Option '(--[^' ]*)[^']*' argument/.exec(message)?.[1];
  return valueless ? `${valueless} needs a value.` : message;
}
