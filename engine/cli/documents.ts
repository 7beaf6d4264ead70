/** An organisation's own documents as they lie in a folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { isObject } from '../model/documents.ts';
import { parseDocument } from '../model/json-text.ts';
import type { ProblemDetail } from '../problem.ts';
import { Problem } from '../problem.ts';
import { MANIFEST } from '../schema/export-files.ts';
import type { TenantDocument } from '../schema/source.ts';
import { Failure } from './command.ts';

/**
 * Reads all `*.json` under a folder, in the order of their paths.
 * @throws Failure when the folder cannot be read
 * @throws Problem `invalid_document` for files that are not JSON, all of them at once
 */
export async function readDocuments(directory: string): Promise<readonly TenantDocument[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new Failure(`The folder ${resolve(directory)} cannot be read.`, { cause: error });
  });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    // It describes the folder and is no document.
    .filter((path) => resolve(path) !== resolve(directory, MANIFEST))
    .sort();
  const documents: TenantDocument[] = [];
  const faults: ProblemDetail[] = [];
  for (const path of paths) {
    const source = resolve(path)
      .slice(resolve(directory).length + 1)
      .split(sep)
      .join('/');
    try {
      const document = parseDocument(await readFile(path, 'utf8'), source);
      if (isObject(document)) documents.push(document);
      else faults.push({ code: 'type', message: 'A document is a JSON object.', document: source, pointer: '' });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      faults.push(...error.errors);
    }
  }
  if (faults.length > 0)
    throw new Problem('invalid_document', 'Some files are not documents. Nothing was changed.', faults);
  return documents;
}
