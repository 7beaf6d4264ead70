import { Problem } from '#engine/problem.ts';

/** The file cannot be imported; `line` counts from 1, the header being line 1. */
export function badFile(message: string, line?: number): Problem {
  const params = line === undefined ? {} : { params: { line } };
  const sentence = line === undefined ? message : `Line ${line}: ${message}`;
  return new Problem('invalid_import', sentence, [
    { code: 'invalid_import', message: sentence, pointer: '/file', ...params },
  ]);
}
