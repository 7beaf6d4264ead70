import { once } from 'node:events';
import { expect, it } from 'vitest';
import { portOf } from '#tests/support/port.ts';
import { httpServer, shutDown } from './shutdown.ts';

/** A server whose second answer comes when the test says so. */
async function slowServer() {
  const began = Promise.withResolvers<void>();
  const may = Promise.withResolvers<void>();
  let requests = 0;
  const server = httpServer((_request, response) => {
    requests += 1;
    if (requests === 1) return void response.end('quick');
    began.resolve();
    void may.promise.then(() => response.end('done'));
  });
  // Much longer than the test: what is kept alive ends because of the shutdown, or not at all.
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server)}/`;
  const ask = () => fetch(url).then((response) => response.text());
  return { server, ask, began: began.promise, finish: may.resolve };
}

it('lets requests under way finish and takes no more', async () => {
  const { server, ask, began, finish } = await slowServer();
  // A connection that is kept alive must not hold the server up.
  expect(await ask()).toBe('quick');
  const underWay = ask();
  await began;
  const ended = shutDown(server, 600_000);
  await expect(ask()).rejects.toThrow('fetch failed');
  finish();
  expect(await underWay).toBe('done');
  await ended;
});

it('cuts what does not finish', async () => {
  const { server, ask, began } = await slowServer();
  await ask();
  const underWay = ask().catch(() => 'cut');
  await began;
  await shutDown(server, 200);
  expect(await underWay).toBe('cut');
});
