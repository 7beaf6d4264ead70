import { describe, expect, it } from 'vitest';
import type { Answer } from './testing/http.ts';
import { code, testHttp, THING, THINGS } from './testing/http.ts';
import { RECORD_ID, testServices, TOKENS } from './testing/services.ts';

/** A problem as it is for every request. */
const withoutInstance = ({ text }: Answer) => text.replace(/"instance":"[^"]*"/, '');

const { ask, start, calls } = await testHttp();

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

  it.each(['garbage', 'v7', '"v7"x', '"v7.x" "v8.y"', ',', '"v7'])('refuses If-Match: %s', async (tag) => {
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await ask(method, THING, { body: '{"name":"y"}', headers: { 'if-match': tag } });
      expect(code(answer)).toEqual([400, 'invalid_header']);
      expect(answer.json['errors']).toMatchObject([{ parameter: 'If-Match' }]);
    }
  });

  it('hands the version on; a star means any; a weak tag never matches', async () => {
    await patchWith('"v7.abc_-1"');
    expect(calls.written.at(-1)?.options).toMatchObject({ ifMatch: [7] });
    await patchWith('"other", W/"v5.x", "v7.x","v8.y"');
    expect(calls.written.at(-1)?.options).toMatchObject({ ifMatch: [7, 8] });
    await patchWith('*');
    expect(calls.written.at(-1)?.options).not.toHaveProperty('ifMatch');
    for (const never of ['W/"v7.abc"', '"garbage"', '"v0.x"', '"v99999999999.x"'])
      expect(code(await patchWith(never))).toEqual([412, 'precondition_failed']);
  });
});

/** What the writer was last told of the Idempotency-Key. */
const key = () => Reflect.get(calls.written.at(-1)?.options ?? {}, 'idempotency') as unknown;

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

  it('answers less when asked, and says which wishes it has fulfilled', async () => {
    const made = await ask('POST', THINGS, {
      body: '{"name":"x"}',
      headers: { prefer: 'respond-async, return=minimal' },
    });
    expect(made.headers['preference-applied']).toBe('return=minimal');
    expect(calls.written.at(-1)?.options).toMatchObject({ returning: 'minimal' });
    const dry = await ask('POST', THINGS, { body: '{}', headers: { prefer: 'tx="rollback"; return=minimal' } });
    expect(dry.headers['preference-applied']).toBe('return=minimal, tx=rollback');
    expect(calls.written.at(-1)?.options).toMatchObject({ dryRun: true });
  });

  it.each([
    'handling=strict, respond-async',
    'max-affected=-1',
    'max-affected=5001',
    'max-affected',
    'max-affected=1x',
  ])('refuses Prefer: %s', async (prefer) => {
    expect(code(await ask('PATCH', `${THINGS}?name=x`, { body: '{"name":"y"}', headers: { prefer } }))).toEqual([
      400,
      'invalid_header',
    ]);
  });

  it('refuses unknown wishes of reads under handling=strict, and only then', async () => {
    const strict = { headers: { prefer: 'handling=strict, respond-async' } };
    for (const [method, path] of [
      ['GET', THINGS],
      ['GET', THING],
      ['QUERY', THINGS],
      ['POST', `${THINGS}/$query`],
    ] as const) {
      const body = method === 'GET' ? {} : { body: '{}' };
      const refused = await ask(method, path, { ...strict, ...body });
      expect([path, ...code(refused)]).toEqual([path, 400, 'invalid_header']);
      const lenient = await ask(method, path, { headers: { prefer: 'respond-async' }, ...body });
      expect([path, lenient.status]).toEqual([path, 200]);
    }
  });

  it('runs actions with and without a body', async () => {
    expect((await ask('POST', `${THING}/actions/win`)).status).toBe(200);
    expect(calls.written.at(-1)).toMatchObject({ verb: 'transition', body: {} });
    await ask('POST', `${THING}/actions/win`, { body: '{"reason":"price"}' });
    expect(calls.written.at(-1)).toMatchObject({ body: { reason: 'price' } });
    await ask('POST', `${THING}/actions/restore`);
    expect(calls.written.at(-1)).toMatchObject({ verb: 'restore' });
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
      expect([path, answer.status, withoutInstance(answer)]).toEqual([path, 404, withoutInstance(hidden)]);
    }
    expect(code(await ask('GET', THINGS, { token: TOKENS.nobody }))).toEqual([404, 'not_found']);
  });

  it('answers other methods with those there are', async () => {
    const put = await ask('PUT', THINGS, { body: '{}' });
    expect([...(code(put) as unknown[]), put.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS',
    ]);
    expect((await ask('POST', THING, { body: '{}' })).headers.allow).toBe('GET, HEAD, PATCH, DELETE, OPTIONS');
    expect((await ask('DELETE', '/api/ui/model')).headers.allow).toBe('GET, HEAD, OPTIONS');
    const options = await ask('OPTIONS', THINGS);
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS']);
    expect((await ask('OPTIONS', '/api/session', { token: null })).status).toBe(204);
    const head = await ask('HEAD', THING);
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('links to the next page with the same query', async () => {
    const { headers } = await ask('GET', `${THINGS}?name=x&$first=10&$after=old`);
    expect(headers['link']).toBe(`<${THINGS}?name=x&$first=10&$after=abc>; rel="next"`);
    expect((await ask('GET', THINGS)).headers['link']).toBe(`<${THINGS}?$after=abc>; rel="next"`);
    const hostile = `${THINGS}?name=a>;rel="last",<b`;
    expect((await ask('GET', hostile)).headers['link']).toBe(
      `<${THINGS}?name=a%3E;rel=%22last%22,%3Cb&$after=abc>; rel="next"`,
    );
  });

  it('takes queries as JSON, by QUERY and by POST', async () => {
    expect((await ask('QUERY', THINGS, { body: '{"first":5}' })).status).toBe(200);
    expect((await ask('POST', `${THINGS}/$query`, { body: '{"first":5}' })).status).toBe(200);
    expect((await ask('GET', `${THINGS}/$query`)).status).toBe(405);
    expect(code(await ask('QUERY', THINGS, { body: '{"nonsense":5}' }))).toEqual([400, 'unknown_parameter']);
    for (const search of ['name=x', '$first=5', 'bogus=1']) {
      const refused = [400, 'unknown_parameter'];
      expect(code(await ask('QUERY', `${THINGS}?${search}`, { body: '{}' }))).toEqual(refused);
      expect(code(await ask('POST', `${THINGS}/$query?${search}`, { body: '{}' }))).toEqual(refused);
    }
  });

  it('answers JSON only', async () => {
    const image = { headers: { accept: 'image/png' } };
    const list = await ask('GET', THINGS, image);
    expect(code(list)).toEqual([406, 'not_acceptable']);
    for (const type of ['application/json', 'text/csv', 'application/x-ndjson', 'spreadsheetml.sheet'])
      expect(list.json['detail']).toContain(type);
    expect((await ask('GET', THING, image)).json['detail']).toBe('Only application/json is available here.');
    expect((await ask('GET', THINGS, { headers: { accept: 'text/html,*/*;q=0.8' } })).status).toBe(200);
  });
});
