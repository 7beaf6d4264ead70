/** The record routes over HTTP on the real read and write paths: what HTTP adds to them, and that their answers come through. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { at, each, textAt } from './testing/answer.ts';
import { labHttp } from './testing/lab-http.ts';

const { ask, hire } = await labHttp();
beforeAll(async () => {
  for (const role of ['chief', 'worker', 'looker', 'giver']) await hire(role);
});

const PROJECTS = '/api/lab/v1/projects';

describe('a record', () => {
  test('is created, read, changed, moved, deleted and brought back', async () => {
    const made = await ask('chief', 'POST', PROJECTS, {
      name: 'Bridge',
      budget: '10.00',
      effort: 3,
      items: [{ label: 'Stone' }],
    });
    expect([made.status, at(made, 'data/name'), at(made, 'data/budget')]).toEqual([201, 'Bridge', '10.00']);
    const address = made.headers.get('location') ?? '';
    expect(address).toBe(`${PROJECTS}/${textAt(made, 'data/id')}`);

    const read = await ask('chief', 'GET', `${address}?$select=name,_title,items(label),_actions`);
    expect(at(read, 'data')).toMatchObject({ name: 'Bridge', _title: 'Bridge', items: [{ label: 'Stone' }] });
    const tag = read.headers.get('etag') ?? '';
    const known = await ask('chief', 'GET', `${address}?$select=name,_title,items(label),_actions`, undefined, {
      'if-none-match': tag,
    });
    expect(known.status).toBe(304);
    // What was kept stays kept.
    expect(known.headers.get('cache-control')).toBe(read.headers.get('cache-control'));
    expect((await ask('chief', 'GET', `${address}?$select=name`, undefined, { 'if-none-match': tag })).status).toBe(
      200,
    );

    const changed = await ask(
      'chief',
      'PATCH',
      address,
      { effort: 4 },
      { 'if-match': tag, 'content-type': 'application/merge-patch+json' },
    );
    expect([changed.status, at(changed, 'data/effort'), at(changed, 'data/version')]).toEqual([200, 4, 2]);
    const late = await ask('chief', 'PATCH', address, { effort: 5 }, { 'if-match': tag });
    expect([late.status, at(late, 'code')]).toEqual([412, 'precondition_failed']);

    const begun = await ask('chief', 'POST', `${address}/actions/begin`);
    expect([begun.status, at(begun, 'data/stage')]).toEqual([200, 'running']);
    const refused = await ask('chief', 'POST', `${address}/actions/begin`);
    expect([refused.status, at(refused, 'code')]).toEqual([409, 'transition_refused']);

    const minimal = await ask('chief', 'PATCH', address, { effort: 6 }, { prefer: 'return=minimal' });
    expect([minimal.status, minimal.body, minimal.headers.get('etag')]).toEqual([204, null, '"v4"']);
    expect((await ask('chief', 'DELETE', address, undefined, { 'if-match': '"v4"' })).status).toBe(204);
    expect((await ask('chief', 'GET', address)).status).toBe(404);
    expect((await ask('chief', 'POST', `${address}/actions/restore`)).status).toBe(200);
    expect((await ask('chief', 'GET', address)).status).toBe(200);

    const history = await ask('chief', 'GET', `${address}/history`);
    expect(history.status).toBe(200);
    expect(each(history, 'version').length).toBeGreaterThan(0);
  });

  test('answers what $select asks for after a write as well', async () => {
    const made = await ask('chief', 'POST', `${PROJECTS}?$select=id,name`, { name: 'Tunnel' });
    expect(Object.keys(Object(at(made, 'data'))).sort()).toEqual(['id', 'name']);
  });

  test('is written once however often it is sent with one key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await ask('chief', 'POST', PROJECTS, { name: 'Once' }, headers);
    const second = await ask('chief', 'POST', PROJECTS, { name: 'Once' }, headers);
    expect(second.body).toEqual(first.body);
    expect([second.status, second.headers.get('idempotency-replayed'), second.headers.get('location')]).toEqual([
      201,
      'true',
      first.headers.get('location'),
    ]);
    const other = await ask('chief', 'POST', PROJECTS, { name: 'Twice' }, headers);
    expect([other.status, at(other, 'code')]).toEqual([422, 'idempotency_mismatch']);
    const list = await ask('chief', 'GET', `${PROJECTS}?name=Once&$count=exact`);
    expect(at(list, 'count')).toMatchObject({ value: 1 });
  });
});

describe('a list', () => {
  test('pages by the Link it gives', async () => {
    for (const name of ['Page 1', 'Page 2', 'Page 3']) await ask('chief', 'POST', PROJECTS, { name });
    const first = await ask('chief', 'GET', `${PROJECTS}?name[starts]=Page&$order=name&$first=2`);
    expect(each(first, 'name')).toEqual(['Page 1', 'Page 2']);
    const next = /<(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await ask('chief', 'GET', next);
    expect(each(second, 'name')).toEqual(['Page 3']);
    expect(second.headers.get('link')).toBeNull();
    // From the last one before the third on: the next page, and not the end of the list.
    const third = await ask('chief', 'GET', `${PROJECTS}?name[starts]=Page&$order=name&$first=1&$offset=2`);
    const back = await ask(
      'chief',
      'GET',
      `${PROJECTS}?name[starts]=Page&$order=name&$last=1&$before=${textAt(third, 'page/prev')}`,
    );
    expect(each(back, 'name')).toEqual(['Page 2']);
    const start = await ask(
      'chief',
      'GET',
      `${PROJECTS}?name[starts]=Page&$order=name&$last=1&$before=${textAt(back, 'page/prev')}`,
    );
    expect(each(start, 'name')).toEqual(['Page 1']);
    const onwards = /<(.*)>; rel="next"/.exec(start.headers.get('link') ?? '')?.[1] ?? '';
    expect(each(await ask('chief', 'GET', onwards), 'name')).toEqual(['Page 2']);
    const byBody = await ask('chief', 'QUERY', PROJECTS, {
      where: { name: { starts: 'Page' } },
      order: ['name'],
      first: 2,
    });
    expect(at(byBody, 'data')).toEqual(at(first, 'data'));
  });

  test.each([
    ['?nothing=1', 'unknown_field'],
    ['?name[near]=1', 'unknown_operator'],
    ['?$nothing=1', 'unknown_parameter'],
    ['?$first=0', 'invalid_parameter'],
    ['?$after=forged', 'invalid_cursor'],
    ['?$select=nothing', 'unknown_field'],
  ])('refuses %s', async (search, code) => {
    const answer = await ask('chief', 'GET', `${PROJECTS}${search}`);
    expect([answer.status, at(answer, 'code')]).toEqual([400, code]);
  });

  test('suggests the parameter that a filter was meant to be', async () => {
    const answer = await ask('chief', 'GET', `${PROJECTS}?first=5`);
    expect(at(answer, 'detail')).toMatch(/^"first" is not a field of \S+\. Did you mean "\$first"\?$/);
  });
});

describe('rights', () => {
  test('hide: what one may not see is not there', async () => {
    const made = await ask('chief', 'POST', PROJECTS, { name: 'Secret' });
    const address = made.headers.get('location') ?? '';
    const missing = await ask('worker', 'GET', `${PROJECTS}/${randomUUID()}`);
    const foreign = await ask('worker', 'GET', address);
    expect(foreign.body).toEqual({ ...Object(missing.body), instance: at(foreign, 'instance') });
    expect((await ask('worker', 'PATCH', address, { name: 'Mine' })).status).toBe(404);
    expect((await ask('worker', 'GET', '/api/lab/v1/memos')).status).toBe(404);
    expect(at(await ask('worker', 'GET', `${PROJECTS}?secret=x`), 'code')).toBe('unknown_field');
  });

  test('let create without reading, and say no more than that', async () => {
    const made = await ask('giver', 'POST', PROJECTS, { name: 'Gift' });
    expect([made.status, made.body]).toEqual([201, { data: null }]);
    expect((await ask('giver', 'GET', PROJECTS)).status).toBe(404);
  });

  test('refuse what one may see but not do', async () => {
    const made = await ask('chief', 'POST', PROJECTS, { name: 'Look' });
    const answer = await ask('looker', 'PATCH', made.headers.get('location') ?? '', { name: 'Touch' });
    expect([answer.status, at(answer, 'code')]).toEqual([403, 'forbidden']);
  });

  test('shape the OpenAPI document and the model of the screens', async () => {
    const chief = await ask('chief', 'GET', '/api/openapi.json');
    const worker = await ask('worker', 'GET', '/api/openapi.json');
    expect(Object.keys(Object(at(chief, 'components/schemas')))).toContain('lab.memo');
    expect(Object.keys(Object(at(worker, 'components/schemas')))).not.toContain('lab.memo');
    expect(at(worker, 'components/schemas/lab.project/properties')).not.toHaveProperty('secret');
    expect(at(worker, 'components/schemas/lab.project.create/properties')).not.toHaveProperty('budget');
    const etag = worker.headers.get('etag') ?? '';
    expect((await ask('worker', 'GET', '/api/openapi.json', undefined, { 'if-none-match': etag })).status).toBe(304);

    const screens = await ask('worker', 'GET', '/api/ui/model');
    expect(Object.keys(Object(at(screens, 'entities')))).not.toContain('lab.memo');
    expect(each(screens, 'key', 'entities/lab.project/fields')).not.toContain('secret');
    expect(each(screens, 'key', 'entities/lab.project/transitions')).toEqual(['begin', 'finish']);
    expect(at(await ask('looker', 'GET', '/api/ui/model'), 'entities/lab.project/can')).toMatchObject({
      create: false,
      update: false,
    });
  });
});

test('the server is ready when the database is', async () => {
  const answer = await ask('chief', 'GET', '/readyz');
  expect([answer.status, answer.body]).toEqual([200, { status: 'ok', database: 'ok', migrations: 'ok' }]);
});
