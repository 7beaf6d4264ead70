/** Files over HTTP: `POST {url}/$files?name=…` takes one in, `GET {url}/{id}/files/{field}` gives a record's out. */
import { pipeline } from 'node:stream/promises';
import { INLINE_TYPES } from '../files/recognise.ts';
import type { ByteRange } from '../files/store.ts';
import { invalidAt, Problem } from '../problem.ts';
import { sendEmpty, sendJson } from './exchange.ts';
import type { RecordRequest } from './record-request.ts';
import { matchesNone } from './request-headers.ts';

/** A page that shows what came from a file may do nothing at all. */
const SANDBOX = "default-src 'none'; sandbox";

/** The body is the file itself, whatever its type says. */
export async function uploadRoute(request: RecordRequest): Promise<void> {
  const { exchange, scope, entity, services, search } = request;
  const name = new URLSearchParams(search).get('name') ?? 'file';
  const announced = Number(exchange.request.headers['content-length'] ?? 0);
  if (announced > services.files.limit)
    throw new Problem('too_large', `A file may have ${Math.floor(services.files.limit / 1024 / 1024)} MB at most.`);
  const file = await services.files.receive(scope, entity, name, exchange.request);
  if (!exchange.request.complete) throw invalidAt('', 'The upload was broken off.', 'invalid');
  sendJson(exchange, 201, { data: file });
}

/** As RFC 6266 and 8187 have it: a plain name for old programs, the real one for all others. */
function disposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replaceAll(/[^\w.() -]/g, '_');
  const exact = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** One range of bytes; `null` for what is none we serve, `'beyond'` when the file is shorter. */
function rangeOf(header: string | undefined, size: number): ByteRange | 'beyond' | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  if (from === '')
    return size === 0 || Number(to) === 0 ? 'beyond' : { start: Math.max(0, size - Number(to)), end: size - 1 };
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size) return 'beyond';
  return end < start ? null : { start, end };
}

export async function downloadRoute(request: RecordRequest, id: string, field: string): Promise<void> {
  const { exchange, scope, entity, services, method, search } = request;
  const file = await services.files.find(scope, entity, id, field);
  const inline = INLINE_TYPES.has(file.type) && new URLSearchParams(search).has('inline');
  const tag = `"${file.id}"`;
  if (matchesNone(exchange.request, tag)) return sendEmpty(exchange, 304, ['ETag', tag]);
  const range = rangeOf(exchange.request.headers.range, file.size);
  if (range === 'beyond') return sendEmpty(exchange, 416, ['Content-Range', `bytes */${file.size}`]);
  const length = range ? range.end - range.start + 1 : file.size;
  const content =
    method === 'HEAD' || length === 0 ? null : await services.files.content(scope, file, range ?? undefined);
  exchange.response.writeHead(range ? 206 : 200, [
    ...exchange.headers.filter((_, at, all) => !/^content-security-policy$/i.test(all[at - (at % 2)] ?? '')),
    'Content-Type',
    file.type,
    'Content-Disposition',
    disposition(inline ? 'inline' : 'attachment', file.name),
    'Content-Security-Policy',
    SANDBOX,
    'Cache-Control',
    'private, no-cache',
    'Accept-Ranges',
    'bytes',
    'ETag',
    tag,
    'Content-Length',
    String(length),
    ...(range ? ['Content-Range', `bytes ${range.start}-${range.end}/${file.size}`] : []),
    'X-Request-Id',
    exchange.id,
  ]);
  if (content) await pipeline(content, exchange.response);
  else exchange.response.end();
}
