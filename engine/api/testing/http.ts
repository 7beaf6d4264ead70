/** The whole application with one organisation on a database of its own, behind real HTTP on a free port. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { portOf } from '#tests/support/port.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { errorForLog } from '../../error-for-log.ts';
import { createOrganisation } from '../../organisation.ts';
import type { Services } from '../../services.ts';
import { createHttp } from '../server.ts';
import { httpServer } from '../shutdown.ts';

export const THINGS = '/api/custom/v1/things';
export const PUBLIC_URL = 'http://localhost:3000';
/** Of the administrator, who signs in with them. */
export const BOSS = { email: 'boss@acme.example', password: 'a long fictional password' };
const CLERK = 'clerk@acme.example';
const NOBODY = 'nobody@acme.example';

const DOCUMENTS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: 'role', key: 'clerk', label: 'Clerk' },
  { kind: 'role', key: 'nobody', label: 'Nobody' },
  {
    kind: 'lifecycle',
    key: 'sale',
    label: 'Sale',
    initial: 'open',
    createIn: ['open'],
    states: [{ key: 'open' }, { key: 'won' }, { key: 'lost' }],
    transitions: [
      { key: 'win', label: 'Win', from: ['open'], to: 'won' },
      { key: 'lose', label: 'Lose', from: ['open'], to: 'lost', requires: ['reason'] },
    ],
  },
  {
    kind: 'entity',
    key: 'thing',
    plural: 'things',
    label: 'Thing',
    softDelete: true,
    fields: [
      { key: 'name', type: 'text', label: 'Name', required: true },
      { key: 'reason', type: 'text', label: 'Reason' },
      { key: 'stage', type: 'state', label: 'Stage', lifecycle: 'sale' },
      { key: 'secret', type: 'text', label: 'Secret' },
      { key: 'extra', type: 'json', label: 'Extra', maxDepth: 60 },
    ],
  },
  {
    kind: 'entity',
    key: 'hidden',
    plural: 'hiddens',
    label: 'Hidden',
    fields: [{ key: 'name', type: 'text', label: 'Name' }],
  },
  {
    kind: 'permission',
    role: 'clerk',
    entity: 'thing',
    actions: ['create', 'read', 'update', 'delete', 'import'],
    fields: { read: { except: ['secret'] } },
  },
];

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface AskOptions {
  /** Bearer token; an administrator's without, none for `null`. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless the headers say otherwise. */
  readonly body?: string | Buffer;
  /** Port of another server. */
  readonly at?: number;
}

export interface TestHttp {
  readonly services: Services;
  readonly port: number;
  /** Bearer tokens: everything, all of things but their secrets, and nothing at all. */
  readonly tokens: Readonly<Record<'boss' | 'clerk' | 'nobody', string>>;
  /** What was logged, the newest last. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Answer>;
  /** A new thing of this name, or of any: its address, and its id at the end of it. */
  readonly thing: (name?: string) => Promise<string>;
  /** What is really there, seen and done by the superuser. */
  readonly look: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Another server with other services; gives its port. */
  readonly start: (services: Services, uiRoot?: string) => Promise<number>;
}

/** Status and code, as most tests compare them. */
export function code(answer: Answer): readonly unknown[] {
  return [answer.status, answer.json['code']];
}

/** `fetch` would hide the connection, set headers of its own and refuse others. */
function send(port: number, boss: string, method: string, path: string, options: AskOptions): Promise<Answer> {
  const { token = boss, body } = options;
  const headers = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
        const json: Answer['json'] = isJson ? JSON.parse(text) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

let opened: Promise<TestHttp> | null = null;

/** One for all cases of a test file: call it at the top. Everything is released after the file's last test. */
export function testHttp(): Promise<TestHttp> {
  return (opened ??= open());
}

async function open(): Promise<TestHttp> {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const log = pino(
    { level: 'info', serializers: { err: errorForLog } },
    { write: (line) => void logged.push(JSON.parse(line)) },
  );
  const database = await testDatabase();
  const { app } = await testApp(database, { log });
  const services = { ...app.services, publicUrl: PUBLIC_URL };
  const ui = await mkdtemp(join(tmpdir(), 'armature-ui-'));
  await mkdir(join(ui, '_ui'));
  const page =
    '<meta name="csp-nonce" content="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/_ui/a-1.js"></script>';
  await writeFile(join(ui, 'index.html'), page);
  await writeFile(join(ui, '_ui', 'a-1.js'), 'export {};');

  const servers: Server[] = [];
  const start: TestHttp['start'] = async (other, uiRoot = ui) => {
    const server = httpServer(createHttp(other, { uiRoot }));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return portOf(server);
  };
  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await rm(ui, { recursive: true });
  });

  await createOrganisation(services, {
    key: 'acme',
    name: 'Acme',
    country: 'AE',
    currency: 'AED',
    timeZone: 'Asia/Dubai',
    locale: 'en',
    packs: [],
    administrator: { name: 'Boss', ...BOSS },
  });
  await services.publisher.publish('acme', { base: 1, author: 'test', message: 'Things', documents: DOCUMENTS });
  const port = await start(services);
  const tokenOf = async (email: string) =>
    (await services.identity.issueToken({ tenant: 'acme', user: { email }, label: 'test' })).token;
  const boss = await tokenOf(BOSS.email);
  const ask: TestHttp['ask'] = (method, path, options = {}) => send(options.at ?? port, boss, method, path, options);
  for (const [email, role] of [
    [CLERK, 'clerk'],
    [NOBODY, 'nobody'],
  ] as const) {
    const person = { name: role, email, roles: [role] };
    const { status, text } = await ask('POST', '/api/core/v1/users', { body: JSON.stringify(person) });
    if (status !== 201) throw new Error(text);
  }
  return {
    services,
    port,
    tokens: { boss, clerk: await tokenOf(CLERK), nobody: await tokenOf(NOBODY) },
    logged,
    ask,
    thing: async (name = 'x') => {
      const { headers, text } = await ask('POST', THINGS, { body: JSON.stringify({ name }) });
      if (headers.location === undefined) throw new Error(text);
      return headers.location;
    },
    look: async (sql) => (await database.superuser.query(sql)).rows,
    start,
  };
}
