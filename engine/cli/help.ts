import type { Command } from './command.ts';

/** Two columns, the left as wide as its longest entry. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join('\n');
}

function usage(command: Command): string {
  const operands = (command.operands ?? []).map(({ name, optional }) => (optional ? `[${name}]` : name));
  const required = Object.entries(command.options ?? {}).filter(([, option]) => option.required);
  const options = required.map(([name, option]) => `--${name} ${option.value ?? ''}`.trim());
  const more = Object.keys(command.options ?? {}).length > required.length ? ['[options]'] : [];
  return ['armature', command.name, ...operands, ...options, ...more].join(' ');
}

export function overview(commands: readonly Command[]): string {
  return `Armature: the command line of this installation.

Usage: npm run armature -- <command> [options]

${columns(commands.map((command) => [command.name, command.summary]))}

Help for one command: npm run armature -- <command> --help
It works on the data in ARMATURE_HOME (.armature), or on the Postgres of DATABASE_URL, whether the server runs or not.`;
}

export function helpOf(command: Command): string {
  const parts = [`${command.summary}\n\nUsage: ${usage(command)}`];
  if (command.operands?.length) parts.push(columns(command.operands.map(({ name, help }) => [name, help])));
  const options = Object.entries(command.options ?? {}).map(([name, { value, help }]): readonly [string, string] => [
    `--${name}${value ? ` ${value}` : ''}`,
    help,
  ]);
  if (options.length > 0) parts.push(`Options:\n${columns(options)}`);
  if (command.details) parts.push(command.details);
  return parts.join('\n\n');
}
