/** `npm run armature -- <command>`: finds the command, runs it, and turns what goes wrong into a sentence and an exit code. */
import { demoCrmSales } from '../demo/commands.ts';
import type { App } from './app.ts';
import { openApp } from './app.ts';
import { findCommand, readArguments } from './cli/arguments.ts';
import type { Command } from './cli/command.ts';
import { Failure, UsageError } from './cli/command.ts';
import { COMMANDS as OWN } from './cli/commands.ts';
import { helpOf, overview } from './cli/help.ts';
import { problemText } from './cli/problem-text.ts';
import { readConfig } from './config.ts';
import { StartupError } from './db/startup-error.ts';
import { nearest } from './nearest.ts';
import { Problem } from './problem.ts';

const COMMANDS = [...OWN, demoCrmSales];

const say = (text: string) => {
  process.stderr.write(`${text}\n`);
};
const print = (text: string) => {
  process.stdout.write(`${text}\n`);
};

async function main(words: readonly string[]): Promise<number> {
  const [first = 'help'] = words;
  if (first === 'help' || first === '--help' || first === '-h') {
    const asked = findCommand(COMMANDS, words.slice(1));
    print(asked ? helpOf(asked.command) : overview(COMMANDS));
    return 0;
  }
  const found = findCommand(COMMANDS, words);
  if (!found) {
    const guess = nearest(first, [...new Set(COMMANDS.flatMap(({ name }) => [name, name.split(' ')[0] ?? '']))]);
    throw new UsageError(`There is no command "${first}".${guess ? ` Did you mean "${guess}"?` : ''}`);
  }
  const given = readArguments(found.command, found.rest);
  if (given === null) {
    print(helpOf(found.command));
    return 0;
  }
  return run(found.command, given);
}

async function run(command: Command, given: NonNullable<ReturnType<typeof readArguments>>): Promise<number> {
  const config = readConfig({ LOG_LEVEL: 'warn', ...process.env });
  let app: Promise<App> | undefined;
  const open = async (mode: 'tool' | 'server' = 'tool') => {
    app ??= openApp(config, { mode });
    return app;
  };
  try {
    return (await command.run({ config, print, say, open }, given)) ?? 0;
  } finally {
    await app?.then(
      (opened) => opened.close(),
      () => {},
    );
  }
}

function explain(error: unknown): { readonly text: string; readonly code: number } {
  if (error instanceof UsageError) return { text: `${error.message}\nHelp: npm run armature -- help`, code: 2 };
  if (error instanceof Problem) return { text: problemText(error), code: 1 };
  if (error instanceof StartupError || error instanceof Failure) return { text: error.message, code: 1 };
  return {
    text: `Something went wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    code: 1,
  };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { text, code } = explain(error);
  say(text);
  process.exitCode = code;
}
