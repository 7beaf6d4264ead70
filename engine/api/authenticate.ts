/**
 * Who asks: a session cookie (pages) or a bearer token (programs). A browser adds cookies to requests that other sites
 * make, so what a cookie may change is guarded three times: `SameSite=Lax`, a header that a form cannot set, and the
 * browser's own word on where the request came from.
 */
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import { Problem } from '../problem.ts';
import type { Exchange } from './exchange.ts';

export const COOKIE = 'armature_session';
const REQUEST_HEADER = 'x-armature-request';
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,512}$/;

export interface Authenticator {
  authenticate(token: string): Principal | null | Promise<Principal | null>;
}

export interface Credentials {
  readonly token: string;
  readonly kind: 'cookie' | 'bearer';
}

function cookieToken(header: string): string | null {
  let from = 0;
  while (from < header.length) {
    let end = header.indexOf(';', from);
    if (end < 0) end = header.length;
    const part = header.slice(from, end).trim();
    if (part.startsWith(COOKIE) && part.charCodeAt(COOKIE.length) === 0x3d) return part.slice(COOKIE.length + 1);
    from = end + 1;
  }
  return null;
}

/** What the request carries; an `Authorization` header goes before a cookie. `null` without either, or when it cannot be a token. */
export function credentialsOf(request: IncomingMessage): Credentials | null {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    const token = /^bearer /i.test(authorization) ? authorization.slice(7).trim() : '';
    return TOKEN.test(token) ? { token, kind: 'bearer' } : null;
  }
  if (cookie === undefined) return null;
  const token = cookieToken(cookie);
  return token !== null && TOKEN.test(token) ? { token, kind: 'cookie' } : null;
}

function crossOrigin(message: string, parameter: string): Problem {
  return new Problem('cross_origin', message, [{ code: 'cross_origin', message, parameter }]);
}

/**
 * Refuses a request that a page of another site made.
 * @param publicOrigin the installation's own, `https://crm.example`
 * @throws Problem `cross_origin`
 */
export function requireSameOrigin(request: IncomingMessage, publicOrigin: string): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site === 'cross-site') throw crossOrigin('The request came from another site.', 'Sec-Fetch-Site');
  if (origin === undefined || origin === publicOrigin) return;
  // The address this server was asked under counts as its own too: the browser wrote both headers.
  if (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return;
  throw crossOrigin('The request came from another site.', 'Origin');
}

function requireIntent(request: IncomingMessage, publicOrigin: string): void {
  if (request.headers[REQUEST_HEADER] !== '1') {
    throw crossOrigin(
      'Requests with a session cookie that change something need the header X-Armature-Request: 1.',
      'X-Armature-Request',
    );
  }
  requireSameOrigin(request, publicOrigin);
}

/**
 * The principal of a request; it stands in the exchange afterwards.
 * @returns at once where the identity knows at once
 * @throws Problem `unauthenticated`, `cross_origin`
 */
export function authenticate(
  exchange: Exchange,
  identity: Authenticator,
  publicOrigin: string,
): Principal | Promise<Principal> {
  const { request } = exchange;
  const credentials = credentialsOf(request);
  const accept = (principal: Principal | null): Principal => {
    if (!credentials || !principal)
      throw new Problem('unauthenticated', 'Sign in first: there is no valid session or token.');
    exchange.principal = principal;
    if (credentials.kind === 'cookie' && request.method !== 'GET' && request.method !== 'HEAD')
      requireIntent(request, publicOrigin);
    return principal;
  };
  const found = credentials && identity.authenticate(credentials.token);
  return found instanceof Promise ? found.then(accept) : accept(found);
}
