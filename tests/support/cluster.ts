/** One embedded Postgres for a whole test run, with a prepared database that each test file clones. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bootstrap } from '#engine/db/bootstrap.ts';
import { startEmbedded } from '#engine/db/embedded.ts';
import './redis-server.ts';

export const SECRET = 'a secret for tests only, and long enough';
export const TEMPLATE = 'armature_template';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Port of the run's Postgres on 127.0.0.1. */
    postgresPort: number;
  }
}

/** Vitest's global set-up; its name is Vitest's. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'armature-test-'));
  const postgres = await startEmbedded({
    directory,
    password: 'superuser',
    // Tests of crashes start a cluster of their own; here nothing has to survive.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  await bootstrap({
    server: { host: '127.0.0.1', port: postgres.port },
    admin: { user: 'postgres', password: 'superuser' },
    adminDatabase: 'postgres',
    database: TEMPLATE,
    secret: SECRET,
  });
  project.provide('postgresPort', postgres.port);
  project.provide('redisUrl', null);
  return async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
