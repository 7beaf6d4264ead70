import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Where a server listens; 0 when it does not. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Systems give ports from 32,768 (Linux) or 49,152 on to whoever asks for any, and to every connection that goes out. */
const LEAST = 15_000;
const COUNT = 15_000;

/**
 * A port of 127.0.0.1 on which nobody listens, for a server that is started, and started again, on it: one of those that
 * nobody is given by chance in between.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * COUNT);
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!listening) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
