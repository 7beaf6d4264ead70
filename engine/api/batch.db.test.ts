import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { at, each, textAt } from './testing/answer.ts';
import { labHttp } from './testing/lab-http.ts';

const { lab, ask, hire, announced } = await labHttp();
const schema = lab.tenant.names.schema;
beforeAll(async () => {
  for (const role of ['chief', 'worker', 'looker', 'giver']) await hire(role);
});

const PROJECTS = '/api/lab/v1/projects';
const SITES = '/api/lab/v1/sites';
const BATCH = '/api/$batch';
const batch = (who: string, requests: unknown, rest: object = {}, headers: Record<string, string> = {}) =>
  ask(who, 'POST', BATCH, { requests, ...rest }, headers);
const code = () => randomUUID().slice(0, 12);
const named = (name: string) => lab.look(`select * from ${schema}.lab_projects where name = $1`, [name]);
const part = (id: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) => ({
  id,
  method,
  path,
  ...(body !== undefined && { body }),
  ...(headers && { headers }),
});

describe('an atomic batch', () => {
  test('is one transaction: later requests see and use what earlier ones did', async () => {
    const name = code();
    const answer = await batch('chief', [
      part('site', 'POST', SITES, { name }),
      part('project', 'POST', PROJECTS, { name, site: '@{site.id}', effort: 7 }),
      part('read', 'GET', `${PROJECTS}/@{project.id}?$select=name,effort,site(name)`),
      part('copy', 'POST', PROJECTS, { name: `${name} of @{site.body.data.name}`, effort: '@{read.body.data.effort}' }),
      part('change', 'PATCH', `${PROJECTS}/@{project.id}`, { effort: 8 }, { 'If-Match': '@{project.headers.etag}' }),
      part('list', 'GET', `${PROJECTS}?name[starts]=${name}&$order=name&$select=name,version`),
      part('begin', 'POST', `${PROJECTS}/@{copy.id}/actions/begin`),
      part('gone', 'DELETE', `${PROJECTS}/@{project.id}`),
    ]);
    expect(answer.status).toBe(200);
    expect(each(answer, 'status')).toEqual([201, 201, 200, 201, 200, 200, 200, 204]);
    expect(each(answer, 'id')).toEqual(['site', 'project', 'read', 'copy', 'change', 'list', 'begin', 'gone']);
    expect(at(answer, 'data/2/body/data')).toEqual({ name, effort: 7, site: { name } });
    expect(at(answer, 'data/3/body/data')).toMatchObject({ name: `${name} of ${name}`, effort: 7 });
    expect(at(answer, 'data/4/headers/etag')).toMatch(/^"v2\./);
    expect(at(answer, 'data/1/headers/location')).toBe(`${PROJECTS}/${textAt(answer, 'data/1/body/data/id')}`);
    expect(at(answer, 'data/5/body/data')).toEqual([
      { name, version: 2 },
      { name: `${name} of ${name}`, version: 1 },
    ]);
    expect(at(answer, 'data/7/body')).toBeNull();
    expect(await named(`${name} of ${name}`)).toMatchObject([{ stage: 'running' }]);
    const xids = await lab.look(`select count(distinct xid)::int as n from armature.outbox where record_id = any($1)`, [
      [textAt(answer, 'data/0/body/data/id'), textAt(answer, 'data/3/body/data/id')],
    ]);
    expect(xids).toEqual([{ n: 1 }]);
  });

  test('undoes all when one request fails, and says which', async () => {
    const name = code();
    announced.length = 0;
    const answer = await batch('chief', [
      part('a', 'POST', PROJECTS, { name }),
      part('b', 'POST', PROJECTS, [{ name }, { name, effort: -1 }]),
    ]);
    expect([answer.status, at(answer, 'code')]).toEqual([422, 'invalid']);
    expect(at(answer, 'detail')).toBe('Request “b”: Effort must be at least 0. Nothing of the batch was done.');
    expect(at(answer, 'errors')).toMatchObject([
      { pointer: '/requests/1/body/1/effort', params: { request: 'b', min: 0 } },
    ]);
    expect(await named(name)).toEqual([]);
    expect(announced).toEqual([]);
    for (const [request, status, problem] of [
      [part('b', 'GET', `${PROJECTS}/${randomUUID()}`), 404, 'not_found'],
      [part('b', 'PATCH', `${PROJECTS}/@{a.id}`, { effort: 1 }, { 'if-match': '"v7"' }), 412, 'precondition_failed'],
      [part('b', 'PATCH', `${PROJECTS}?name=${name}`, { stage: 'x' }), 422, 'invalid'],
      [part('b', 'POST', `${PROJECTS}/@{a.id}/actions/finish`), 409, 'transition_refused'],
      [part('b', 'POST', PROJECTS, { name, site: '@{a.body.data.nothing}' }), 422, 'invalid'],
    ] as const) {
      const refused = await batch('chief', [part('a', 'POST', PROJECTS, { name }), request]);
      expect([refused.status, at(refused, 'code')]).toEqual([status, problem]);
      expect(JSON.stringify(at(refused, 'errors'))).toContain('"request":"b"');
      expect(await named(name)).toEqual([]);
    }
  });

  test('announces what it wrote once it is kept', async () => {
    announced.length = 0;
    await batch('chief', [part('a', 'POST', SITES, { name: code() }), part('b', 'POST', PROJECTS, { name: code() })]);
    expect(announced).toEqual(['acme lab.site', 'acme lab.project']);
  });

  test('upserts, and changes what matches', async () => {
    const group = code();
    const answer = await batch('chief', [
      part('a', 'PUT', `${PROJECTS}/by/code/${group}`, { name: 'a', reason: group }),
      part('b', 'PUT', `${PROJECTS}/by/code/${group}`, { effort: 3 }),
      part('c', 'POST', `${PROJECTS}?$upsert=code`, [
        { code: group, effort: 4 },
        { code: code(), name: 'c', reason: group },
      ]),
      part('d', 'PATCH', `${PROJECTS}?reason=${group}`, { urgent: true }),
      part('e', 'POST', `${PROJECTS}/$actions/begin?reason=${group}`, {}),
      part('f', 'DELETE', `${PROJECTS}?reason=${group}`),
    ]);
    expect(each(answer, 'status')).toEqual([201, 200, 200, 200, 200, 200]);
    expect(at(answer, 'data/2/body/data')).toMatchObject([{ outcome: 'updated', version: 3 }, { outcome: 'created' }]);
    expect(at(answer, 'data/5/body/data/affected')).toBe(2);
    const rows = await lab.look(`select version, stage from ${schema}.lab_projects where reason = $1 order by 1`, [
      group,
    ]);
    expect(rows).toEqual([
      { version: '4', stage: 'running' },
      { version: '6', stage: 'running' },
    ]);
  });

  test('is done once with its Idempotency-Key, and shows the second time what may be seen then', async () => {
    const name = code();
    const headers = { 'idempotency-key': randomUUID() };
    const requests = [
      part('a', 'POST', PROJECTS, { name }),
      part('b', 'PATCH', `${PROJECTS}/@{a.id}?$select=name,effort`, { effort: 5 }),
      part('c', 'POST', PROJECTS, [{ name }, { name }]),
      part('d', 'GET', `${PROJECTS}?name=${name}&$select=name`),
    ];
    const all = await Promise.all([1, 2, 3].map(() => batch('chief', requests, {}, headers)));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await named(name)).toHaveLength(3);
    const first = all.find((one) => one.headers.get('idempotency-replayed') === null);
    const second = all.find((one) => one.headers.get('idempotency-replayed') === 'true');
    expect(at(second ?? { body: null }, 'data/1/body')).toEqual(at(first ?? { body: null }, 'data/1/body'));
    expect(at(second ?? { body: null }, 'data/2/body')).toEqual(at(first ?? { body: null }, 'data/2/body'));
    expect(each(second ?? { body: null }, 'status')).toEqual([201, 200, 201, 200]);
    await lab.look(`update ${schema}.lab_projects set deleted_at = now() where name = $1`, [name]);
    const later = await batch('chief', requests, {}, headers);
    expect(at(later, 'data/0/body')).toEqual({ data: null });
    expect(at(later, 'data/3/body/data')).toEqual([]);
    const other = await batch('chief', requests.slice(1, 0).concat(requests.slice(0, 1)), {}, headers);
    expect(at(other, 'code')).toBe('idempotency_mismatch');
  });

  test('can be tried without keeping anything', async () => {
    const name = code();
    announced.length = 0;
    const headers = { prefer: 'tx=rollback', 'idempotency-key': randomUUID() };
    const requests = [part('a', 'POST', PROJECTS, { name }), part('b', 'GET', `${PROJECTS}/@{a.id}?$select=name`)];
    const tried = await batch('chief', requests, {}, headers);
    expect([tried.status, tried.headers.get('preference-applied')]).toEqual([200, 'tx=rollback']);
    expect(at(tried, 'data/1/body/data')).toEqual({ name });
    expect([await named(name), announced]).toEqual([[], []]);
    const one = await batch('chief', [
      part('a', 'POST', PROJECTS, { name }, { prefer: 'tx=rollback' }),
      part('b', 'GET', `${PROJECTS}?name=${name}`),
    ]);
    expect([at(one, 'data/0/headers/preference-applied'), at(one, 'data/1/body/data')]).toEqual(['tx=rollback', []]);
    // The key was not used up.
    expect(
      (await batch('chief', requests, {}, { 'idempotency-key': headers['idempotency-key'] })).headers.get(
        'idempotency-replayed',
      ),
    ).toBeNull();
    expect(await named(name)).toHaveLength(1);
  });

  test('shows and does no more than its requests one by one', async () => {
    const made = await ask('chief', 'POST', PROJECTS, { name: 'hidden' });
    const id = textAt(made, 'data/id');
    for (const request of [
      part('x', 'GET', `${PROJECTS}/${id}`),
      part('x', 'PATCH', `${PROJECTS}/${id}`, { name: 'mine' }),
      part('x', 'DELETE', `${PROJECTS}/${id}`),
    ]) {
      const missing = { ...request, path: request.path.replace(id, randomUUID()) };
      const [hidden, none] = await Promise.all([request, missing].map((one) => batch('worker', [one])));
      const told = (answer: typeof hidden) => ({ ...Object(answer?.body), instance: '' });
      expect(hidden?.status).toBe(404);
      expect(told(hidden)).toEqual(told(none));
    }
    expect((await batch('worker', [part('x', 'GET', '/api/lab/v1/memos')])).status).toBe(404);
    const list = await batch('worker', [part('x', 'GET', `${PROJECTS}?name=hidden`)]);
    expect(at(list, 'data/0/body/data')).toEqual([]);
    expect(await ask('nobody', 'POST', BATCH, { requests: [] })).toMatchObject({ status: 401 });
  });

  test('two that want the same records the other way round are both done', async () => {
    const [a = '', b = ''] = await Promise.all(
      [1, 2].map(async () => textAt(await ask('chief', 'POST', PROJECTS, { name: 'x' }), 'data/id')),
    );
    const both = (first: string, second: string) =>
      batch('chief', [
        part('a', 'PATCH', `${PROJECTS}/${first}`, { name: code() }),
        part('b', 'PATCH', `${PROJECTS}/${second}`, { name: code() }),
      ]);
    const answers = await Promise.all([both(a, b), both(b, a)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await lab.look(`select version from ${schema}.lab_projects where id in ($1, $2)`, [a, b])).toEqual([
      { version: '3' },
      { version: '3' },
    ]);
  });
});

describe('a batch that is not atomic', () => {
  const rest = { atomic: false };

  test('answers each request by itself', async () => {
    const name = code();
    const answer = await batch(
      'chief',
      [
        part('a', 'POST', PROJECTS, { name, effort: -1 }),
        part('b', 'POST', PROJECTS, { name }),
        part('c', 'PATCH', `${PROJECTS}/@{a.id}`, { effort: 2 }),
        part('d', 'PATCH', `${PROJECTS}/@{b.id}`, { effort: 2 }),
        part('e', 'GET', '/api/lab/v1/nothings'),
      ],
      rest,
    );
    expect(each(answer, 'status')).toEqual([422, 201, 424, 200, 404]);
    expect(at(answer, 'data/0/body')).toMatchObject({ code: 'invalid', errors: [{ pointer: '/effort' }] });
    expect(at(answer, 'data/2/body')).toMatchObject({ code: 'failed_dependency' });
    expect(await named(name)).toMatchObject([{ effort: '2' }]);
  });

  test('does each once with the key of the whole', async () => {
    const name = code();
    const headers = { 'idempotency-key': randomUUID() };
    const requests = [part('a', 'POST', PROJECTS, { name }), part('b', 'PATCH', `${PROJECTS}/@{a.id}`, { effort: 2 })];
    const first = await batch('chief', requests, rest, headers);
    const second = await batch('chief', requests, rest, headers);
    expect(at(second, 'data/0/body')).toEqual(at(first, 'data/0/body'));
    expect(at(second, 'data/1/headers/idempotency-replayed')).toBe('true');
    expect(await named(name)).toMatchObject([{ version: '2' }]);
  });

  test('can be tried', async () => {
    const name = code();
    const tried = await batch('chief', [part('a', 'POST', PROJECTS, { name })], rest, { prefer: 'tx=rollback' });
    expect([at(tried, 'data/0/status'), await named(name)]).toEqual([201, []]);
  });
});

describe('what is no batch', () => {
  test.each([
    ['nothing', {}, '/requests'],
    ['a list', [], ''],
    ['an unknown member', { requests: [part('a', 'GET', PROJECTS)], mode: 1 }, '/mode'],
    ['a request without id', { requests: [{ method: 'GET', path: PROJECTS }] }, '/requests/0/id'],
    ['an id twice', { requests: [part('a', 'GET', PROJECTS), part('a', 'GET', PROJECTS)] }, '/requests/1/id'],
    ['a method that is none', { requests: [part('a', 'TRACE', PROJECTS)] }, '/requests/0/method'],
    ['a batch in a batch', { requests: [part('a', 'POST', BATCH, {})] }, '/requests/0/path'],
    ['an import', { requests: [part('a', 'POST', `${PROJECTS}/imports`, {})] }, '/requests/0/path'],
    ['a stream', { requests: [part('a', 'GET', `${PROJECTS}/$export`)] }, '/requests/0/path'],
    ['a stream, encoded', { requests: [part('a', 'GET', `${PROJECTS}/%24events`)] }, '/requests/0/path'],
    [
      'a password',
      { requests: [part('a', 'POST', '/api/core/v1/users/x/actions/set_password', {})] },
      '/requests/0/path',
    ],
    ['a session', { requests: [part('a', 'POST', '/api/session', {})] }, '/requests/0/path'],
    ['another host', { requests: [part('a', 'GET', 'http://example.com/')] }, '/requests/0/path'],
    [
      'an entity out of an answer',
      { requests: [part('a', 'GET', PROJECTS), part('b', 'GET', '/api/lab/v1/@{a.id}')] },
      '/requests/1/path',
    ],
    [
      'credentials of its own',
      { requests: [part('a', 'GET', PROJECTS, undefined, { authorization: 'x' })] },
      '/requests/0/headers/authorization',
    ],
    [
      'a reference to a later one',
      { requests: [part('a', 'GET', `${PROJECTS}/@{b.id}`), part('b', 'GET', PROJECTS)] },
      '/requests/0',
    ],
    ['a reference to itself', { requests: [part('a', 'GET', `${PROJECTS}/@{a.id}`)] }, '/requests/0'],
    ['101 requests', { requests: Array.from({ length: 101 }, (_, n) => part(`r${n}`, 'GET', PROJECTS)) }, '/requests'],
  ])('is refused with its place: %s', async (_, body, pointer) => {
    const answer = await ask('chief', 'POST', BATCH, body);
    expect([answer.status, at(answer, 'errors/0/pointer')]).toEqual([422, pointer]);
  });

  test('other methods and types', async () => {
    expect((await ask('chief', 'GET', BATCH)).headers.get('allow')).toBe('POST, OPTIONS');
    expect((await ask('chief', 'POST', '/api/%24batch', { requests: [part('a', 'GET', PROJECTS)] })).status).toBe(200);
    expect((await ask('chief', 'POST', BATCH, { requests: [] }, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('nor what an answer makes of a path', async () => {
    const name = 'imports';
    for (const atomic of [true, false]) {
      const answer = await batch(
        'chief',
        [part('a', 'POST', PROJECTS, { name }), part('b', 'GET', `${PROJECTS}/@{a.body.data.name}/x/errors.csv`)],
        { atomic },
      );
      const refused = atomic ? answer.body : at(answer, 'data/1/body');
      expect(at({ body: refused }, 'errors/0/pointer')).toBe('/requests/1/path');
    }
  });

  test('a text with @{ in it is written with @@{', async () => {
    const answer = await batch('chief', [part('a', 'POST', `${PROJECTS}?$select=name`, { name: 'mail@@{x.y}' })]);
    expect(at(answer, 'data/0/body/data/name')).toBe('mail@{x.y}');
  });
});
