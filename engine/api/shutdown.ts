/** The HTTP server around the application, and its orderly end. */
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { guardServer } from './limits.ts';

/** Bytes of all headers together. */
const MAX_HEADERS = 16 * 1024;
/** Milliseconds that requests in flight get to finish. */
const GRACE = 10_000;

/** @param handler what `createHttp` returned, or what answers until there is one */
export function httpServer(handler: RequestListener): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADERS, noDelay: true }, handler);
  guardServer(server);
  return server;
}

/**
 * Stops accepting, lets requests in flight finish, closes.
 * @param grace milliseconds; what is not finished then is cut
 * @returns once every connection is closed
 */
export async function shutDown(server: Server, grace = GRACE): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // Connections fall idle one by one as their requests finish; Node closes only those that are idle at once.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
