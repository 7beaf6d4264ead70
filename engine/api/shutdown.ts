/** The HTTP server around the application, and its orderly end. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEMS } from '../problem.ts';

/** Milliseconds. Headers must be in soon (slow senders hold sockets); idle connections outlive a balancer's 60 seconds. */
const TIMEOUTS = { headersTimeout: 15_000, requestTimeout: 300_000, keepAliveTimeout: 65_000 };
const MAX_HEADERS = 16 * 1024;
/** Milliseconds that requests in flight get to finish. */
const GRACE = 10_000;

/** What cannot even be parsed as HTTP has no exchange: the answer is written by hand. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, text] = error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? [408, 'Request Timeout'] : [400, 'Bad Request'];
  const body = JSON.stringify({ type: '/problems/invalid_header', title: PROBLEMS.invalid_header[1], status, code: 'invalid_header', detail: text, retryable: false, errors: [] });
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** @param handler what `createHttp` returned */
export function httpServer(handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer({ ...TIMEOUTS, maxHeaderSize: MAX_HEADERS, noDelay: true }, handler);
  server.on('clientError', refuse);
  return server;
}

/**
 * Stops accepting, lets requests in flight finish, closes.
 * @param grace milliseconds; what is not finished then is cut
 * @returns once every connection is closed
 */
export async function shutDown(server: Server, grace = GRACE): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Connections become idle one by one as their requests finish; Node closes only those that are idle at once.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
