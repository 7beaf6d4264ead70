import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { portOf } from '#tests/support/port.ts';
import { httpServer, shutDown } from './shutdown.ts';

async function slowServer(milliseconds: number) {
  const server = httpServer((_request, response) => {
    setTimeout(() => response.end('done'), milliseconds);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${portOf(server)}/` };
}

it('lets requests under way finish and takes no more', async () => {
  const { server, url } = await slowServer(300);
  // A connection that is kept alive must not hold the server up.
  await fetch(url).then((response) => response.text());
  const underWay = fetch(url).then((response) => response.text());
  await delay(50);
  const started = performance.now();
  const ended = shutDown(server);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  expect(await underWay).toBe('done');
  await ended;
  expect(performance.now() - started).toBeLessThan(2000);
});

it('cuts what does not finish', async () => {
  const { server, url } = await slowServer(60_000);
  const underWay = fetch(url).catch(() => 'cut');
  await delay(50);
  await shutDown(server, 200);
  expect(await underWay).toBe('cut');
});
