import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { findCommand, readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOf, overview } from './help.ts';
import { problemText } from './problem-text.ts';

const command: Command = {
  name: 'boat build',
  summary: 'Builds a boat',
  operands: [{ name: 'NAME', help: 'what it is called' }],
  options: {
    yard: { type: 'string', value: 'KEY', help: 'where', required: true },
    fast: { type: 'boolean', help: 'in a hurry' },
  },
  run: async () => {},
};

describe('the command line', () => {
  test('finds the longest command the words call', () => {
    const found = findCommand(COMMANDS, ['tenant', 'create', 'acme', '--name', 'Acme']);
    expect([found?.command.name, found?.rest]).toEqual(['tenant create', ['acme', '--name', 'Acme']]);
    expect(findCommand(COMMANDS, ['tenant'])).toBeNull();
  });

  test('reads operands and options', () => {
    const given = readArguments(command, ['Gull', '--yard', 'north', '--fast']);
    expect([given?.positionals, given?.required('yard'), given?.flag('fast')]).toEqual([['Gull'], 'north', true]);
    expect(readArguments(command, ['--help'])).toBeNull();
  });

  test.each([
    [['--yard', 'north'], 'NAME is missing.'],
    [['Gull'], '--yard KEY is missing.'],
    [['Gull', 'Tern', '--yard', 'north'], 'This is too much here: Tern'],
    [['Gull', '--yrad', 'north'], 'There is no option --yrad. Did you mean --yard?'],
    [['Gull', '--yard'], '--yard needs a value.'],
  ])('refuses %j', (words, sentence) => {
    expect(() => readArguments(command, words)).toThrow(UsageError);
    expect(() => readArguments(command, words)).toThrow(sentence);
  });

  test('has help for everything', () => {
    const text = overview(COMMANDS);
    for (const one of COMMANDS) {
      expect(text).toContain(`  ${one.name} `);
      expect(helpOf(one)).toContain(`Usage: armature ${one.name}`);
    }
    expect(helpOf(command)).toContain('Usage: armature boat build NAME --yard KEY [options]');
  });

  test('tells each thing that is wrong once, with the document it stands in', () => {
    const detail = (message: string, document?: string) => ({
      code: 'x',
      message,
      pointer: '/a',
      ...(document ? { document } : {}),
    });
    expect(problemText(new Problem('not_found', 'Nothing is there.'))).toBe('Nothing is there.');
    expect(problemText(new Problem('unique', 'It is taken.', [detail('It is taken.')]))).toBe('It is taken.');
    const several = [detail('One.', 'a.json'), detail('Two.', 'b.json')];
    expect(problemText(new Problem('invalid_document', 'a.json: One. (and 1 more)', several))).toBe(
      '2 things are wrong:\n  a.json /a: One.\n  b.json /a: Two.',
    );
  });
});
