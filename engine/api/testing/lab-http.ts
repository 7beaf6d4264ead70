/** The record routes over HTTP on the real read and write paths, as people of the lab. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll } from 'vitest';
import type { Lab } from '#tests/support/lab.ts';
import { makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { systemClock, systemIds } from '../../clock.ts';
import type { Principal } from '../../identity/principal.ts';
import { Reader } from '../../records/read/reader.ts';
import type { Scope } from '../../records/scope.ts';
import { Commands } from '../../records/commands.ts';
import { Writer } from '../../records/write/writer.ts';
import type { HttpServices } from '../ports.ts';
import { createHttp } from '../server.ts';
import { testServices } from './services.ts';

export interface LabAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface LabHttp {
  readonly lab: Lab;
  /** A new person with this role, to be asked as by the name. */
  readonly hire: (name: string, role?: string) => Promise<Scope>;
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
  const tested = testServices();
  const lab = await makeLab(await testDatabase(), options);
  const { database, tenant, model } = lab;
  const people = new Map<string, Principal>();
  const announced: string[] = [];
  const writer = new Writer({
    database,
    ids: systemIds,
    clock: systemClock,
    announce: async (key, entity) => {
      announced.push(`${key} ${entity}`);
    },
  });
  const services: HttpServices = {
    ...tested.services,
    database,
    models: { get: async () => ({ tenant, model }), known: () => null },
    identity: { ...tested.services.identity, authenticate: async (token) => people.get(token) ?? null },
    reader: new Reader({ database, secret: 'x'.repeat(32), clock: systemClock }),
    writer,
    commands: new Commands({ database, writer, ids: systemIds, clock: systemClock }),
  };
  const server = createServer(createHttp(services, options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await lab.close();
  });
  return {
    lab,
    announced,
    hire: async (name, role = name) => {
      const scope = await lab.person(role);
      people.set(`arm_${name}`, scope.principal);
      return scope;
    },
    ask: async (who, method, path, body, headers = {}) => {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer arm_${who}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status === 500) {
        throw new Error(JSON.stringify(tested.calls.logged.find(({ level }) => level === 50)));
      }
      return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    },
  };
}
