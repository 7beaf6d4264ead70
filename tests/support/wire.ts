/** A wire to Postgres that counts what goes over it, so that a test sees what was really sent and not what the code believes. */
import { createServer, connect, type AddressInfo } from 'node:net';
import type { Address } from '#engine/db/connection.ts';

export interface Sent {
  /** Times the client waited for an answer: Syncs and simple queries. */
  readonly trips: number;
  /** Statements executed, the context and transaction control among them. */
  readonly statements: number;
}

export interface Wire {
  readonly address: Address;
  /** What `work` sent, on all connections. */
  count(work: () => Promise<unknown>): Promise<Sent>;
  close(): Promise<void>;
}

const SYNC = 'S'.charCodeAt(0);
const QUERY = 'Q'.charCodeAt(0);
const EXECUTE = 'E'.charCodeAt(0);

export async function countingWire(to: Address): Promise<Wire> {
  const total = { trips: 0, statements: 0 };
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host);
    const note = messages((type) => {
      if (type === SYNC || type === QUERY) total.trips += 1;
      if (type === EXECUTE || type === QUERY) total.statements += 1;
    });
    client.on('data', note);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: { ...to, host: '127.0.0.1', port: portOf(server.address()) },
    count: async (work) => {
      const before = { ...total };
      await work();
      return { trips: total.trips - before.trips, statements: total.statements - before.statements };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return address.port;
}

/** Cuts the client's side of protocol 3.0 into messages; only the first, the start-up, has no type. */
function messages(seen: (type: number) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const from = started ? 1 : 0;
      if (rest.length < from + 4) return;
      const end = from + rest.readUInt32BE(from);
      if (rest.length < end) return;
      if (started) seen(rest[0] ?? 0);
      started = true;
      rest = rest.subarray(end);
    }
  };
}
