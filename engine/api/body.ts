/** Request bodies: read up to a limit, checked before they are parsed. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { inexactNumber } from '../model/exact-numbers.ts';
import { parseDocument } from '../model/json-text.ts';
import { invalidAt, Problem } from '../problem.ts';

/** Bytes of a body with records. */
export const RECORD_LIMIT = 1024 * 1024;
/** Bytes of a body with metadata documents. */
export const METADATA_LIMIT = 5 * 1024 * 1024;
/** Any JSON in a field may be 60 deep; around it stand a list, parts inside parts, and a batch. */
export const MAX_DEPTH = 100;

/** How long the rest of a refused body may still come in (and is thrown away) before the connection is cut, milliseconds. */
const DRAIN_TIME = 10_000;

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json']);
export const PATCH_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/merge-patch+json']);

function tooLarge(request: IncomingMessage, limit: number): Problem {
  // Cutting the connection now would reset it before the client has read our answer: the rest is let in and dropped.
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.destroy();
  }, DRAIN_TIME).unref();
  return new Problem('too_large', `The body may have ${limit} bytes at most.`, [
    { code: 'too_large', message: `The body may have ${limit} bytes at most.`, params: { limit } },
  ]);
}

/** Whether there is a body at all (RFC 9112 §6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  return transfer !== undefined || (length !== undefined && length !== '0');
}

const bodies = new WeakMap<IncomingMessage, Promise<Buffer>>();
const parts = new WeakSet<IncomingMessage>();

/** Gives a request a body that did not come over the wire: it is a part of another one. */
export function giveBody(request: IncomingMessage, body: Buffer): void {
  bodies.set(request, Promise.resolve(body));
  parts.add(request);
}

/** Whether the request is a part of another one. */
export function isPart(request: IncomingMessage): boolean {
  return parts.has(request);
}

/**
 * The whole body. It comes in once; who asks again (a request that is tried again) gets it as well.
 * @param limit bytes; a longer one is refused without keeping it in memory
 * @throws Problem `too_large`
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (!hasBody(request)) return Promise.resolve(Buffer.alloc(0));
  if (Number(request.headers['content-length']) > limit) return Promise.reject(tooLarge(request, limit));
  const known = bodies.get(request);
  if (known) return known;
  const body = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.off('data', onData);
        chunks.length = 0;
        reject(tooLarge(request, limit));
      } else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Nobody is left to answer; the promise must settle all the same. Every request is closed once, most of them whole.
    const brokenOff = () => {
      if (!request.complete) reject(new Problem('malformed_json', 'The request was broken off.'));
    };
    request.once('close', brokenOff);
    request.once('error', brokenOff);
  });
  bodies.set(request, body);
  return body;
}

/**
 * The media type in lower case, without its parameters.
 * @throws Problem `unsupported_media_type` when it is not one of `types`, for a charset other than UTF-8, or for a compressed body
 */
export function requireType(request: IncomingMessage, types: ReadonlySet<string> = JSON_TYPES): void {
  const { 'content-type': given = '', 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported_media_type', 'Compressed bodies are not supported. Send it as it is.', [
      { code: 'unsupported_media_type', message: 'Send the body uncompressed.', parameter: 'Content-Encoding' },
    ]);
  }
  if (types.has(given)) return;
  const [type = '', ...parameters] = given.toLowerCase().split(';');
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='));
  if (types.has(type.trim()) && (charset === undefined || /^charset="?utf-8"?$/.test(charset))) return;
  const wanted = [...types].join(' or ');
  throw new Problem('unsupported_media_type', `Send the body as ${wanted} in UTF-8.`, [
    { code: 'unsupported_media_type', message: `Expected ${wanted}.`, parameter: 'Content-Type' },
  ]);
}

/** Whether the body is a merge patch by its name: then JSON fields are merged into (RFC 7396). */
export function isMergePatch(request: IncomingMessage): boolean {
  return /^application\/merge-patch\+json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The deepest nesting of objects and arrays, stopping as soon as it exceeds `limit`. It need not be valid JSON. */
export function nesting(text: Uint8Array, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) {
      for (at += 1; at < text.length && text[at] !== QUOTE; at += 1) if (text[at] === BACKSLASH) at += 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > deepest) {
        deepest = depth;
        if (deepest > limit) return deepest;
      }
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

function malformed(message: string, params: Record<string, unknown> = {}): Problem {
  return new Problem('malformed_json', message, [{ code: 'malformed_json', message, pointer: '', params }]);
}

/**
 * @throws Problem `malformed_json` with position, line and column, `too_deep`; `invalid` for a number that would be changed
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw malformed('The body is empty.', { position: 0, line: 1, column: 1 });
  if (nesting(body, MAX_DEPTH) > MAX_DEPTH) {
    throw new Problem('too_deep', `Objects and arrays may be nested ${MAX_DEPTH} deep.`, [
      {
        code: 'too_deep',
        message: `Objects and arrays may be nested ${MAX_DEPTH} deep.`,
        params: { limit: MAX_DEPTH },
      },
    ]);
  }
  if (!isUtf8(body)) throw malformed('The body is not valid UTF-8.');
  const text = body.toString('utf8');
  const value = parsed(text);
  const inexact = inexactNumber(text);
  if (inexact) throw invalidAt(inexact.pointer, inexact.error.message, inexact.error.code);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return diagnose(text);
  }
}

/** V8 does not always say where a text stops being JSON; the scanner of documents does. */
function diagnose(text: string): unknown {
  try {
    // Getting through means that only a byte order mark was in the way, which RFC 8259 §8.1 lets us ignore.
    return parseDocument(text, 'body');
  } catch (error) {
    const found = error instanceof Problem ? error.errors[0] : undefined;
    const { line, column } = found?.params ?? {};
    if (!found || typeof line !== 'number' || typeof column !== 'number') throw error;
    const position =
      text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length +
      column -
      (line > 1 ? 0 : 1);
    throw malformed(`The body is not valid JSON. ${found.message}`, { position, line, column });
  }
}

/** @throws Problem `invalid` when the body is no object */
export function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalidAt('', 'The body must be an object.', 'type');
  return { ...body };
}

/** A JSON body: type, size, depth and syntax checked. */
export async function readJson(
  request: IncomingMessage,
  limit: number,
  types: ReadonlySet<string> = JSON_TYPES,
): Promise<unknown> {
  requireType(request, types);
  return parseJson(await readBody(request, limit));
}
