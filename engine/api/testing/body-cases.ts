import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { code, testHttp, THINGS } from './http.ts';

const { ask, port, tokens, thing } = await testHttp();

describe('bodies', () => {
  it('refuses 10 MB cleanly, announced or not, and the connection lives on', async () => {
    const huge = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const announced = await ask('POST', THINGS, { body: huge });
    expect(code(announced)).toEqual([413, 'too_large']);
    expect(announced.json['errors']).toMatchObject([{ params: { limit: 1048576 } }]);
    const chunked = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${tokens.boss}`, 'content-type': 'application/json' };
      const outgoing = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: THINGS, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
        // Answered before the end, so nobody has kept all of it.
        outgoing.end();
      });
      outgoing.on('error', reject);
      for (let sent = 0; sent < 10; sent += 1) outgoing.write(Buffer.alloc(1024 * 1024, 0x20));
    });
    expect(chunked).toBe(413);
    expect((await ask('GET', THINGS)).status).toBe(200);
  });

  it('refuses deep nesting before parsing, brackets in texts aside', async () => {
    const deep = `{"name":${'['.repeat(100)}${']'.repeat(100)}}`;
    expect(code(await ask('POST', THINGS, { body: deep }))).toEqual([400, 'too_deep']);
    expect(code(await ask('POST', THINGS, { body: '['.repeat(500_000) }))).toEqual([400, 'too_deep']);
    // As deep as a field may hold.
    const extra = (depth: number) => `{"name":"x","extra":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect((await ask('POST', THINGS, { body: extra(60) })).status).toBe(201);
    expect(code(await ask('POST', THINGS, { body: extra(61) }))).toEqual([422, 'invalid']);
    expect(
      (await ask('POST', THINGS, { body: JSON.stringify({ name: '[[[[[[{{{{{{\\"[[[[[[[[[[[[[[[[' }) })).status,
    ).toBe(201);
  });

  it('refuses numbers that would be changed, and says where', async () => {
    const answer = await ask('POST', THINGS, { body: '{"name":"x","extra":[{"b":12345678901234567890}]}' });
    expect(code(answer)).toEqual([422, 'invalid']);
    expect(answer.json['errors']).toMatchObject([{ code: 'inexact_number', pointer: '/extra/0/b' }]);
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
    const one = await thing();
    const patch = (type: string, extra: object = {}) =>
      ask('PATCH', one, { body: JSON.stringify({ name: 'y', extra }), headers: { 'content-type': type } });
    const extraIn = async (...[type, extra]: Parameters<typeof patch>) =>
      Object((await patch(type, extra)).json['data'])['extra'] as unknown;
    expect(await extraIn('application/json; charset=UTF-8', { b: null, d: 2 })).toEqual({ b: null, d: 2 });
    expect(await extraIn('application/merge-patch+json; charset=utf-8', { b: null, c: 3 })).toEqual({ c: 3, d: 2 });
    expect((await patch('application/json-patch+json')).status).toBe(415);
    expect(
      (await ask('POST', THINGS, { body: '{}', headers: { 'content-type': 'application/merge-patch+json' } })).status,
    ).toBe(415);
  });
});
