import { describe, expect, it } from 'vitest';
import { BOSS, code, testHttp, THINGS } from './http.ts';

const { ask, start, services, tokens } = await testHttp();

describe('signing in', () => {
  const credentials = JSON.stringify(BOSS);

  it('sets an HttpOnly cookie that is not in the body, and takes it back', async () => {
    const signedIn = await ask('POST', '/api/session', { token: null, body: credentials });
    expect(signedIn.status).toBe(201);
    const [, token = ''] =
      /^armature_session=(\S{20,}); Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d{5,}$/.exec(
        signedIn.headers['set-cookie']?.[0] ?? '',
      ) ?? [];
    expect(token).not.toBe('');
    expect(signedIn.text).not.toContain(token);
    const cookie = `armature_session=${token}`;
    expect((await ask('GET', '/api/session', { token: null, headers: { cookie } })).json).toMatchObject({
      data: { user: { name: 'Boss' } },
    });
    const out = await ask('DELETE', '/api/session', { token: null, headers: { cookie, 'x-armature-request': '1' } });
    expect(out.status).toBe(204);
    expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0');
    expect((await ask('GET', '/api/session', { token: null, headers: { cookie } })).status).toBe(401);
  });

  it('marks the cookie Secure behind https', async () => {
    const at = await start({ ...services, publicUrl: 'https://crm.example' });
    const signedIn = await ask('POST', '/api/session', { token: null, body: credentials, at });
    expect(signedIn.headers['set-cookie']?.[0]).toContain('; Secure');
    expect(signedIn.headers['strict-transport-security']).toContain('max-age');
  });

  it('refuses wrong passwords, missing fields and other sites', async () => {
    const wrong = JSON.stringify({ ...BOSS, password: 'wrong' });
    expect(code(await ask('POST', '/api/session', { token: null, body: wrong }))).toEqual([401, 'invalid_credentials']);
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
    ['a cookie of a similar name', { cookie: `xarmature_session=${tokens.boss}; armature_sessions=${tokens.boss}` }],
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
  const cookie = `a=b; armature_session=${tokens.boss}`;
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
