/** Starting a cluster when others take what it has chosen. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, portOf } from '#tests/support/port.ts';
import { startEmbedded } from './embedded.ts';

test('a port that was taken since it was chosen is given up for another one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'armature-embedded-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const somebody = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void somebody.close());
  await once(somebody, 'listening');
  const free = await freePort();
  const chosen = [portOf(somebody), free];
  const ports = async () => chosen.shift() ?? 0;
  const postgres = await startEmbedded({ directory, password: 'superuser', settings: { fsync: 'off' }, ports });
  onTestFinished(() => postgres.stop());
  expect(postgres).toMatchObject({ port: free, started: true });
});
