/** The project's own source files, for the rules that are about the source. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Files git knows or would know, below `folder`, with one of the endings. */
export function filesBelow(folder: string, endings: readonly string[] = ['.ts', '.tsx']): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((file) => endings.some((ending) => file.endsWith(ending)));
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** A source without its comments: rules about code must not trip over prose. */
export function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** Specifiers of all static and dynamic imports with a literal. */
export function importsOf(source: string): readonly string[] {
  return [...withoutComments(source).matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].flatMap(
    (match) => match[1] ?? [],
  );
}
