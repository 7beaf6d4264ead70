/** The routes over HTTP with the lab's organisation, whose packs are its own, and with people who are hired for it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll } from 'vitest';
import { makeLab, type Lab } from '#tests/support/lab.ts';
import { portOf } from '#tests/support/port.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { systemClock, systemIds } from '../../clock.ts';
import { errorForLog } from '../../error-for-log.ts';
import { DiskStore } from '../../files/disk-store.ts';
import { Files } from '../../files/files.ts';
import { PasswordIdentity } from '../../identity/password-identity.ts';
import { ChangeFeed } from '../../records/changes/feed.ts';
import { ChangeHub } from '../../records/changes/hub.ts';
import { Commands } from '../../records/commands.ts';
import { Exporter } from '../../records/export/exporter.ts';
import { Importer } from '../../records/import/importer.ts';
import { Reader } from '../../records/read/reader.ts';
import { Writer } from '../../records/write/writer.ts';
import { StepRunner } from '../../schema/deferred/runner.ts';
import { Steps } from '../../schema/deferred/steps.ts';
import { queueSteps } from '../../schema-steps.ts';
import { ensureRoleSet } from '../../schema/role-sets.ts';
import type { Services } from '../../services.ts';
import { createHttp } from '../server.ts';

export interface LabAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface LabHttp {
  readonly lab: Lab;
  /** A new person with this role, to be asked as by the name. */
  readonly hire: (name: string, role?: string) => Promise<void>;
  readonly ask: (
    who: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<LabAnswer>;
  /** Tenant and entity of everything that was announced as written, the newest last. */
  readonly announced: string[];
}

/** Call it at the top of a test file; everything is released after the file's last test. */
export async function labHttp(options: Parameters<typeof makeLab>[1] = {}): Promise<LabHttp> {
  const test = await testDatabase();
  const lab = await makeLab(test, options);
  const { tenant } = lab;
  const home = await mkdtemp(join(tmpdir(), 'armature-lab-'));
  const announced: string[] = [];
  const failures: unknown[] = [];
  const services = assemble(lab, test.secret, home, announced, failures);
  const server = createServer(createHttp(services, options));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${portOf(server)}`;
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await services.hub.close();
    await lab.close();
    await rm(home, { recursive: true });
  });
  const tokens = new Map<string, string>();
  const users = lab.model.entities.get('core.user');
  const administrator = await lab.person('administrator');
  return {
    lab,
    announced,
    hire: async (name, role = name) => {
      if (!users) throw new Error('no users');
      const email = `${name}@acme.example`;
      await services.writer.create(administrator, users, { name, email, roles: [role] });
      const { token } = await services.identity.issueToken({ tenant: tenant.key, user: { email }, label: 'test' });
      tokens.set(name, token);
      announced.length = 0;
    },
    ask: async (who, method, path, body, headers = {}) => {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tokens.get(who)}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status === 500) throw new Error(JSON.stringify(failures.at(-1)));
      return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    },
  };
}

/** As `app.ts` does, on what the lab has already. Nothing works in the background. */
function assemble(lab: Lab, secret: string, home: string, announced: string[], failures: unknown[]): Services {
  const { database, models, publisher } = lab;
  const [clock, ids] = [systemClock, systemIds];
  const log = pino(
    { level: 'error', serializers: { err: errorForLog } },
    { write: (line) => void failures.push(JSON.parse(line)) },
  );
  const identity: PasswordIdentity = new PasswordIdentity({
    database,
    models,
    cell: null,
    roleSet: (tenant, roles) => ensureRoleSet(database, tenant, roles),
    clock,
    ids,
  });
  const writer = new Writer({
    database,
    ids,
    clock,
    announce: async (tenant, entity, id) => {
      announced.push(`${tenant} ${entity}`);
      await identity.recordChanged(tenant, entity, id);
    },
  });
  const reader = new Reader({ database, secret, clock });
  return {
    database,
    clock,
    ids,
    models,
    publisher,
    steps: new Steps({ database, queueSteps: queueSteps(ids) }),
    stepRunner: new StepRunner({ database, onError: (error) => void failures.push(error) }),
    reader,
    writer,
    commands: new Commands({ database, writer, ids, clock }),
    importer: new Importer({ database, ids, models, principalOf: (key, user) => identity.principalOf(key, user) }),
    files: new Files({ database, ids, clock, store: new DiskStore(join(home, 'files')), reader, limit: 1024 * 1024 }),
    exporter: new Exporter({ database, clock }),
    changes: new ChangeFeed({ database, secret }),
    hub: new ChangeHub({ database, log }),
    identity,
    log,
    secret,
    publicUrl: 'http://localhost:3000',
  };
}
