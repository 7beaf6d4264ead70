/** The whole application on a test's own database, behind real HTTP on a free port. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { createHttp } from '#engine/api/server.ts';
import { createCellsHttp } from '#engine/cells/front.ts';
import type { ExternalPostgres } from '#engine/config.ts';
import { type App, type AppOptions, openApp } from '#engine/app.ts';
import { type Client, client } from './http.ts';
import type { TestDatabase } from './postgres.ts';

export interface TestApp {
  readonly app: App;
  readonly url: string;
  /** Folder of everything it keeps. */
  readonly home: string;
  /** A client that acts as a user. */
  as(tenant: string, email: string): Promise<Client>;
  readonly anonymous: Client;
  /** A second server of the same application whose compiler adds no permission conditions: the policies are alone. */
  readonly policiesOnly: { readonly url: string };
  /** Ends it before the file does: afterwards its database has no connections. */
  close(): Promise<void>;
}

/**
 * @param options a clock, a source of ids and a log of one's own, the system's and none without; an address to call itself by
 * @param cells further Postgres servers
 */
export async function testApp(
  database: TestDatabase,
  options: Pick<AppOptions, 'clock' | 'ids' | 'log' | 'url'> = {},
  cells: ReadonlyMap<string, ExternalPostgres> = new Map(),
): Promise<TestApp> {
  const home = await mkdtemp(join(tmpdir(), 'armature-app-'));
  const server = createServer();
  const bare = createServer();
  const url = await listening(server);
  const bareUrl = await listening(bare);
  const app = await openApp(
    {
      port: 0,
      host: '127.0.0.1',
      home,
      postgres: { address: database.address, admin: database.admin },
      secret: database.secret,
      publicUrl: options.url ?? url,
      cells,
      redis: inject('redisUrl'),
      trustedProxies: 0,
      files: null,
      fileLimit: 1024 * 1024,
      logLevel: 'silent',
      outboxDays: 7,
      demo: false,
      keepAsideDays: 90,
    },
    { url, ...options, mode: 'server' },
  );
  // A test that computes for seconds must not find its connection closed just as it sends the next request.
  for (const one of [server, bare]) one.keepAliveTimeout = 600_000;
  server.on('request', createCellsHttp(app.cells));
  bare.on('request', createHttp(app.services, { predicates: false }));
  let closing: Promise<void> | null = null;
  const close = () =>
    (closing ??= (async () => {
      for (const one of [server, bare]) {
        one.closeAllConnections();
        await new Promise((resolve) => one.close(resolve));
      }
      await app.close();
      await rm(home, { recursive: true, force: true });
    })());
  afterAll(close);
  return {
    close,
    app,
    home,
    url,
    anonymous: client(url, null),
    policiesOnly: { url: bareUrl },
    as: async (tenant, email) => {
      const { identity } = await app.cells.of(tenant);
      const { token } = await identity.issueToken({ tenant, user: { email }, label: 'test' });
      return client(url, token);
    },
  };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}
