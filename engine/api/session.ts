/** Signing in and out of the screens: `/api/session`. Programs use bearer tokens instead and need none of this. */
import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';
import type { Principal } from '../identity/principal.ts';
import { invalidAt } from '../problem.ts';
import type { Services } from '../services.ts';
import { authenticate, COOKIE, credentialsOf, requireSameOrigin } from './authenticate.ts';
import { objectOf, readJson } from './body.ts';
import { sendEmpty, sendJson } from './exchange.ts';
import { mount } from './routes.ts';

/** Bytes: an address, a password and a key. */
const LIMIT = 16 * 1024;

export interface SessionOptions {
  /** `https://crm.example`; its scheme decides about `Secure`. */
  readonly publicOrigin: string;
  /** Proxies in front that write `X-Forwarded-For`; 0 believes nobody. */
  readonly trustedProxies: number;
}

/** The client's address: the n-th last entry that n trusted proxies have written, else the connection's own. */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const own = request.socket.remoteAddress ?? '';
  const header = request.headers['x-forwarded-for'];
  if (trustedProxies === 0 || header === undefined) return own;
  const hops = (Array.isArray(header) ? header.join(',') : header).split(',').map((hop) => hop.trim());
  return hops.at(-Math.min(trustedProxies, hops.length)) || own;
}

function describe(principal: Principal): Record<string, unknown> {
  return {
    tenant: principal.tenant,
    user: { id: principal.userId, name: principal.name, email: principal.email, roles: principal.roles },
    locale: principal.locale,
    timeZone: principal.timeZone,
  };
}

function textOf(body: Readonly<Record<string, unknown>>, key: string): string {
  const value = body[key];
  if (typeof value !== 'string' || value === '') throw invalidAt(`/${key}`, 'This is needed.', 'required');
  return value;
}

export function mountSession(
  app: Express,
  services: Pick<Services, 'identity' | 'clock'>,
  options: SessionOptions,
): void {
  const attributes = `Path=/; HttpOnly; SameSite=Lax${options.publicOrigin.startsWith('https:') ? '; Secure' : ''}`;

  mount(app, '/api/session', {
    GET: async (exchange) => {
      const principal = await authenticate(exchange, services.identity, options.publicOrigin);
      sendJson(exchange, 200, { data: describe(principal) });
    },
    POST: async (exchange) => {
      // Signing in somebody else's browser as oneself is an attack too.
      requireSameOrigin(exchange.request, options.publicOrigin);
      const body = objectOf(await readJson(exchange.request, LIMIT));
      const { organisation } = body;
      if (organisation !== undefined && typeof organisation !== 'string')
        throw invalidAt('/organisation', 'This must be text.', 'type');
      const signedIn = await services.identity.signIn(
        { email: textOf(body, 'email'), password: textOf(body, 'password'), organisation },
        { ip: clientAddress(exchange.request, options.trustedProxies) },
      );
      exchange.principal = signedIn.principal;
      // A session that the browser had before ends with this one's beginning.
      const before = credentialsOf(exchange.request);
      if (before?.kind === 'cookie') await services.identity.signOut(before.token);
      const age = Math.max(0, Math.floor((signedIn.expiresAt.getTime() - services.clock.now()) / 1000));
      sendJson(
        exchange,
        201,
        { data: { ...describe(signedIn.principal), expiresAt: signedIn.expiresAt.toISOString() } },
        { headers: ['Set-Cookie', `${COOKIE}=${signedIn.token}; ${attributes}; Max-Age=${age}`] },
      );
    },
    DELETE: async (exchange) => {
      await authenticate(exchange, services.identity, options.publicOrigin);
      const credentials = credentialsOf(exchange.request);
      if (credentials) await services.identity.signOut(credentials.token);
      sendEmpty(exchange, 204, ['Set-Cookie', `${COOKIE}=; ${attributes}; Max-Age=0`]);
    },
  });
}
