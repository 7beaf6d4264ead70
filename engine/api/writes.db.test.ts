/** What HTTP adds to writing: keys as addresses, filters, versions, wishes. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { at, each, textAt } from './testing/answer.ts';
import { labHttp } from './testing/lab-http.ts';

const { lab, ask, hire, announced } = await labHttp();
const schema = lab.tenant.names.schema;
beforeAll(async () => {
  for (const role of ['chief', 'worker']) await hire(role);
});

const PROJECTS = '/api/lab/v1/projects';
const DEEDS = '/api/lab/v1/deeds';
const name = () => randomUUID().slice(0, 12);
const status = ({ status: number, body }: { status: number; body: unknown }) => [number, at({ body }, 'code')];

describe('a record by its key', () => {
  test('is created, changed, read and asked for again', async () => {
    const key = `${name()}/ä `;
    const address = `${PROJECTS}/by/code/${encodeURIComponent(key)}`;
    const made = await ask('chief', 'PUT', address, { name: 'a', words: ['x', 'y'] });
    expect([made.status, at(made, 'data/code')]).toEqual([201, key.trim()]);
    expect(made.headers.get('location')).toBe(`${PROJECTS}/${textAt(made, 'data/id')}`);
    const tag = made.headers.get('etag') ?? '';
    const same = await ask('chief', 'PUT', address, { name: 'a' });
    expect([same.status, same.headers.get('etag')]).toEqual([200, tag]);
    const changed = await ask('chief', 'PUT', address, { name: 'b' }, { 'if-match': tag });
    expect([changed.status, at(changed, 'data/version')]).toEqual([200, 2]);
    expect(status(await ask('chief', 'PUT', address, { name: 'c' }, { 'if-match': tag }))).toEqual([
      412,
      'precondition_failed',
    ]);
    expect((await ask('chief', 'PUT', address, { name: 'c' }, { 'if-none-match': '*' })).status).toBe(412);
    const other = `${PROJECTS}/by/code/${name()}`;
    expect((await ask('chief', 'PUT', other, { name: 'c' }, { 'if-match': '*' })).status).toBe(412);
    expect((await ask('chief', 'PUT', other, { name: 'c' }, { 'if-none-match': '*' })).status).toBe(201);
    const trimmed = `${PROJECTS}/by/code/${encodeURIComponent(key.trim())}`;
    const read = await ask('chief', 'GET', trimmed);
    expect([read.status, read.headers.get('etag')]).toEqual([200, changed.headers.get('etag')]);
    expect((await ask('chief', 'HEAD', trimmed)).body).toBeNull();
    expect((await ask('worker', 'GET', trimmed)).status).toBe(404);
  });

  test('of a field that is none, or a value that contradicts, is refused', async () => {
    expect(status(await ask('chief', 'PUT', `${PROJECTS}/by/name/x`, {}))).toEqual([404, 'not_found']);
    expect(status(await ask('chief', 'PUT', `${PROJECTS}/by/code/%zz`, {}))).toEqual([404, 'not_found']);
    const contradicting = await ask('chief', 'PUT', `${PROJECTS}/by/code/a`, { code: 'b', name: 'x' });
    expect([contradicting.status, at(contradicting, 'errors/0/pointer')]).toEqual([422, '/code']);
    expect((await ask('chief', 'DELETE', `${PROJECTS}/by/code/x`)).headers.get('allow')).toBe(
      'GET, HEAD, PUT, OPTIONS',
    );
    expect((await ask('chief', 'PUT', `${PROJECTS}/by/code/x`, [])).status).toBe(422);
  });

  test('several at once, by several fields', async () => {
    const line = name().slice(0, 8);
    const rows = [
      { line, place: 1, guest: 'a' },
      { line, place: 2, guest: 'b' },
    ];
    const made = await ask('chief', 'POST', '/api/lab/v1/seats?$upsert=line,place', rows);
    expect([made.status, each(made, 'outcome')]).toEqual([200, ['created', 'created']]);
    const again = await ask('chief', 'POST', '/api/lab/v1/seats?%24upsert=line,place', [
      { ...rows[0] },
      { ...rows[1], guest: 'c' },
    ]);
    expect(each(again, 'outcome')).toEqual(['unchanged', 'updated']);
    const one = await ask('chief', 'POST', '/api/lab/v1/seats?$upsert=line,place&$select=guest', {
      line,
      place: 3,
      guest: 'd',
    });
    expect([one.status, at(one, 'data')]).toEqual([201, { guest: 'd' }]);
    expect(status(await ask('chief', 'POST', '/api/lab/v1/seats?$upsert=guest', rows))).toEqual([
      400,
      'invalid_parameter',
    ]);
  });
});

describe('all that match', () => {
  test('are changed, moved and deleted, by address or by body', async () => {
    const reason = name();
    await ask('chief', 'POST', PROJECTS, [
      { name: 'a', reason, effort: 1 },
      { name: 'b', reason, effort: 5 },
    ]);
    const changed = await ask('chief', 'PATCH', `${PROJECTS}?reason=${reason}&effort[gte]=2`, { urgent: true });
    expect([changed.status, at(changed, 'data/affected')]).toEqual([200, 1]);
    const byBody = await ask('chief', 'PATCH', PROJECTS, {
      where: { reason, or: [{ effort: 1 }, { effort: 5 }] },
      set: { kind: 'inner' },
    });
    expect(at(byBody, 'data/affected')).toBe(2);
    expect(at(await ask('chief', 'POST', `${PROJECTS}/$actions/begin?reason=${reason}`), 'data/affected')).toBe(2);
    const dropped = { where: { reason }, set: { reason } };
    expect(at(await ask('chief', 'POST', `${PROJECTS}/$actions/drop`, dropped), 'data/affected')).toBe(2);
    const gone = await ask('chief', 'DELETE', PROJECTS, { where: { reason, effort: 5 } });
    expect(at(gone, 'data/affected')).toBe(1);
    expect(at(await ask('chief', 'DELETE', `${PROJECTS}?reason=${reason}`), 'data/affected')).toBe(1);
    expect(
      await lab.look(`select from ${schema}.lab_projects where reason = $1 and deleted_at is null`, [reason]),
    ).toEqual([]);
  });

  test.each([
    ['PATCH', PROJECTS, { set: { effort: 1 } }],
    ['PATCH', PROJECTS, { effort: 1 }],
    ['PATCH', `${PROJECTS}?$first=5`, { effort: 1 }],
    ['PATCH', `${PROJECTS}?`, { set: { effort: 1 } }],
    ['DELETE', PROJECTS, undefined],
    ['DELETE', PROJECTS, { where: {} }],
    ['DELETE', `${PROJECTS}?$deleted=only`, undefined],
    ['POST', `${PROJECTS}/$actions/begin`, undefined],
  ])('nothing is done without a filter: %s %s', async (method, path, body) => {
    expect((await ask('chief', method, path, body)).status).toBeOneOf([400, 422]);
  });

  test('more than may be changed are counted and left alone', async () => {
    const reason = name();
    await ask(
      'chief',
      'POST',
      PROJECTS,
      Array.from({ length: 101 }, () => ({ name: 'a', reason })),
    );
    const address = `${PROJECTS}?reason=${reason}`;
    expect(status(await ask('chief', 'PATCH', address, { effort: 2 }))).toEqual([422, 'max_affected']);
    const none = { prefer: 'max-affected=0' };
    expect(status(await ask('chief', 'PATCH', address, { effort: 2 }, none))).toEqual([422, 'max_affected']);
    const nothing = await ask('chief', 'PATCH', `${address}x`, { effort: 2 }, none);
    expect([nothing.status, at(nothing, 'data/affected')]).toEqual([200, 0]);
    const raised = await ask(
      'chief',
      'PATCH',
      address,
      { effort: 2 },
      { prefer: 'max-affected=5000, handling=strict' },
    );
    expect([at(raised, 'data/affected'), raised.headers.get('preference-applied')]).toEqual([101, 'max-affected=5000']);
    const minimal = await ask('chief', 'DELETE', address, undefined, { prefer: 'return=minimal, max-affected=101' });
    expect([minimal.status, minimal.body]).toEqual([204, null]);
  });
});

describe('a dry run', () => {
  test('of every write answers as it would be, and leaves nothing', async () => {
    const reason = name();
    const made = await ask('chief', 'POST', PROJECTS, { name: 'a', reason, code: reason.slice(0, 10) });
    const address = made.headers.get('location') ?? '';
    const traces = async () => {
      const found: unknown[] = [];
      for (const sql of [
        `select * from ${schema}.lab_projects where reason = '${reason}'`,
        `select * from ${schema}.lab_items where label = '${reason}'`,
        `select * from ${schema}.lab_sites where region = '${reason}'`,
        `select count(*) from ${schema}.h_lab_projects`,
        `select count(*) from armature.outbox`,
        `select count(*) from armature.idempotency`,
      ])
        found.push(await lab.look(sql));
      return found;
    };
    const before = await traces();
    announced.length = 0;
    const key = name();
    const dry = (method: string, path: string, body?: unknown) =>
      ask('chief', method, path, body, { prefer: 'tx=rollback, handling=strict', 'idempotency-key': key });
    const nested = { items: [{ label: reason }], site: { create: { name: name(), region: reason } } };
    const answers = [
      await dry('POST', PROJECTS, { name: 'b', reason, ...nested }),
      await dry('POST', PROJECTS, [{ name: 'b', reason }]),
      await dry('PATCH', address, { name: 'b' }),
      await dry('POST', `${address}/actions/begin`),
      await dry('DELETE', address),
      await dry('PUT', `${PROJECTS}/by/code/${reason.slice(0, 10)}`, { name: 'c' }),
      await dry('PUT', `${PROJECTS}/by/code/${name()}`, { name: 'c', reason }),
      await dry('POST', `${PROJECTS}?$upsert=code`, [{ code: reason.slice(0, 10), name: 'd' }]),
      await dry('PATCH', `${PROJECTS}?reason=${reason}`, { name: 'e' }),
      await dry('POST', `${PROJECTS}/$actions/begin?reason=${reason}`),
      await dry('DELETE', `${PROJECTS}?reason=${reason}`),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 200, 200, 204, 200, 201, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ headers }) => headers.get('preference-applied')))).toEqual(new Set(['tx=rollback']));
    expect(at(answers[2] ?? { body: null }, 'data')).toMatchObject({ name: 'b', version: 2 });
    expect(at(answers[3] ?? { body: null }, 'data/stage')).toBe('running');
    expect(at(answers[10] ?? { body: null }, 'data/affected')).toBe(1);
    expect(await traces()).toEqual(before);
    expect(announced).toEqual([]);
    // The key is still to be had.
    const kept = await ask('chief', 'PATCH', address, { name: 'z' }, { 'idempotency-key': key });
    expect([kept.status, kept.headers.get('idempotency-replayed')]).toEqual([200, null]);
    // And a rehearsal is not answered with what was done under it.
    expect((await dry('PATCH', address, { name: 'y' })).status).toBe(200);
  });

  test('finds what Postgres alone finds', async () => {
    const code = name();
    await ask('chief', 'POST', PROJECTS, { name: 'a', code });
    const twice = await ask('chief', 'POST', PROJECTS, { name: 'b', code }, { prefer: 'tx=rollback' });
    expect([...status(twice), at(twice, 'errors/0/pointer')]).toEqual([409, 'unique', '/code']);
  });
});

describe('versions', () => {
  test('a tag is of the answer: selection, rights and embedded records change it, If-Match asks for the record', async () => {
    const site = await ask('chief', 'POST', '/api/lab/v1/sites', { name: name() });
    const made = await ask('chief', 'POST', PROJECTS, { name: 'a', site: at(site, 'data/id') });
    const address = made.headers.get('location') ?? '';
    const tagOf = async (search: string) =>
      (await ask('chief', 'GET', `${address}${search}`)).headers.get('etag') ?? '';
    const tags = [await tagOf(''), await tagOf('?$select=name'), await tagOf('?$select=name,site(name)')];
    expect(new Set(tags).size).toBe(3);
    expect(tags[0]).toBe(made.headers.get('etag'));
    const known = (search: string, tag = '') =>
      ask('chief', 'GET', `${address}${search}`, undefined, { 'if-none-match': tag });
    expect((await known('?$select=name', tags[1])).status).toBe(304);
    expect((await known('', tags[1])).status).toBe(200);
    expect((await known('', `"x", W/${tags[0]}`)).status).toBe(304);
    expect((await known('', '*')).status).toBe(304);
    // The site has another name: what was embedded is not what is known.
    await ask('chief', 'PATCH', `/api/lab/v1/sites/${textAt(site, 'data/id')}`, { name: name() });
    expect((await known('?$select=name,site(name)', tags[2])).status).toBe(200);
    expect((await known('?$select=name', tags[1])).status).toBe(304);
    // Any of them names the version.
    for (const [tag, expected] of [
      [`W/${tags[0]}`, 412],
      ['"v9.x"', 412],
      [`"v9.x", ${tags[2]}`, 200],
      ['*', 200],
    ] as const)
      expect((await ask('chief', 'PATCH', address, { effort: 3 }, { 'if-match': tag })).status).toBe(expected);
    const head = await ask('chief', 'HEAD', address);
    expect([head.status, head.body, head.headers.get('etag')]).toEqual([200, null, await tagOf('')]);
    const begin = (tag: string) => ask('chief', 'POST', `${address}/actions/begin`, {}, { 'if-match': tag });
    expect((await begin('"v1"')).status).toBe(412);
    expect((await begin(await tagOf(''))).status).toBe(200);
  });

  test('are asked for where the entity demands it', async () => {
    const made = await ask('chief', 'POST', DEEDS, { name: name() });
    expect(made.status).toBe(201);
    const address = made.headers.get('location') ?? '';
    const tag = made.headers.get('etag') ?? '';
    const needed = [428, 'precondition_required'];
    expect(status(await ask('chief', 'PATCH', address, { name: name() }))).toEqual(needed);
    expect(status(await ask('chief', 'DELETE', address))).toEqual(needed);
    expect(status(await ask('chief', 'POST', `${address}/actions/restore`))).toEqual(needed);
    expect(status(await ask('chief', 'PUT', `${DEEDS}/by/name/x`, {}))).toEqual(needed);
    expect(status(await ask('chief', 'PATCH', `${DEEDS}?name=x`, { name: 'y' }))).toEqual(needed);
    expect(status(await ask('chief', 'DELETE', `${DEEDS}?name=x`))).toEqual(needed);
    expect(status(await ask('chief', 'POST', `${DEEDS}?$upsert=name`, [{ name: 'x' }]))).toEqual(needed);
    expect((await ask('chief', 'PUT', `${DEEDS}/by/name/${name()}`, {}, { 'if-none-match': '*' })).status).toBe(201);
    const changed = await ask('chief', 'PATCH', address, { name: name() }, { 'if-match': tag });
    expect(changed.status).toBe(200);
    expect((await ask('chief', 'PATCH', address, { name: name() }, { 'if-match': tag })).status).toBe(412);
    expect((await ask('chief', 'DELETE', address, undefined, { 'if-match': '*' })).status).toBe(204);
  });

  test('that ask for no record are never taken for those of a change', async () => {
    const made = await ask('chief', 'POST', DEEDS, { name: name() });
    const address = made.headers.get('location') ?? '';
    const tag = made.headers.get('etag') ?? '';
    const absent = { 'if-none-match': '*' };
    const refused = [412, 'precondition_failed'];
    expect(status(await ask('chief', 'PATCH', address, { name: name() }, absent))).toEqual(refused);
    expect(status(await ask('chief', 'DELETE', address, undefined, absent))).toEqual(refused);
    expect(status(await ask('chief', 'POST', `${address}/actions/restore`, undefined, absent))).toEqual(refused);
    expect(status(await ask('chief', 'PATCH', address, { name: name() }, { 'if-none-match': tag }))).toEqual([
      400,
      'invalid_header',
    ]);
    expect((await ask('chief', 'GET', address)).headers.get('etag')).toBe(tag);
  });

  test('are refused where they cannot protect anything, and never ignored', async () => {
    const made = await ask('chief', 'POST', PROJECTS, { name: 'a' });
    const which = `${PROJECTS}?id=${textAt(made, 'data/id')}`;
    const old = { 'if-match': '"v9"' };
    const refused = [400, 'invalid_header'];
    expect(status(await ask('chief', 'PATCH', which, { effort: 3 }, old))).toEqual(refused);
    expect(status(await ask('chief', 'DELETE', which, undefined, old))).toEqual(refused);
    expect(status(await ask('chief', 'POST', PROJECTS, { name: 'b' }, old))).toEqual(refused);
  });
});

test('a merge patch clears with null, keeps what is absent, and replaces lists', async () => {
  const made = await ask('chief', 'POST', PROJECTS, {
    name: 'a',
    reason: 'r',
    words: ['x', 'y'],
    items: [{ label: 'one' }, { label: 'two' }],
  });
  const address = made.headers.get('location') ?? '';
  const patch = (body: unknown, type: string) =>
    ask('chief', 'PATCH', `${address}?$select=name,reason,words,items(label)`, body, { 'content-type': type });
  const first = await patch({ reason: null, words: ['z'] }, 'application/merge-patch+json');
  expect(at(first, 'data')).toEqual({
    name: 'a',
    reason: null,
    words: ['z'],
    items: expect.arrayContaining([{ label: 'one' }, { label: 'two' }]) as unknown,
  });
  const second = await patch({ words: [], items: [{ label: 'three' }] }, 'application/json');
  // As with texts, nothing is stored for what is empty.
  expect(at(second, 'data')).toEqual({ name: 'a', reason: null, words: null, items: [{ label: 'three' }] });
  expect((await patch({ name: null }, 'application/merge-patch+json')).status).toBe(422);
  expect((await patch({ name: 'b' }, 'application/json-patch+json')).status).toBe(415);
});
