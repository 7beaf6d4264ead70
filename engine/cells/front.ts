/** Sends a request to the HTTP surface of the cell that its token names. Without cells beside home there is no front. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { credentialsOf } from '../api/authenticate.ts';
import type { HttpOptions } from '../api/server.ts';
import { createHttp } from '../api/server.ts';
import { cellOfToken } from '../identity/token.ts';
import type { Services } from '../services.ts';
import type { Cells } from './cells.ts';
import { identityOfCells } from './sign-in.ts';

/** The whole application, over all cells. */
export function createCellsHttp(cells: Cells, options: HttpOptions = {}): RequestListener {
  if (cells.keys.length === 0) return createHttp(cells.home, options);
  // Tokens of a cell that cannot be reached end here as well, and hear so.
  const home = createHttp({ ...cells.home, identity: identityOfCells(cells) }, options);
  /** Made when a cell is first asked for; a cell that came back has other services. */
  const made = new WeakMap<Services, RequestListener>();
  const listenerOf = (key: string): RequestListener => {
    const services = cells.reachable().find((cell) => cell.key === key)?.services;
    if (!services) return home;
    let listener = made.get(services);
    if (!listener) made.set(services, (listener = createHttp(services, options)));
    return listener;
  };
  return (request: IncomingMessage, response: ServerResponse) => {
    // Whoever signs in is anybody, also with an old cookie.
    const signsIn = request.method === 'POST' && request.url === '/api/session';
    const credentials = signsIn ? null : credentialsOf(request);
    const key = credentials && cellOfToken(credentials.token);
    (key ? listenerOf(key) : home)(request, response);
  };
}
