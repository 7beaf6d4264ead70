/** A name server on loopback (RFC 1035 §4), which answers from a table and counts what it is asked. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

type Kind = 'A' | 'AAAA' | 'MX';

/**
 * What is known of a name: records by kind (`MX`: the exchange's name, `.` for a null MX), or how it goes wrong.
 * Names that are not in the table do not exist. `silence`: no answer ever comes.
 */
export type Zone = Readonly<Record<string, Partial<Record<Kind, string>> | 'servfail' | 'silence'>>;

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** `name KIND` of every question, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

const KINDS: ReadonlyMap<number, Kind> = new Map([
  [1, 'A'],
  [15, 'MX'],
  [28, 'AAAA'],
]);
const SERVFAIL = 2;
const NXDOMAIN = 3;

export async function dnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { address, port }) => {
    const { name, kind, end } = question(query);
    asked.push(`${name} ${kind ?? '?'}`);
    const known = zone[name];
    if (known === 'silence') return;
    const data = known === undefined || known === 'servfail' || !kind ? undefined : known[kind];
    const code = known === undefined ? NXDOMAIN : known === 'servfail' ? SERVFAIL : 0;
    const header = Buffer.from([0, 0, 0x81, 0x80 + code, 0, 1, 0, data === undefined ? 0 : 1, 0, 0, 0, 0]);
    query.copy(header, 0, 0, 2);
    const answer = data === undefined || !kind ? Buffer.alloc(0) : record(kind, data);
    socket.send(Buffer.concat([header, query.subarray(12, end), answer]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function question(query: Buffer): { name: string; kind: Kind | undefined; end: number } {
  const labels: string[] = [];
  let offset = 12;
  for (let length = query[offset] ?? 0; length > 0; length = query[offset] ?? 0) {
    labels.push(query.toString('ascii', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), kind: KINDS.get(query.readUInt16BE(offset + 1)), end: offset + 5 };
}

function record(kind: Kind, data: string): Buffer {
  const number = [...KINDS].find(([, name]) => name === kind)?.[0] ?? 0;
  const body =
    kind === 'A'
      ? Buffer.from(data.split('.').map(Number))
      : kind === 'AAAA'
        ? Buffer.from(data, 'hex')
        : Buffer.concat([Buffer.from([0, 10]), encoded(data)]);
  // The name is the one of the question; a minute to live.
  const head = Buffer.from([0xc0, 12, 0, number, 0, 1, 0, 0, 0, 60, 0, body.length]);
  return Buffer.concat([head, body]);
}

const encoded = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
