import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { code, testHttp, THING, THINGS } from './testing/http.ts';
import { testServices } from './testing/services.ts';

const { ask, start, services, calls, port } = await testHttp();

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
    const before = calls.logged.length;
    await ask('POST', `${THINGS}?$select=name`, { body: '{"name":"topsecret"}' });
    const lines = calls.logged.slice(before);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ method: 'POST', path: THINGS, status: 201, tenant: 'acme' });
    expect(JSON.stringify(lines)).not.toMatch(/topsecret|arm_admin|select/);
  });
});

describe('failures', () => {
  it('logs a defect with its stack and answers nothing of it', async () => {
    const broken = testServices({
      reader: { ...services.reader, list: async () => Promise.reject(new Error('password=hunter2')) },
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
      reader: { ...services.reader, list: async () => Promise.reject(new Problem('unavailable', 'Busy.')) },
    });
    expect((await ask('GET', THINGS, { at: await start(busy.services) })).headers['retry-after']).toBe('2');
    const limited = new Problem('too_many_requests', 'Slow down.', [
      { code: 'too_many_requests', message: 'Slow down.', params: { retryAfter: 41.2 } },
    ]);
    const throttled = testServices({
      identity: { ...services.identity, signIn: async () => Promise.reject(limited) },
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
