import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { pour } from './streaming.ts';

const STALL = 1000;
let server: Server | null = null;
afterEach(() => server?.closeAllConnections());

/** Pours a stream to a client that reads when it is told to. @param seen what the answer is made with, before anything is */
async function pouring(stream: Readable, seen: (response: ServerResponse) => void = () => {}) {
  let poured: Promise<boolean> = Promise.resolve(false);
  server = createServer((_, response) => {
    seen(response);
    poured = pour(stream, response, STALL).then((whole) => {
      if (whole) response.end();
      return whole;
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => server?.once('request', resolve));
  return { socket, poured };
}

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

test('a client that takes nothing is let go, and the stream with it', async () => {
  const stream = Readable.from(endless(), { objectMode: false });
  const { poured } = await pouring(stream);
  expect(await poured).toBe(false);
  expect(stream.destroyed).toBe(true);
});

test('a client that takes little is not', async () => {
  const stream = Readable.from(endless(), { objectMode: false });
  // How long it is waited for the client, each time; nobody's time is over, however long the turns of this test take.
  const waits: number[] = [];
  const { socket, poured } = await pouring(stream, (response) => {
    vi.spyOn(response, 'setTimeout').mockImplementation((milliseconds) => {
      waits.push(milliseconds);
      return response;
    });
  });
  for (let turn = 1; turn <= 20; turn++) {
    await expect.poll(() => waits.at(-1)).toBe(STALL);
    const before = waits.length;
    socket.resume();
    await expect.poll(() => waits.length, { interval: 1 }).toBeGreaterThan(before);
    socket.pause();
  }
  // It has all of the time anew whenever it has taken something.
  expect(waits.filter((_, index) => index % 2 === 0).every((wait) => wait === STALL)).toBe(true);
  expect(waits.filter((_, index) => index % 2 === 1).every((wait) => wait === 0)).toBe(true);
  socket.destroy();
  expect(await poured).toBe(false);
  expect(stream.destroyed).toBe(true);
});

test('nobody has stalled who waits for a slow query', async () => {
  async function* slow(): AsyncGenerator<Buffer> {
    yield Buffer.from('a');
    await delay(STALL * 2);
    yield Buffer.from('b');
  }
  const { socket, poured } = await pouring(Readable.from(slow(), { objectMode: false }));
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.resume();
  expect(await poured).toBe(true);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toMatch(/\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/);
});
