/** Imports of an entity: a file comes in as a stream, is looked at, mapped, run in the background, and its errors leave as a file. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { Problem } from '../problem.ts';
import { ENCODINGS } from '../records/import/decode.ts';
import type { TableOptions } from '../records/import/table-file.ts';
import { hasBody, readJson, RECORD_LIMIT } from './body.ts';
import { sendJson } from './exchange.ts';
import type { RecordRequest } from './record-request.ts';

/** Bytes of a file to import. */
const FILE_LIMIT = 50 * 1024 * 1024;

function invalidImport(message: string, pointer = '/file'): Problem {
  return new Problem('invalid_import', message, [{ code: 'invalid_import', message, pointer }]);
}

/** Hands the first file of the multipart body to `take` as it arrives. @throws Problem `unsupported_media_type`, `invalid_import`, `too_large` */
async function receiveFile<T>(
  request: IncomingMessage,
  take: (name: string, stream: Readable) => Promise<T>,
): Promise<T> {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw new Problem('unsupported_media_type', 'Send the file as multipart/form-data, in a field named "file".', [
      { code: 'unsupported_media_type', message: 'Expected multipart/form-data.', parameter: 'Content-Type' },
    ]);
  }
  let parser: busboy.Busboy;
  try {
    parser = busboy({
      headers: request.headers,
      limits: { files: 1, fields: 8, fieldSize: 4096, parts: 10, fileSize: FILE_LIMIT },
    });
  } catch {
    throw invalidImport('The multipart body has no boundary.', '');
  }
  const result = new Promise<T>((resolve, reject) => {
    let taken = false;
    parser.on('file', (field, stream, info) => {
      if (field !== 'file') {
        stream.resume();
        return;
      }
      taken = true;
      stream.on('limit', () => {
        const problem = new Problem('too_large', `The file may have ${FILE_LIMIT} bytes at most.`);
        stream.destroy(problem);
        reject(problem);
      });
      take(info.filename ?? 'file', stream).then(resolve, (error: unknown) => {
        stream.resume();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    parser.on('error', () => reject(invalidImport('The multipart body cannot be read.', '')));
    parser.on('close', () => {
      if (!taken) reject(invalidImport('There is no file: send it in a field named "file".'));
    });
    request.once('aborted', () => {
      const problem = invalidImport('The upload was broken off.');
      // Whoever reads the file must hear of it: it would wait for the rest for ever.
      parser.destroy(problem);
      reject(problem);
    });
  });
  request.pipe(parser);
  try {
    return await result;
  } finally {
    request.unpipe(parser);
    request.resume();
  }
}

/** `GET {url}/imports/{import}/errors.csv` */
export async function importErrors(request: RecordRequest, id: string): Promise<void> {
  const { exchange, scope, entity, services } = request;
  const stream = await services.importer.errors(scope, entity, id);
  exchange.response.writeHead(200, [
    ...exchange.headers,
    'Content-Type',
    'text/csv; charset=utf-8',
    'Content-Disposition',
    `attachment; filename="${entity.plural}-errors.csv"`,
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
  ]);
  await pipeline(stream, exchange.response);
}

/** `?encoding=…&sheet=…` @throws Problem `unknown_parameter`, `invalid_parameter` */
function readOptions(search: string): TableOptions {
  let options: TableOptions = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === 'sheet') options = { ...options, sheet: value };
    else if (name === 'encoding') {
      const encoding = ENCODINGS.find((known) => known === value.toLowerCase());
      const message = `“encoding” is one of: ${ENCODINGS.join(', ')}.`;
      if (!encoding)
        throw new Problem('invalid_parameter', message, [{ code: 'invalid_parameter', message, parameter: name }]);
      options = { ...options, encoding };
    } else {
      const message = `There is no parameter “${name.slice(0, 60)}” here. There are: encoding, sheet.`;
      throw new Problem('unknown_parameter', message, [{ code: 'unknown_parameter', message, parameter: name }]);
    }
  }
  return options;
}

/** `POST {url}/imports`: takes a file in. */
export async function uploadImport(request: RecordRequest): Promise<void> {
  const { exchange, scope, entity, services } = request;
  const options = readOptions(request.search);
  const made = await receiveFile(exchange.request, (name, stream) =>
    services.importer.upload(scope, entity, { ...options, name, stream }),
  );
  sendJson(exchange, 201, { data: made });
}

/** `GET {url}/imports/{import}` */
export async function importStatus({ exchange, scope, entity, services }: RecordRequest, id: string): Promise<void> {
  sendJson(exchange, 200, { data: await services.importer.status(scope, entity, id) });
}

/** `PATCH {url}/imports/{import}` */
export async function configureImport({ exchange, scope, entity, services }: RecordRequest, id: string): Promise<void> {
  const body = await readJson(exchange.request, RECORD_LIMIT);
  sendJson(exchange, 200, { data: await services.importer.configure(scope, entity, id, body) });
}

/** `POST {url}/imports/{import}/start` */
export async function startImport({ exchange, scope, entity, services }: RecordRequest, id: string): Promise<void> {
  const body = hasBody(exchange.request) ? await readJson(exchange.request, RECORD_LIMIT) : {};
  sendJson(exchange, 202, { data: await services.importer.start(scope, entity, id, body) });
}
