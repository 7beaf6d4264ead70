/**
 * Stands between the server and Postgres, and loses replies: what Postgres has done and committed is never heard of.
 * It reads no further into the protocol than it must: a reply to a batch ends with the message ReadyForQuery, `Z` and
 * five bytes, sent after the commit.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** From now on, the next `count` replies that end a batch are dropped together with their connections. */
  drop(count: number): void;
  /** Drops no further ones. */
  rest(): void;
  /** Replies dropped so far. */
  readonly dropped: () => number;
  close(): Promise<void>;
}

const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** @param target port of Postgres on this machine, which changes when it is started again */
export async function openProxy(target: () => number): Promise<Proxy> {
  let armed = 0;
  let dropped = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(target(), '127.0.0.1');
    /** The client has sent a Sync: what comes back has been committed, or refused. */
    let asked = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      // A Sync: `S` and four bytes. Start-up messages have none.
      if (data.length >= 5 && data.subarray(-5).equals(Buffer.from([0x53, 0, 0, 0, 4]))) asked = true;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (armed > 0 && asked && data.subarray(-6, -1).equals(READY_FOR_QUERY)) {
        armed -= 1;
        dropped += 1;
        end();
        return;
      }
      client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    drop: (count) => {
      armed += count;
    },
    rest: () => {
      armed = 0;
    },
    dropped: () => dropped,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
