import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Answer } from './http.ts';
import { code, testHttp, THINGS } from './http.ts';

/** A problem as it is for every request. */
const withoutInstance = ({ text }: Answer) => text.replace(/"instance":"[^"]*"/, '');

const { ask, thing, tokens } = await testHttp();
const known = await thing();

const dataOf = (answer: Answer) => Object(answer.json['data']);

describe('entity tags', () => {
  it('answers 304 for what is known, and 200 otherwise', async () => {
    const first = await ask('GET', known);
    const tag = first.headers.etag ?? '';
    expect(tag).toMatch(/^"v\d+\.[\w-]+"$/);
    const again = await ask('GET', known, { headers: { 'if-none-match': `"other", W/${tag}` } });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', tag]);
    const other = `"v${dataOf(first).version}.zzz"`;
    expect((await ask('GET', known, { headers: { 'if-none-match': other } })).status).toBe(200);
  });

  it.each(['garbage', 'v7', '"v7"x', '"v7.x" "v8.y"', ',', '"v7'])('refuses If-Match: %s', async (tag) => {
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await ask(method, known, { body: '{"name":"y"}', headers: { 'if-match': tag } });
      expect(code(answer)).toEqual([400, 'invalid_header']);
      expect(answer.json['errors']).toMatchObject([{ parameter: 'If-Match' }]);
    }
  });

  it('asks for the version; a star means any; a weak tag never matches', async () => {
    const one = await thing();
    const change = async (tag: string, name: string) =>
      code(await ask('PATCH', one, { body: JSON.stringify({ name }), headers: { 'if-match': tag } }));
    expect(await change('"v1.abc_-1"', 'a')).toEqual([200, undefined]);
    expect(await change('"v1.abc_-1"', 'b')).toEqual([412, 'precondition_failed']);
    expect(await change('"other", W/"v9.x", "v1.x","v2.y"', 'b')).toEqual([200, undefined]);
    expect(await change('*', 'c')).toEqual([200, undefined]);
    for (const never of ['W/"v4.abc"', '"garbage"', '"v0.x"', '"v99999999999.x"'])
      expect(await change(never, 'd')).toEqual([412, 'precondition_failed']);
    expect(dataOf(await ask('GET', one))).toMatchObject({ name: 'c', version: 4 });
  });
});

describe('writing', () => {
  it('answers where the new record is', async () => {
    const made = await ask('POST', THINGS, { body: '{"name":"x"}' });
    const where = `${THINGS}/${dataOf(made).id}`;
    expect([made.status, made.headers.location, made.headers.etag?.slice(0, 4)]).toEqual([201, where, '"v1.']);
  });

  it('does once what is sent with one key, and says when an answer is an earlier one', async () => {
    const create = (name: string, key: string) =>
      ask('POST', THINGS, { body: JSON.stringify({ name }), headers: { 'idempotency-key': key } });
    const key = randomUUID();
    const first = await create('once', `"${key}"`);
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined]);
    const again = await create('once', key);
    expect([again.status, again.headers['idempotency-replayed'], again.text]).toEqual([201, 'true', first.text]);
    expect(code(await create('other', key))).toEqual([422, 'idempotency_mismatch']);
    for (const bad of ['a b', '', 'x'.repeat(256)])
      expect(code(await create('x', bad))).toEqual([400, 'invalid_header']);
  });

  it('answers less when asked, and says which wishes it has fulfilled', async () => {
    const made = await ask('POST', THINGS, {
      body: '{"name":"x"}',
      headers: { prefer: 'respond-async, return=minimal' },
    });
    expect([made.headers['preference-applied'], made.text]).toEqual(['return=minimal', '']);
    const dry = await ask('POST', THINGS, {
      body: '{"name":"never there"}',
      headers: { prefer: 'tx="rollback"; return=minimal' },
    });
    expect(dry.headers['preference-applied']).toBe('return=minimal, tx=rollback');
    expect((await ask('GET', `${THINGS}?name=never there`.replace(' ', '%20'))).json['data']).toEqual([]);
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
      ['GET', known],
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
    const [won, lost] = [await thing(), await thing()];
    expect(dataOf(await ask('POST', `${won}/actions/win`))).toMatchObject({ stage: 'won' });
    const reason = await ask('POST', `${lost}/actions/lose`, { body: '{"reason":"price"}' });
    expect(dataOf(reason)).toMatchObject({ stage: 'lost', reason: 'price' });
  });

  it('deletes without an answer, and brings back', async () => {
    const one = await thing();
    const gone = await ask('DELETE', one);
    expect([gone.status, gone.text, gone.headers['content-length']]).toEqual([204, '', undefined]);
    expect((await ask('GET', one)).status).toBe(404);
    expect((await ask('POST', `${one}/actions/restore`)).status).toBe(200);
  });
});

