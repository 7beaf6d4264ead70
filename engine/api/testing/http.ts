/** The application over a double of its services, behind real HTTP on a free port. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { HttpServices } from '../ports.ts';
import { createHttp } from '../server.ts';
import { httpServer } from '../shutdown.ts';
import type { Calls } from './services.ts';
import { RECORD_ID, testServices, TOKENS } from './services.ts';

export const THINGS = '/api/shop/v1/things';
export const THING = `${THINGS}/${RECORD_ID}`;

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
  readonly services: HttpServices;
  readonly calls: Calls;
  readonly port: number;
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Answer>;
  /** Another server with other services; gives its port. */
  readonly start: (services: HttpServices, uiRoot?: string) => Promise<number>;
}

/** Status and code, as most tests compare them. */
export function code(answer: Answer): readonly unknown[] {
  return [answer.status, answer.json['code']];
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** `fetch` would hide the connection, set headers of its own and refuse others. */
function send(port: number, method: string, path: string, options: AskOptions): Promise<Answer> {
  const { token = TOKENS.admin, body } = options;
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

/** Call it at the top of a test file; everything is released after the file's last test. */
export async function testHttp(): Promise<TestHttp> {
  const { services, calls } = testServices();
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
  const port = await start(services);
  return {
    services,
    calls,
    port,
    start,
    ask: (method, path, options = {}) => send(options.at ?? port, method, path, options),
  };
}
