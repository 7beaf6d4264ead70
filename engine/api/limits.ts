/** How long and how large HTTP itself may be, before there is a request to speak of. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEMS } from '../problem.ts';

/** Milliseconds. Slow senders hold sockets, so headers must be in soon; idle connections outlive a balancer's 60 seconds. */
const HEADERS = 15_000;
const REQUEST = 300_000;
const KEEP_ALIVE = 65_000;

function refusal(error: NodeJS.ErrnoException): readonly [number, string] {
  if (error.code === 'HPE_HEADER_OVERFLOW') return [431, 'Request Header Fields Too Large'];
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? [408, 'Request Timeout'] : [400, 'Bad Request'];
}

/** What cannot be parsed as HTTP has no exchange: the answer is written by hand. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = refusal(error);
  const [, title, retryable] = PROBLEMS.invalid_header;
  const body = JSON.stringify({
    type: '/problems/invalid_header',
    title,
    status,
    code: 'invalid_header',
    detail,
    retryable,
    errors: [],
  });
  socket.end(
    [
      `HTTP/1.1 ${status} ${detail}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

/** Sets the server's time limits, and has it answer what it cannot read. */
export function guardServer(server: Server): void {
  server.headersTimeout = HEADERS;
  server.requestTimeout = REQUEST;
  server.keepAliveTimeout = KEEP_ALIVE;
  server.on('clientError', refuse);
}
