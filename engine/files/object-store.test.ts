/** The object store's client against a server that speaks what we use of S3; a real store is not at hand here. */
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
  const url = new URL(request.url ?? '/', 'http://store');
  const key = url.pathname;
  if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256')) return void response.writeHead(403).end();
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    objects.set(key, Buffer.concat(chunks));
    return void response.writeHead(200).end();
  }
  if (url.searchParams.get('list-type') === '2') {
    const inside = `${key.replace(/\/$/, '')}/${url.searchParams.get('prefix')}`;
    const keys = [...objects.keys()].filter((name) => name.startsWith(inside)).sort();
    const listed = keys.slice(0, Number(url.searchParams.get('max-keys')));
    const entries = listed.map(
      (name) => `<Contents><Key>${name.slice(key.replace(/\/$/, '').length + 1)}</Key></Contents>`,
    );
    return void response.writeHead(200).end(`<ListBucketResult>${entries.join('')}</ListBucketResult>`);
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
    await openFileStore(
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

test('both stores remove all of one organisation, and nothing of another', async () => {
  const other = { tenant: file.tenant.replace('aa', 'ab'), id: file.id };
  for (const store of stores) {
    const received = join(home, 'received');
    const ids = Array.from({ length: 120 }, (_, index) => file.id.replace('bb', String(100 + index).slice(-2)));
    for (const one of [...ids.map((id) => ({ ...file, id })), other]) {
      await writeFile(received, 'x');
      await store.keep(received, one);
    }
    await store.removeAll(file.tenant);
    await store.removeAll(file.tenant);
    await expect(store.open({ ...file, id: ids[0] ?? '' })).rejects.toThrow(/./);
    expect(await text(await store.open(other))).toBe('x');
    await store.remove(other);
    for (const wrong of ['', '..', 'receiving', '../..'])
      await expect(store.removeAll(wrong)).rejects.toThrow('kept under ids');
  }
  expect([...objects.keys()]).toEqual([]);
});

test('a setting that names no store is told in a sentence', async () => {
  await expect(openFileStore('https://x', home)).rejects.toThrow('ARMATURE_FILES');
  expect(await openFileStore(null, home)).toBeInstanceOf(DiskStore);
});
