/** The screens as they were built into `dist/ui`: one page for every address of theirs, and its assets. */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import express from 'express';
import { notFound } from '../problem.ts';
import type { Exchange } from './exchange.ts';
import { pathOf } from './exchange.ts';
import { notAllowed, sendProblem } from './problem-response.ts';
import { exchangeOf } from './routes.ts';

const BUILT = fileURLToPath(new URL('../../dist/ui/', import.meta.url));
const INDEX = '/index.html';
const PLACEHOLDER = '__CSP_NONCE__';
const ONE_YEAR = 365 * 24 * 60 * 60 * 1000;
const UNBUILT = 'The screens are not built yet: stop and "npm start" again. The API works without them.\n';

/** Scripts and styles come from us, or carry this answer's nonce; nothing else may load, frame us or take our forms. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** What matters only where a document is shown. */
const PAGE_HEADERS = [
  'X-Frame-Options',
  'DENY',
  'Referrer-Policy',
  'same-origin',
  'Cross-Origin-Opener-Policy',
  'same-origin',
] as const;

interface Page {
  readonly changed: number;
  readonly parts: readonly string[];
}

/** Reads the page once, and again when a build has replaced it. `null` without a build. */
function pageReader(root: string): () => Promise<Page | null> {
  let page: Page | null = null;
  const file = `${root.replace(/\/$/, '')}/index.html`;
  return async () => {
    try {
      const { mtimeMs } = await stat(file);
      if (page?.changed !== mtimeMs)
        page = { changed: mtimeMs, parts: (await readFile(file, 'utf8')).split(PLACEHOLDER) };
      return page;
    } catch {
      return null;
    }
  };
}

function sendPage(exchange: Exchange, status: number, type: string, body: string, contentPolicy: string): void {
  exchange.response.writeHead(status, [
    ...exchange.headers.filter((_, at, all) => all[at - (at % 2)] !== 'Content-Security-Policy'),
    ...PAGE_HEADERS,
    'Content-Security-Policy',
    contentPolicy,
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
  ]);
  exchange.response.end(body);
}

/** The page itself leaves with a nonce only, and no file of a build has a name that needs an escape. */
function isFilePath(path: string): boolean {
  return path !== INDEX && !path.includes('%');
}

/** Whether an address may be one of the screens': no part has an extension, it is not the API's, and it is well encoded. */
function isPagePath(path: string): boolean {
  if (path === INDEX) return true;
  const [, first] = path.split('/', 2);
  if (first === 'api' || first === '_ui') return false;
  return !path.includes('.') && !/%(?![0-9A-Fa-f]{2})/.test(path);
}

/** Mounted last: what no route has answered. */
export function mountPages(app: Express, root = BUILT): void {
  const read = pageReader(root);
  const files = { index: false, redirect: false, dotfiles: 'ignore', fallthrough: true } as const;

  app.use((request, response, next) => {
    const { headers } = exchangeOf(request);
    for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
    next();
  });
  // Names in /_ui carry a hash of their content: what was fetched once never changes.
  app.use('/_ui', express.static(`${root.replace(/\/$/, '')}/_ui`, { ...files, immutable: true, maxAge: ONE_YEAR }));
  const others = express.static(root, { ...files, maxAge: 0, extensions: false });
  app.use((request, response, next) => (isFilePath(request.path) ? others(request, response, next) : next()));

  app.use((request, response) => {
    // The page and problems bring their own.
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const exchange = exchangeOf(request);
    answerPage(exchange, pathOf(request.originalUrl), read).catch((error: unknown) => sendProblem(exchange, error));
  });
}

async function answerPage(exchange: Exchange, path: string, read: () => Promise<Page | null>): Promise<void> {
  const { method } = exchange.request;
  if (!isPagePath(path)) throw notFound();
  if (method !== 'GET' && method !== 'HEAD') throw notAllowed('GET, HEAD');
  const page = await read();
  if (!page) return sendPage(exchange, 503, 'text/plain; charset=utf-8', UNBUILT, "default-src 'none'");
  const nonce = randomBytes(16).toString('base64url');
  sendPage(exchange, 200, 'text/html; charset=utf-8', page.parts.join(nonce), policy(nonce));
}
