import { connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { Database } from '../../db/database.ts';
import { Reader } from '../../records/read/reader.ts';
import { code, testHttp, THINGS } from './http.ts';

const { ask, start, services, logged, look, port, thing } = await testHttp();

/** Nobody listens there. */
const unreachable = new Database({
  address: { host: '127.0.0.1', port: 1, database: 'none' },
  app: { user: 'a', password: '' },
  owner: { user: 'o', password: '' },
});
afterAll(() => unreachable.close());

describe('every answer', () => {
  it('carries a request id and the headers that keep browsers strict, and says nothing of the server', async () => {
    for (const path of [THINGS, await thing(), '/api/session', '/livez', '/api/nothing', '/']) {
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
    const headers = { 'x-request-id': 'one-line-1' };
    await ask('POST', `${THINGS}?$select=name`, { body: '{"name":"topsecret"}', headers });
    // What works in the background writes lines of its own.
    const lines = () => logged.filter(({ request }) => request === 'one-line-1');
    await expect.poll(lines).toHaveLength(1);
    // The next one is written after all of the first.
    const next = { 'x-request-id': 'one-line-2' };
    await ask('GET', THINGS, { headers: next });
    await expect.poll(() => logged.some(({ request }) => request === next['x-request-id'])).toBe(true);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({ method: 'POST', path: THINGS, status: 201, tenant: 'acme' });
    expect(JSON.stringify(lines())).not.toMatch(/topsecret|Bearer|select/);
  });
});

describe('failures', () => {
  it('logs a defect with its stack and answers nothing of it', async () => {
    // Nobody publishes such a thing, so the engine does not expect it.
    await look('alter table t_acme.custom_things rename column reason to hunter2');
    const answer = await ask('GET', THINGS);
    await look('alter table t_acme.custom_things rename column hunter2 to reason');
    expect(code(answer)).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('reason');
    const line = logged.find(({ level, request }) => level === 50 && request === answer.headers['x-request-id']);
    expect(line).toMatchObject({ err: { stack: expect.stringContaining('reason') as string } });
    expect((await ask('GET', THINGS)).status).toBe(200);
  });

  it('says when to try again', async () => {
    const { clock, secret } = services;
    const at = await start({ ...services, reader: new Reader({ database: unreachable, clock, secret }) });
    const busy = await ask('GET', THINGS, { at });
    expect([...code(busy), busy.headers['retry-after']]).toEqual([503, 'unavailable', '2']);
  });

  it('says how long whoever tries passwords out has to wait', async () => {
    const attempt = () =>
      ask('POST', '/api/session', { token: null, body: '{"email":"guess@acme.example","password":"b"}' });
    let answer = await attempt();
    for (let tries = 1; tries < 60 && answer.status === 401; tries += 1) answer = await attempt();
    expect(code(answer)).toEqual([429, 'too_many_requests']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(800);
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
    expect([ready.status, ready.json['database']]).toEqual([200, 'ok']);
    const at = await start({ ...services, database: unreachable });
    const alone = await ask('GET', '/readyz', { token: null, at });
    expect([alone.status, alone.json['database']]).toEqual([503, 'unreachable']);
  });
});
