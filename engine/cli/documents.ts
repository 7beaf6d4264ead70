/** An organisation's own documents as they lie in a folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { SourceDocument } from '../model/documents.ts';
import { CUSTOM } from '../model/documents.ts';
import { parseDocument } from '../model/json-text.ts';
import type { ProblemDetail } from '../problem.ts';
import { Problem } from '../problem.ts';
import { Failure } from './command.ts';

/**
 * Reads all `*.json` under a folder, in the order of their paths.
 * @throws Failure when the folder cannot be read
 * @throws Problem `invalid_document` for files that are not JSON, all of them at once
 */
export async function readDocuments(directory: string): Promise<readonly SourceDocument[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new Failure(`The folder ${resolve(directory)} cannot be read.`, { cause: error });
  });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const documents: SourceDocument[] = [];
  const faults: ProblemDetail[] = [];
  for (const path of paths) {
    const source = resolve(path).slice(resolve(directory).length + 1).split(sep).join('/');
    try {
      documents.push({ document: parseDocument(await readFile(path, 'utf8'), source), source, pack: CUSTOM });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      faults.push(...error.errors);
    }
  }
  if (faults.length > 0) throw new Problem('invalid_document', `${faults.length} files are not valid JSON.`, faults);
  return documents;
}
