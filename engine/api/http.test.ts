import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { guardServer } from './limits.ts';
import type { HttpServices } from './ports.ts';
import { createHttp } from './server.ts';
import { RECORD_ID, testServices, TOKENS } from './test-services.ts';

const THINGS = '/api/shop/v1/things';
const THING = `${THINGS}/${RECORD_ID}`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

let port = 0;
const servers: Server[] = [];
let ui = '';

async function start(services: HttpServices): Promise<number> {
  const server = createServer(createHttp(services, { uiRoot: ui }));
  guardServer(server);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const double = testServices();

interface Options {
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly at?: number;
}

/** A request as a program makes it: with a bearer token and JSON, unless told otherwise. */
function ask(method: string, path: string, options: Options = {}): Promise<Answer> {
  const token = options.token === undefined ? TOKENS.admin : options.token;
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(options.body !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(options.body)),
      }),
      ...options.headers,
    };
    const outgoing = httpRequest({ host: '127.0.0.1', port: options.at ?? port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json =
          /json/.test(response.headers['content-type'] ?? '') && text !== ''
            ? (JSON.parse(text) as Record<string, unknown>)
            : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

const code = (answer: Answer): unknown => [answer.status, answer.json['code']];

beforeAll(async () => {
  ui = await mkdtemp(join(tmpdir(), 'armature-ui-'));
  await mkdir(join(ui, 'assets'));
  await writeFile(
    join(ui, 'index.html'),
    '<meta name="csp-nonce" content="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/assets/a-1.js"></script>',
  );
  await writeFile(join(ui, 'assets', 'a-1.js'), 'export {};');
  port = await start(double.services);
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(ui, { recursive: true });
});

describe('every answer', () => {
  it('carries a request id and the headers that keep browsers strict, and says nothing of the server', async () => {
    for (const path of [THINGS, THING, '/api/session', '/livez', '/api/nothing', '/']) {
      const { headers } = await ask('GET', path);
      expect({ path, ...headers }).toMatchObject({
        path,
        'x-request-id': expect.stringMatching(/^\S{8,}$/) as string,
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
        'cache-control': expect.stringMatching(/no-store|no-cache/) as string,
      });
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('keeps a harmless request id and replaces any other', async () => {
    expect((await ask('GET', THINGS, { headers: { 'x-request-id': 'proxy-12345' } })).headers['x-request-id']).toBe(
      'proxy-12345',
    );
    expect(
      (await ask('GET', THINGS, { headers: { 'x-request-id': 'a "b" {c}' } })).headers['x-request-id'],
    ).not.toContain('"');
  });

  it('is logged in one line without query, token or body', async () => {
    const before = double.calls.logged.length;
    await ask('POST', `${THINGS}?$select=name`, { body: '{"name":"topsecret"}' });
    const lines = double.calls.logged.slice(before);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ method: 'POST', path: THINGS, status: 201, tenant: 'acme' });
    expect(JSON.stringify(lines)).not.toMatch(/topsecret|arm_admin|select/);
  });
});

describe('signing in', () => {
  const credentials = JSON.stringify({ email: 'a@b.test', password: 'right' });

  it('sets an HttpOnly cookie that is not in the body, and takes it back', async () => {
    const signedIn = await ask('POST', '/api/session', { token: null, body: credentials });
    expect(signedIn.status).toBe(201);
    expect(signedIn.headers['set-cookie']?.[0]).toBe(
      `armature_session=${TOKENS.clerk}; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800`,
    );
    expect(signedIn.text).not.toContain(TOKENS.clerk);
    const cookie = `armature_session=${TOKENS.clerk}`;
    expect((await ask('GET', '/api/session', { token: null, headers: { cookie } })).json).toMatchObject({
      data: { user: { name: 'clerk' } },
    });
    const out = await ask('DELETE', '/api/session', { token: null, headers: { cookie, 'x-armature-request': '1' } });
    expect(out.status).toBe(204);
    expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0');
  });

  it('marks the cookie Secure behind https', async () => {
    const at = await start({ ...double.services, publicUrl: 'https://crm.example' });
    const signedIn = await ask('POST', '/api/session', { token: null, body: credentials, at });
    expect(signedIn.headers['set-cookie']?.[0]).toContain('; Secure');
    expect(signedIn.headers['strict-transport-security']).toContain('max-age');
  });

  it('refuses wrong passwords, missing fields and other sites', async () => {
    expect(code(await ask('POST', '/api/session', { token: null, body: '{"email":"a","password":"wrong"}' }))).toEqual([
      401,
      'invalid_credentials',
    ]);
    const missing = await ask('POST', '/api/session', { token: null, body: '{"email":"a"}' });
    expect(code(missing)).toEqual([422, 'invalid']);
    expect(missing.json['errors']).toMatchObject([{ pointer: '/password' }]);
    expect(
      code(
        await ask('POST', '/api/session', {
          token: null,
          body: credentials,
          headers: { origin: 'https://evil.example' },
        }),
      ),
    ).toEqual([403, 'cross_origin']);
    expect(
      code(
        await ask('POST', '/api/session', {
          token: null,
          body: credentials,
          headers: { 'content-type': 'text/plain' },
        }),
      ),
    ).toEqual([415, 'unsupported_media_type']);
  });

  it.each([
    ['nothing', {}],
    ['an unknown cookie', { cookie: 'armature_session=whatever' }],
    ['a broken cookie', { cookie: 'armature_session=%00"; ;; =x' }],
    ['a cookie of a similar name', { cookie: `xarmature_session=${TOKENS.admin}; armature_sessions=${TOKENS.admin}` }],
    ['an unknown token', { authorization: 'Bearer nope' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('answers %s with 401', async (_, headers) => {
    const answer = await ask('GET', THINGS, { token: null, headers });
    expect(code(answer)).toEqual([401, 'unauthenticated']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });
});

describe('changing something with a cookie', () => {
  const cookie = `a=b; armature_session=${TOKENS.admin}`;
  const send = (headers: Record<string, string>) =>
    ask('POST', THINGS, { token: null, body: '{"name":"x"}', headers: { cookie, ...headers } });

  it('needs the header that a form cannot set', async () => {
    expect(code(await send({}))).toEqual([403, 'cross_origin']);
    expect((await send({ 'x-armature-request': '1' })).status).toBe(201);
  });

  it('refuses other sites, whichever way the browser says so', async () => {
    expect(code(await send({ 'x-armature-request': '1', origin: 'https://evil.example' }))).toEqual([
      403,
      'cross_origin',
    ]);
    expect(code(await send({ 'x-armature-request': '1', origin: 'null' }))).toEqual([403, 'cross_origin']);
    expect(code(await send({ 'x-armature-request': '1', 'sec-fetch-site': 'cross-site' }))).toEqual([
      403,
      'cross_origin',
    ]);
    expect(
      (await send({ 'x-armature-request': '1', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }))
        .status,
    ).toBe(201);
  });

  it('reads without it', async () => {
    expect((await ask('GET', THINGS, { token: null, headers: { cookie } })).status).toBe(200);
  });
});

describe('bodies', () => {
  it('refuses 10 MB cleanly, announced or not, and the connection lives on', async () => {
    const huge = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const before = process.memoryUsage().rss;
    const announced = await ask('POST', THINGS, { body: huge });
    expect(code(announced)).toEqual([413, 'too_large']);
    expect(announced.json['errors']).toMatchObject([{ params: { limit: 1048576 } }]);
    const chunked = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKENS.admin}`, 'content-type': 'application/json' };
      const outgoing = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: THINGS, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      for (let sent = 0; sent < 10; sent += 1) outgoing.write(Buffer.alloc(1024 * 1024, 0x20));
      outgoing.end();
    });
    expect(chunked).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
    expect((await ask('GET', THINGS)).status).toBe(200);
  });

  it('refuses deep nesting before parsing, brackets in texts aside', async () => {
    const deep = `{"name":${'['.repeat(21)}${']'.repeat(21)}}`;
    expect(code(await ask('POST', THINGS, { body: deep }))).toEqual([400, 'too_deep']);
    expect(code(await ask('POST', THINGS, { body: '['.repeat(500_000) }))).toEqual([400, 'too_deep']);
    expect(
      (await ask('POST', THINGS, { body: JSON.stringify({ name: '[[[[[[{{{{{{\\"[[[[[[[[[[[[[[[[' }) })).status,
    ).toBe(201);
  });

  it.each([
    ['{"name":x}', 8, 1, 9],
    ['{\n  "name": "x",\n}', 17, 3, 1],
    ['{"name": "x"', 12, 1, 13],
    ['', 0, 1, 1],
  ])('says where %j stops being JSON', async (body, position, line, column) => {
    const answer = await ask('POST', THINGS, { body });
    expect(code(answer)).toEqual([400, 'malformed_json']);
    expect(answer.json['errors']).toMatchObject([{ params: { position, line, column } }]);
  });

  it('refuses what is no UTF-8', async () => {
    expect(code(await ask('POST', THINGS, { body: Buffer.from([0x22, 0xff, 0x22]) }))).toEqual([400, 'malformed_json']);
  });

  it.each([
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': 'application/x-www-form-urlencoded' }],
    [{ 'content-type': 'application/json; charset=latin1' }],
    [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    [{ 'content-type': '' }],
  ])('refuses %j', async (headers) => {
    expect(code(await ask('POST', THINGS, { body: '{}', headers }))).toEqual([415, 'unsupported_media_type']);
  });

  it('takes merge patches under both their names, and only for changes', async () => {
    const patch = (type: string) => ask('PATCH', THING, { body: '{"name":"y"}', headers: { 'content-type': type } });
    expect((await patch('application/merge-patch+json')).status).toBe(200);
    expect((await patch('application/json; charset=UTF-8')).status).toBe(200);
    expect((await patch('application/json-patch+json')).status).toBe(415);
    expect(
      (await ask('POST', THINGS, { body: '{}', headers: { 'content-type': 'application/merge-patch+json' } })).status,
    ).toBe(415);
  });
});

const patchWith = (tag: string) => ask('PATCH', THING, { body: '{"name":"y"}', headers: { 'if-match': tag } });

describe('entity tags', () => {
  it('answers 304 for what is known, and 200 otherwise', async () => {
    const first = await ask('GET', THING);
    const tag = first.headers.etag ?? '';
    expect(tag).toMatch(/^"v7\.[\w-]+"$/);
    const again = await ask('GET', THING, { headers: { 'if-none-match': `"other", W/${tag}` } });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', tag]);
    expect((await ask('GET', THING, { headers: { 'if-none-match': '"v7.zzz"' } })).status).toBe(200);
  });

  it.each(['garbage', '"garbage"', 'v7', '"v0.x"', '"v7.x", "v8.y"', '"v7"x', '"v99999999999.x"'])(
    'refuses If-Match: %s',
    async (tag) => {
      for (const method of ['PATCH', 'DELETE']) {
        const answer = await ask(method, THING, { body: '{"name":"y"}', headers: { 'if-match': tag } });
        expect(code(answer)).toEqual([400, 'invalid_header']);
        expect(answer.json['errors']).toMatchObject([{ parameter: 'If-Match' }]);
      }
    },
  );

  it('hands the version on; a star means any; a weak tag never matches', async () => {
    await patchWith('"v7.abc_-1"');
    expect(double.calls.written.at(-1)?.options).toMatchObject({ ifMatch: 7 });
    await patchWith('*');
    expect(double.calls.written.at(-1)?.options).not.toHaveProperty('ifMatch');
    expect(code(await patchWith('W/"v7.abc"'))).toEqual([412, 'precondition_failed']);
  });
});

/** What the writer was last told of the Idempotency-Key. */
const key = () => Reflect.get(double.calls.written.at(-1)?.options ?? {}, 'idempotency') as unknown;

describe('writing', () => {
  it('answers where the new record is', async () => {
    const made = await ask('POST', THINGS, { body: '{"name":"x"}' });
    expect([made.status, made.headers.location, made.headers.etag?.slice(0, 4)]).toEqual([201, THING, '"v2.']);
  });

  it('gives the writer key and fingerprint of the request', async () => {
    await ask('POST', THINGS, { body: '{"name":"x"}', headers: { 'idempotency-key': '"abc-1"' } });
    const first = key();
    expect(first).toMatchObject({ key: 'abc-1', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    await ask('POST', THINGS, { body: '{"name":"x"}', headers: { 'idempotency-key': 'abc-1' } });
    expect(key()).toEqual(first);
    await ask('POST', THINGS, { body: '{"name":"y"}', headers: { 'idempotency-key': 'abc-1' } });
    expect(key()).not.toEqual(first);
    for (const bad of ['a b', '', 'x'.repeat(256)]) {
      expect(code(await ask('POST', THINGS, { body: '{}', headers: { 'idempotency-key': bad } }))).toEqual([
        400,
        'invalid_header',
      ]);
    }
  });

  it('says when an answer is an earlier one', async () => {
    const replaying = testServices();
    const writer = {
      ...replaying.services.writer,
      create: async () => ({ status: 201, body: '{"data":{}}', id: RECORD_ID, version: 1, replayed: true }),
    };
    const at = await start({ ...replaying.services, writer });
    expect((await ask('POST', THINGS, { body: '{}', at })).headers['idempotency-replayed']).toBe('true');
  });

  it('answers less when asked, and refuses a dry run that it would not keep dry', async () => {
    const made = await ask('POST', THINGS, {
      body: '{"name":"x"}',
      headers: { prefer: 'respond-async, return=minimal' },
    });
    expect(made.headers['preference-applied']).toBe('return=minimal');
    expect(double.calls.written.at(-1)?.options).toMatchObject({ returning: 'minimal' });
    expect(code(await ask('POST', THINGS, { body: '{}', headers: { prefer: 'tx=rollback' } }))).toEqual([
      400,
      'invalid_header',
    ]);
  });

  it('runs actions with and without a body', async () => {
    expect((await ask('POST', `${THING}/actions/win`)).status).toBe(200);
    expect(double.calls.written.at(-1)).toMatchObject({ verb: 'transition', body: {} });
    await ask('POST', `${THING}/actions/win`, { body: '{"reason":"price"}' });
    expect(double.calls.written.at(-1)).toMatchObject({ body: { reason: 'price' } });
    await ask('POST', `${THING}/actions/restore`);
    expect(double.calls.written.at(-1)).toMatchObject({ verb: 'restore' });
  });

  it('deletes without an answer', async () => {
    const gone = await ask('DELETE', THING);
    expect([gone.status, gone.text, gone.headers['content-length']]).toEqual([204, '', undefined]);
  });
});

describe('addresses', () => {
  it('answers hidden, missing and malformed alike, byte for byte', async () => {
    const hidden = await ask('GET', '/api/shop/v1/hiddens');
    const paths = [
      '/api/shop/v1/nothing',
      '/api/none/v1/things',
      `${THINGS}/not-an-id`,
      `${THINGS}/${RECORD_ID.replace('aa', 'bb')}`,
      `${THINGS}/`,
      `${THINGS}/%2e%2e`,
      `${THING}/nothing`,
      `${THING}/actions`,
      `${THING}/actions/`,
      '/api/nothing',
      '/api/shop/v2/things',
    ];
    for (const path of paths) {
      const answer = await ask('GET', path);
      const withoutInstance = ({ text }: Answer) => text.replace(/"instance":"[^"]*"/, '');
      expect([path, answer.status, withoutInstance(answer)]).toEqual([path, 404, withoutInstance(hidden)]);
    }
    expect(code(await ask('GET', THINGS, { token: TOKENS.nobody }))).toEqual([404, 'not_found']);
  });

  it('answers other methods with those there are', async () => {
    const put = await ask('PUT', THINGS, { body: '{}' });
    expect([...(code(put) as unknown[]), put.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, QUERY, POST, OPTIONS',
    ]);
    expect((await ask('POST', THING, { body: '{}' })).headers.allow).toBe('GET, HEAD, PATCH, DELETE, OPTIONS');
    expect((await ask('DELETE', '/api/ui/model')).headers.allow).toBe('GET, HEAD, OPTIONS');
    const options = await ask('OPTIONS', THINGS);
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, QUERY, POST, OPTIONS']);
    expect((await ask('OPTIONS', '/api/session', { token: null })).status).toBe(204);
    const head = await ask('HEAD', THING);
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('links to the next page with the same query', async () => {
    const { headers } = await ask('GET', `${THINGS}?name=x&$first=10&$after=old`);
    expect(headers['link']).toBe(`<${THINGS}?name=x&$first=10&$after=abc>; rel="next"`);
    expect((await ask('GET', THINGS)).headers['link']).toBe(`<${THINGS}?$after=abc>; rel="next"`);
  });

  it('takes queries as JSON, by QUERY and by POST', async () => {
    expect((await ask('QUERY', THINGS, { body: '{"first":5}' })).status).toBe(200);
    expect((await ask('POST', `${THINGS}/$query`, { body: '{"first":5}' })).status).toBe(200);
    expect((await ask('GET', `${THINGS}/$query`)).status).toBe(405);
    expect(code(await ask('QUERY', THINGS, { body: '{"nonsense":5}' }))).toEqual([400, 'unknown_parameter']);
  });

  it('answers JSON only', async () => {
    expect(code(await ask('GET', THINGS, { headers: { accept: 'text/csv' } }))).toEqual([406, 'not_acceptable']);
    expect((await ask('GET', THINGS, { headers: { accept: 'text/html,*/*;q=0.8' } })).status).toBe(200);
  });
});

describe('failures', () => {
  it('logs a defect with its stack and answers nothing of it', async () => {
    const broken = testServices({
      reader: { ...double.services.reader, list: async () => Promise.reject(new Error('password=hunter2')) },
    });
    const at = await start(broken.services);
    const answer = await ask('GET', THINGS, { at });
    expect(code(answer)).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('hunter2');
    const logged = broken.calls.logged.find((line) => line['level'] === 50);
    expect(logged).toMatchObject({
      request: answer.headers['x-request-id'],
      err: { stack: expect.stringContaining('hunter2') as string },
    });
  });

  it('says when to try again', async () => {
    const busy = testServices({
      reader: { ...double.services.reader, list: async () => Promise.reject(new Problem('unavailable', 'Busy.')) },
    });
    expect((await ask('GET', THINGS, { at: await start(busy.services) })).headers['retry-after']).toBe('2');
    const limited = new Problem('too_many_requests', 'Slow down.', [
      { code: 'too_many_requests', message: 'Slow down.', params: { retryAfter: 41.2 } },
    ]);
    const throttled = testServices({
      identity: { ...double.services.identity, signIn: async () => Promise.reject(limited) },
    });
    const answer = await ask('POST', '/api/session', {
      token: null,
      body: '{"email":"a","password":"b"}',
      at: await start(throttled.services),
    });
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '42']);
  });

  it('answers what is not even HTTP', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json/s);
  });

  it('explains its codes', async () => {
    expect((await ask('GET', '/problems/too_deep', { token: null })).json).toMatchObject({
      code: 'too_deep',
      status: 400,
      retryable: false,
    });
    expect((await ask('GET', '/problems/too_deep', { token: null, headers: { accept: 'text/html' } })).text).toContain(
      '<h1>',
    );
    expect((await ask('GET', '/problems/toString', { token: null })).status).toBe(404);
  });

  it('is ready only with a database', async () => {
    expect((await ask('GET', '/livez', { token: null })).status).toBe(200);
    const ready = await ask('GET', '/readyz', { token: null });
    expect([ready.status, ready.json['database']]).toEqual([503, 'unreachable']);
  });
});

function upload(boundary: string, body: string) {
  return ask('POST', `${THINGS}/imports`, {
    body,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  });
}

/** A multipart body with one file. */
const part = (name: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\nname\r\nx\r\n\r\n--b--\r\n`;

describe('imports', () => {
  it('streams the file to the importer', async () => {
    const made = await upload('b', part('file'));
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ data: { name: 'a.csv', size: 9 } });
  });

  it('refuses what is no upload', async () => {
    expect(code(await ask('POST', `${THINGS}/imports`, { body: '{}' }))).toEqual([415, 'unsupported_media_type']);
    expect(code(await upload('b', part('other')))).toEqual([422, 'invalid_import']);
    expect(
      code(await upload('b', '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nhalf')),
    ).toEqual([422, 'invalid_import']);
    expect(code(await upload('', 'x'))).toEqual([422, 'invalid_import']);
  });

  it('is configured, started and looked at', async () => {
    const one = `${THINGS}/imports/${RECORD_ID}`;
    expect((await ask('PATCH', one, { body: '{"dryRun":true}' })).json).toMatchObject({
      data: { body: { dryRun: true } },
    });
    expect((await ask('POST', `${one}/start`)).status).toBe(202);
    expect((await ask('GET', one)).status).toBe(200);
    expect((await ask('GET', `${one}/errors.csv`, { headers: { accept: 'text/csv' } })).text).toBe('line,reason\n');
    expect((await ask('GET', `${THINGS}/imports/x`)).status).toBe(404);
  });
});

describe('metadata', () => {
  it('is for administrators alone', async () => {
    for (const path of ['documents', 'releases', 'releases/3', 'schema/entity.json']) {
      const as = async (token: string | null) => code(await ask('GET', `/api/metadata/${path}`, { token }));
      expect([path, (await ask('GET', `/api/metadata/${path}`)).status]).toEqual([path, 200]);
      expect([path, await as(TOKENS.clerk), await as(null)]).toEqual([
        path,
        [403, 'forbidden'],
        [401, 'unauthenticated'],
      ]);
    }
    expect((await ask('GET', '/api/metadata/releases/9')).status).toBe(404);
    expect((await ask('GET', '/api/metadata/schema/nothing.json')).status).toBe(404);
    expect((await ask('GET', '/api/metadata/schema/..%2f..%2fpackage.json')).status).toBe(404);
  });

  it('publishes in the name of who is signed in', async () => {
    const body = JSON.stringify({ base: 3, message: 'More.', documents: [{ kind: 'role', key: 'x' }] });
    expect((await ask('POST', '/api/metadata/publish', { body })).json).toMatchObject({
      data: { input: { base: 3, author: 'boss@acme.test', message: 'More.' } },
    });
  });

  it.each([
    ['publish', { message: 'x' }, '/base'],
    ['publish', { base: 1, message: ' ' }, '/message'],
    ['publish', { base: 1, message: 'x', documents: [1] }, '/documents/0'],
    ['publish', { base: 1, message: 'x', author: 'me' }, '/author'],
    ['plan', { packs: [1] }, '/packs'],
    ['rollback', { base: 1, message: 'x', to: 'y' }, '/to'],
    ['plan', [], ''],
  ])('%s refuses %j at %s', async (route, input, pointer) => {
    const answer = await ask('POST', `/api/metadata/${route}`, { body: JSON.stringify(input) });
    expect(code(answer)).toEqual([422, 'invalid']);
    expect(answer.json['errors']).toMatchObject([{ pointer }]);
  });

  it('takes larger bodies than records, and no more', async () => {
    const documents = [{ kind: 'role', text: 'x'.repeat(2 * 1024 * 1024) }];
    expect((await ask('POST', '/api/metadata/plan', { body: JSON.stringify({ documents }) })).status).toBe(200);
    expect((await ask('POST', '/api/metadata/plan', { body: ' '.repeat(6 * 1024 * 1024) })).status).toBe(413);
  });
});

describe('pages', () => {
  it('serves the screens at every address of theirs, each time with a new nonce', async () => {
    const pages = await Promise.all(
      ['/', '/index.html', '/sign-in', '/crm/opportunities'].map((path) => ask('GET', path, { token: null })),
    );
    const nonces = pages.map(({ status, text, headers }) => {
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      const nonce = /content="([\w-]{20,})"/.exec(text)?.[1] ?? '';
      expect(text).not.toContain('__CSP_NONCE__');
      expect(headers['content-security-policy']).toContain(`script-src 'self' 'nonce-${nonce}'`);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      return nonce;
    });
    expect(new Set(nonces).size).toBe(4);
  });

  it('lets assets be kept, and lists nothing', async () => {
    const asset = await ask('GET', '/assets/a-1.js', { token: null });
    expect([asset.status, asset.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect(asset.headers['x-content-type-options']).toBe('nosniff');
    for (const path of [
      '/assets/',
      '/assets',
      '/assets/b.js',
      '/robots.txt',
      '/index.html.bak',
      '/.git/config',
      '/assets/..%2findex.html',
      '/%',
    ]) {
      const answer = await ask('GET', path, { token: null });
      expect([path, answer.status, answer.text.includes('a-1.js')]).toEqual([path, 404, false]);
    }
    expect(code(await ask('POST', '/sign-in', { token: null, body: '{}' }))).toEqual([405, 'method_not_allowed']);
  });

  it('says plainly when they are not built', async () => {
    const server = createServer(createHttp(double.services, { uiRoot: '/nowhere' }));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const answer = await ask('GET', '/', {
      token: null,
      at: typeof address === 'object' && address !== null ? address.port : 0,
    });
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('npm run build')]);
  });
});
