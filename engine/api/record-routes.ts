/**
 * The table of the record routes: what stands after `/api/{pack}/v1/{plural}`, and who answers which method. It is what
 * dispatches, and what the tests hold the OpenAPI document against.
 */
import { notFound } from '../problem.ts';
import { recordId } from '../records/record-id.ts';
import { changesRoute } from './changes.ts';
import { duplicateGroups, duplicatesOf } from './duplicates.ts';
import { exportRoute } from './exports.ts';
import { downloadRoute, uploadRoute } from './files.ts';
import { configureImport, importErrors, importStatus, startImport, uploadImport } from './imports.ts';
import { notAllowed } from './problem-response.ts';
import { history, list, one, oneByKey, queryByBody, queryCollection } from './record-reads.ts';
import type { RecordRequest } from './record-request.ts';
import { preferencesOf, requireJsonAccepted } from './request-headers.ts';
import { endShare, listAccess, share } from './shares.ts';
import { templateRoute } from './templates.ts';
import { action, actionMany, bin, change, changeMany, create, merge, putByKey, remove, removeMany } from './writes.ts';

/** @param parts what stands in the places of the path's `{names}` */
type Handler = (request: RecordRequest, ...parts: string[]) => Promise<void> | void;

export interface RecordRoute {
  /** E.g. `{id}/shares/{share}`; empty for the collection. `{id}`, `{import}` and `{share}` are ids, others any text. */
  readonly path: string;
  /** By method, in the order of `Allow`. HEAD is answered as GET. */
  readonly methods: Readonly<Record<string, Handler>>;
  /** Whether the answer may be something else than JSON; then the handler looks at `Accept`. */
  readonly files?: true;
}

export const RECORD_ROUTES: readonly RecordRoute[] = [
  {
    path: '',
    methods: { GET: list, QUERY: queryCollection, POST: create, PATCH: changeMany, DELETE: removeMany },
    files: true,
  },
  { path: '$query', methods: { POST: queryByBody } },
  { path: '$export', methods: { GET: exportRoute, QUERY: exportRoute, POST: exportRoute }, files: true },
  { path: '$changes', methods: { GET: changesRoute } },
  { path: '$files', methods: { POST: uploadRoute }, files: true },
  { path: '$duplicates', methods: { GET: duplicateGroups, POST: duplicatesOf } },
  { path: '$actions/{action}', methods: { POST: actionMany } },
  { path: 'bin', methods: { POST: bin } },
  { path: 'by/{key}/{value}', methods: { GET: oneByKey, PUT: putByKey } },
  { path: 'imports', methods: { POST: uploadImport }, files: true },
  { path: 'imports/{import}', methods: { GET: importStatus, PATCH: configureImport }, files: true },
  { path: 'imports/{import}/start', methods: { POST: startImport }, files: true },
  { path: 'imports/{import}/errors.csv', methods: { GET: importErrors }, files: true },
  { path: '{id}', methods: { GET: one, PATCH: change, DELETE: remove } },
  { path: '{id}/history', methods: { GET: history } },
  { path: '{id}/merge', methods: { POST: merge } },
  { path: '{id}/shares', methods: { GET: listAccess, POST: share } },
  { path: '{id}/shares/{share}', methods: { DELETE: endShare } },
  { path: '{id}/templates/{template}', methods: { POST: templateRoute } },
  { path: '{id}/actions/{action}', methods: { POST: action } },
  { path: '{id}/files/{field}', methods: { GET: downloadRoute }, files: true },
];

interface Prepared {
  readonly segments: readonly string[];
  readonly route: RecordRoute;
  readonly allow: string;
}

/** By the number of segments, so that a request is compared with few. */
const PREPARED = Map.groupBy(
  RECORD_ROUTES.map((route): Prepared => {
    const methods = Object.keys(route.methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    return { segments: route.path === '' ? [] : route.path.split('/'), route, allow: methods.join(', ') };
  }),
  ({ segments }) => segments.length,
);

/** A part of the path as it was meant. @throws Problem `not_found` for what is no percent-encoding */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw notFound();
  }
}

const fits = ({ segments }: Prepared, rest: readonly string[]): boolean =>
  segments.every((segment, at) => segment.startsWith('{') || segment === rest[at]);

/** @throws Problem `not_found` for an empty part and an id that is none */
function partsOf({ segments }: Prepared, rest: readonly string[]): string[] {
  const parts: string[] = [];
  segments.forEach((segment, at) => {
    if (!segment.startsWith('{')) return;
    const part = rest[at] ?? '';
    if (segment === '{id}' || segment === '{import}' || segment === '{share}') parts.push(recordId(part));
    else if (part === '') throw notFound();
    else parts.push(decoded(part));
  });
  return parts;
}

/**
 * Picks the handler by what stands after the entity's path.
 * @throws Problem `not_found`, `method_not_allowed`, `not_acceptable`, `invalid_header`
 */
export function routeRecord(request: RecordRequest, given: readonly string[]): Promise<void> | void {
  const [first = ''] = given;
  const rest = first.startsWith('%24') ? [`$${first.slice(3)}`, ...given.slice(1)] : given;
  const found = PREPARED.get(rest.length)?.find((route) => fits(route, rest));
  if (!found?.route.files) requireJsonAccepted(request.exchange.request);
  if (!found) throw notFound();
  const parts = partsOf(found, rest);
  const { methods } = found.route;
  const name = request.method === 'HEAD' ? 'GET' : request.method;
  const handler = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!handler) throw notAllowed(found.allow);
  // Reads have no wishes to fulfil, but `handling=strict` holds for them as well.
  if (request.exchange.request.headers['prefer'] !== undefined) preferencesOf(request.exchange.request);
  // What writes answers JSON, whatever else the address may answer.
  if (rest.length === 0 && name !== 'GET' && name !== 'QUERY') requireJsonAccepted(request.exchange.request);
  return handler(request, ...parts);
}
