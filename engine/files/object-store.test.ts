/** The object store's client against a server that speaks the three verbs of S3 we use; a real store is not at hand here. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFileStore } from './open-store.ts';
import { DiskStore } from './disk-store.ts';
import type { FileStore } from './store.ts';

const objects = new Map<string, Buffer>();
const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = request.url?.split('?')[0] ?? '';
  if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256')) return void response.writeHead(403).end();
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    objects.set(key, Buffer.concat(chunks));
    return void response.writeHead(200).end();
  }
  if (request.method === 'DELETE') return void response.writeHead(objects.delete(key) ? 204 : 204).end();
  const found = objects.get(key);
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
  if (!found) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  const body = from === undefined ? found : found.subarray(Number(from), Number(to) + 1);
  response.writeHead(from === undefined ? 200 : 206, { 'content-length': body.length }).end(body);
}

let home: string;
let stores: readonly FileStore[];
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  home = await mkdtemp(join(tmpdir(), 'armature-store-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  stores = [
    new DiskStore(join(home, 'disk')),
    openFileStore(
      `s3://papers/test?region=eu-central-1&endpoint=${encodeURIComponent(`http://127.0.0.1:${port}`)}`,
      home,
    ),
  ];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true, force: true });
});

const file = { tenant: '0197a000-0000-7000-8000-0000000000aa', id: '0197a000-0000-7000-8000-0000000000bb' };

test('both stores keep, give out and remove', async () => {
  for (const store of stores) {
    const received = join(home, 'received');
    await writeFile(received, 'hello world');
    await store.keep(received, file);
    expect(await text(await store.open(file))).toBe('hello world');
    expect(await text(await store.open(file, { start: 2, end: 4 }))).toBe('llo');
    await store.remove(file);
    await store.remove(file);
    await expect(store.open(file)).rejects.toThrow(/./);
    await expect(store.open({ tenant: '../..', id: file.id })).rejects.toThrow('kept under ids');
    await expect(store.keep(received, { ...file, id: '../../secret' })).rejects.toThrow('kept under ids');
  }
  expect([...objects.keys()]).toEqual([]);
});

test('a setting that names no store is told in a sentence', () => {
  expect(() => openFileStore('https://x', home)).toThrow('ARMATURE_FILES');
  expect(openFileStore(null, home)).toBeInstanceOf(DiskStore);
});
