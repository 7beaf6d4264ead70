/** The HTTP server around the application: it listens before there is an application, so that a taken port is known at once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpServer, shutDown } from './api/shutdown.ts';
import { StartupError } from './db/startup-error.ts';
import { PROBLEMS } from './problem.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Server {
  readonly port: number;
  /** Address on this machine, e.g. `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Answers requests from now on with `handler`; before, `/livez` says yes and everything else `unavailable`. */
  readonly serve: (handler: Handler) => void;
  /** Takes no more requests, lets those under way finish, and ends. */
  readonly close: () => Promise<void>;
}

/**
 * @throws StartupError when the port is taken or may not be used
 */
export async function listen(host: string, port: number): Promise<Server> {
  let handler: Handler = answerWhileStarting;
  const server = httpServer((request, response) => handler(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return {
    port: actual,
    url: `http://${localName(host)}:${actual}`,
    serve: (next) => {
      handler = next;
    },
    close: () => shutDown(server),
  };
}

/** The name under which this machine reaches a server that listens on `host`. */
function localName(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function explain(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? error.code : '';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is already taken. Stop the other program, or choose another port: PORT=${port + 1} npm start.`,
    EACCES: `Port ${port} may not be used by this user. Choose one above 1023: PORT=3000 npm start.`,
    EADDRNOTAVAIL: `This machine has no address ${host}. Set HOST to one it has, such as 127.0.0.1 or 0.0.0.0.`,
    ENOTFOUND: `The host name "${host}" is not known. Set HOST to an address of this machine, such as 127.0.0.1.`,
  };
  const reason = typeof code === 'string' ? reasons[code] : undefined;
  return reason ? new StartupError(reason, { cause: error }) : error;
}

function answerWhileStarting(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.split('?')[0] === '/livez') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end('ok\n');
    return;
  }
  const [status, title, retryable] = PROBLEMS.unavailable;
  const detail = 'Armature is starting. Try again in a few seconds.';
  const body = { type: '/problems/unavailable', title, status, code: 'unavailable', detail, retryable, errors: [] };
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'retry-after': '2' })
    .end(JSON.stringify(body));
}
