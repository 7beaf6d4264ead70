/** `{url}/$export`, and lists that are asked for in another format than JSON: the whole list as a file. */
import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.ts';
import type { ExportFormat, ExportOptions } from '../records/export/exporter.ts';
import { problemOf } from '../db/database-error.ts';
import { parseJsonQuery } from '../records/query/json.ts';
import type { Query } from '../records/query/query.ts';
import { parseUrlQuery } from '../records/query/url.ts';
import { isObject } from '../records/write/validate.ts';
import { credentialsOf } from './authenticate.ts';
import { readJson, RECORD_LIMIT } from './body.ts';
import { problemDocument } from './problem-response.ts';
import type { RecordRequest } from './record-request.ts';
import { destroyWith, pour, watchRights } from './streaming.ts';

const TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};
const ACCEPTED: readonly (readonly [string, ExportFormat])[] = [
  ['application/x-ndjson', 'ndjson'],
  ['text/csv', 'csv'],
  [TYPES.xlsx, 'xlsx'],
];
/** What a list can be asked for as, beside JSON. */
export const FILE_TYPES: readonly string[] = ACCEPTED.map(([type]) => type);
/** Parameters of the file, beside those of the query. */
const OWN: ReadonlySet<string> = new Set(['$format', '$header', '$bom']);
/** Parts of a query that mean a page or a summary. */
const PAGED = ['first', 'last', 'after', 'before', 'offset', 'count', 'group', 'aggregate'] as const;

/** The format that `Accept` names, when it is one of a file and JSON is not named as well. */
export function acceptedFormat(request: IncomingMessage): ExportFormat | null {
  const accept = request.headers.accept?.toLowerCase();
  if (accept === undefined || accept === '*/*' || accept.includes('application/json')) return null;
  return ACCEPTED.find(([type]) => accept.includes(type))?.[1] ?? null;
}

function invalid(parameter: string, message: string): Problem {
  return new Problem('invalid_parameter', message, [{ code: 'invalid_parameter', message, parameter }]);
}

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const match = allowed.find((one) => one === value);
  if (match === undefined) throw invalid(name, `“${name}” is one of: ${allowed.join(', ')}.`);
  return match;
}

/** Takes the file's own parameters out of the query. */
function split(search: string): { readonly own: ReadonlyMap<string, string>; readonly rest: string } {
  const own = new Map<string, string>();
  const rest: string[] = [];
  for (const part of search.split('&')) {
    const [[name, value] = ['', '']] = new URLSearchParams(part);
    if (OWN.has(name)) own.set(name, value);
    else if (part !== '') rest.push(part);
  }
  return { own, rest: rest.join('&') };
}

async function queryOf(request: RecordRequest, rest: string): Promise<Query> {
  if (request.method === 'GET' || request.method === 'HEAD')
    return parseUrlQuery(rest, { controls: ['$select', '$order', '$search', '$view', '$deleted'] });
  // What is asked for in the body is not asked for in the address as well: a filter there would be overlooked.
  parseUrlQuery(rest, { controls: [], filters: false });
  const input = await readJson(request.exchange.request, RECORD_LIMIT);
  const paged = isObject(input) ? PAGED.find((part) => input[part] !== undefined && input[part] !== null) : undefined;
  if (paged !== undefined) {
    const message = `An export has no “${paged}”: it is the whole list.`;
    throw new Problem('invalid_parameter', message, [{ code: 'invalid_parameter', message, pointer: `/${paged}` }]);
  }
  return parseJsonQuery(input);
}

/** @throws Problem before anything is sent; what goes wrong later breaks the answer off */
export async function exportRoute(request: RecordRequest): Promise<void> {
  const { exchange, scope, entity, services, method, search } = request;
  const { own, rest } = split(search);
  const format =
    oneOf('$format', own.get('$format'), ['ndjson', 'csv', 'xlsx']) ?? acceptedFormat(exchange.request) ?? 'csv';
  const options: ExportOptions = {
    format,
    header: oneOf('$header', own.get('$header'), ['keys', 'labels']) ?? 'keys',
    mark: oneOf('$bom', own.get('$bom'), ['true', 'false']) === 'true',
  };
  const query = await queryOf(request, rest);
  const headers = [
    ...exchange.headers,
    'Content-Type',
    TYPES[format],
    'Content-Disposition',
    `attachment; filename="${entity.plural}.${format}"`,
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
  ];
  if (method === 'HEAD') {
    services.exporter.check(scope, entity, query, options);
    exchange.response.writeHead(200, headers).end();
    return;
  }
  const stream = await services.exporter.open(scope, entity, query, options);
  const credentials = credentialsOf(exchange.request);
  const unwatch = credentials ? watchRights(stream, services.identity, credentials.token, scope.principal) : () => {};
  const { response } = exchange;
  // The first row may be a long sort away.
  const endWatch = destroyWith(stream, response);
  try {
    // What Postgres refuses it mostly refuses before the first row: then there is a problem document to answer with.
    await new Promise<void>((resolve, reject) => {
      stream.once('readable', resolve).once('end', resolve).once('error', reject).once('close', resolve);
    });
    if (response.destroyed) return;
    response.writeHead(200, headers);
    if (await pour(stream, response)) response.end();
  } catch (error) {
    if (!response.headersSent) throw problemOf(error);
    const problem = problemOf(error);
    exchange.log.warn({ request: exchange.id, code: problem.code, err: problem.cause ?? problem }, 'export broken off');
    // Whoever reads lines learns the reason from the last one; everybody learns from the connection that it is no end.
    if (format !== 'ndjson') response.destroy();
    else {
      const line = JSON.stringify({ error: problemDocument(problem, exchange.id) });
      response.write(`\n${line}\n`, () => response.destroy());
    }
  } finally {
    endWatch();
    unwatch();
  }
}