describe('addresses', () => {
  it('answers hidden, missing and malformed alike, byte for byte', async () => {
    const hidden = await ask('GET', '/api/custom/v1/hiddens', { token: tokens.clerk });
    const paths = [
      '/api/custom/v1/nothing',
      '/api/none/v1/things',
      `${THINGS}/not-an-id`,
      `${THINGS}/${randomUUID()}`,
      `${THINGS}/`,
      `${THINGS}/%2e%2e`,
      `${known}/nothing`,
      `${known}/actions`,
      `${known}/actions/`,
      '/api/nothing',
      '/api/custom/v2/things',
    ];
    for (const path of paths) {
      const answer = await ask('GET', path, { token: tokens.clerk });
      expect([path, answer.status, withoutInstance(answer)]).toEqual([path, 404, withoutInstance(hidden)]);
    }
    expect(code(await ask('GET', THINGS, { token: tokens.nobody }))).toEqual([404, 'not_found']);
  });

  it('answers other methods with those there are', async () => {
    const put = await ask('PUT', THINGS, { body: '{}' });
    expect([...(code(put) as unknown[]), put.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS',
    ]);
    expect((await ask('POST', known, { body: '{}' })).headers.allow).toBe('GET, HEAD, PATCH, DELETE, OPTIONS');
    expect((await ask('DELETE', '/api/ui/model')).headers.allow).toBe('GET, HEAD, OPTIONS');
    const options = await ask('OPTIONS', THINGS);
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS']);
    expect((await ask('OPTIONS', '/api/session', { token: null })).status).toBe(204);
    const head = await ask('HEAD', known);
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('links to the next page with the same query', async () => {
    for (let many = 0; many < 3; many += 1) await thing('page');
    const cursorIn = (link: unknown) => /[?&]\$after=([\w.-]+)>; rel="next"$/.exec(String(link))?.[1] ?? 'none';
    const nextOf = async (query: string) => (await ask('GET', `${THINGS}?${query}`)).headers['link'];
    const first = await nextOf('name=page&$first=1');
    expect(first).toBe(`<${THINGS}?name=page&$first=1&$after=${cursorIn(first)}>; rel="next"`);
    const second = await nextOf(`name=page&$first=1&$after=${cursorIn(first)}`);
    expect(cursorIn(second)).not.toBe(cursorIn(first));
    expect(second).toBe(`<${THINGS}?name=page&$first=1&$after=${cursorIn(second)}>; rel="next"`);
    for (let many = 0; many < 2; many += 1) await thing('a>;rel="last",<b');
    const hostile = await nextOf('name=a>;rel="last",<b&$first=1');
    expect(hostile).toBe(`<${THINGS}?name=a%3E;rel=%22last%22,%3Cb&$first=1&$after=${cursorIn(hostile)}>; rel="next"`);
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
    expect((await ask('GET', known, image)).json['detail']).toBe('Only application/json is available here.');
    expect((await ask('GET', THINGS, { headers: { accept: 'text/html,*/*;q=0.8' } })).status).toBe(200);
  });
});
