import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { Problem } from '#engine/problem.ts';
import { refusal } from '#tests/support/refusal.ts';
import { dataIn, writingLab } from '#tests/support/writing-lab.ts';
import type { Scope } from '../scope.ts';
import { Writer } from './writer.ts';

const { lab, writer, chief, worker, project, schema } = await writingLab();
const data = dataIn;
const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);
const make = async (scope: Scope, body: Record<string, unknown> = {}): Promise<string> =>
  (await writer.create(scope, project(), { name: 'x', ...body })).id ?? '';
const key = () => ({ key: randomUUID(), fingerprint: 'f1' });
const items = (id: string) =>
  lab.look(`select id, label, pieces from ${schema}.lab_items where project = $1 order by label`, [id]);
const stored = async (id: string) =>
  (await lab.look(`select * from ${schema}.lab_projects where id = $1`, [id]))[0] ?? {};

/** What a client is told of a refusal. */
const told = (problem: Problem | undefined) => [problem?.code, problem?.message, problem?.errors];

describe('a merge patch', () => {
  test('changes what is sent, clears what is null, keeps the rest', async () => {
    const id = await make(chief, { secret: 's', budget: '3.00', words: ['a'] });
    const result = await writer.update(chief, project(), id, { name: 'y', secret: null, words: ['b'] });
    expect(result).toMatchObject({ status: 200, id, version: 2 });
    expect(data(result.body)).toMatchObject({ name: 'y', secret: null, budget: '3.00', words: ['b'], version: 2 });
  });

  test('that changes nothing leaves the version alone', async () => {
    const id = await make(chief, { budget: '3.00', words: ['a'] });
    expect((await writer.update(chief, project(), id, { budget: '3', words: ['a'], secret: null })).version).toBe(1);
    expect((await writer.update(chief, project(), id, {})).version).toBe(1);
    expect(await writer.update(chief, project(), id, { budget: '3.01' }, { returning: 'minimal' })).toMatchObject({
      status: 204,
      body: null,
      version: 2,
    });
  });

  test('is refused when somebody else was first', async () => {
    const id = await make(chief);
    await writer.update(chief, project(), id, { name: 'a' }, { ifMatch: 1 });
    expect(await refusal(writer.update(chief, project(), id, { name: 'b' }, { ifMatch: 1 }))).toMatchObject({
      code: 'precondition_failed',
      errors: [{ parameter: 'If-Match', params: { version: 2 } }],
    });
    expect((await stored(id))['name']).toBe('a');
  });

  test('of two at the same time with the same version one wins', async () => {
    const id = await make(chief);
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map((name) => writer.update(chief, project(), id, { name }, { ifMatch: 1 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stored(id)).toMatchObject({ version: '2' });
  });

  test('a hidden record equals a missing one and a wrong id', async () => {
    const id = await make(chief);
    const problems = await Promise.all(
      [id, randomUUID(), "x' or 1=1"].map((one) => refusal(writer.update(worker, project(), one, { name: 'y' }))),
    );
    for (const problem of problems) expect(told(problem)).toEqual(told(problems[0]));
    expect(problems[0]?.code).toBe('not_found');
    expect((await stored(id))['name']).toBe('x');
  });

  test('refuses what may not be written', async () => {
    const id = await make(worker);
    const problem = await refusal(
      writer.update(worker, project(), id, {
        secret: 'a',
        closed_on: '2026-01-01',
        stage: 'running',
        owner: null,
        version: 7,
        name: null,
      }),
    );
    expect(Object.fromEntries(problem.errors.map((error) => [error.pointer, error.code]))).toEqual({
      '/secret': 'unknown_field',
      '/closed_on': 'read_only',
      '/stage': 'read_only',
      '/owner': 'read_only',
      '/version': 'read_only',
      '/name': 'required',
    });
  });

  test('a reader may not change', async () => {
    const id = await make(chief);
    const looker = await lab.person('looker');
    expect((await refusal(writer.update(looker, project(), id, { name: 'y' }))).code).toBe('forbidden');
  });

  test('a reference to nothing is refused and nothing kept', async () => {
    const id = await make(chief);
    expect(await refusal(writer.update(chief, project(), id, { name: 'y', site: randomUUID() }))).toMatchObject({
      errors: [{ pointer: '/site' }],
    });
    expect((await stored(id))['name']).toBe('x');
  });
});

describe('conditions are paired with their fields', () => {
  test.each([true, false])('with the compiler’s predicates: %s', async (predicates) => {
    const mixed = { ...(await lab.person('mixed')), predicates };
    const innerOfOthers = await make(chief, { kind: 'inner' });
    const own = (await writer.create(mixed, project(), { name: 'x', effort: 2 })).id ?? '';
    expect((await writer.update(mixed, project(), innerOfOthers, { name: 'y' })).version).toBe(2);
    expect((await refusal(writer.update(mixed, project(), innerOfOthers, { effort: 5 }))).code).toBe('forbidden');
    expect((await refusal(writer.update(mixed, project(), innerOfOthers, { name: 'z', effort: 5 }))).code).toBe(
      'forbidden',
    );
    expect((await writer.update(mixed, project(), own, { effort: 5 })).version).toBe(2);
    expect((await refusal(writer.update(mixed, project(), own, { name: 'y' }))).code).toBe('forbidden');
    const neither = await make(chief, { kind: 'outer' });
    expect((await refusal(writer.update(mixed, project(), neither, { name: 'y' }))).code).toBe('forbidden');
  });
});

describe('parts', () => {
  test('are created, changed and deleted with their whole, whose version rises', async () => {
    const id = await make(worker, { items: [{ label: 'a' }, { label: 'b' }, { label: 'c' }] });
    const [a, b, c] = await items(id);
    const result = await writer.update(worker, project(), id, {
      items: {
        create: [{ label: 'd' }],
        update: [
          { id: a?.['id'], pieces: 3 },
          { id: b?.['id'], label: 'bb' },
        ],
        delete: [c?.['id']],
      },
    });
    expect(result.version).toBe(2);
    expect((await items(id)).map(({ label, pieces }) => [label, pieces])).toEqual([
      ['a', '3'],
      ['bb', null],
      ['d', null],
    ]);
  });

  test('of another record, or none, are refused and nothing is kept', async () => {
    const id = await make(chief, { items: [{ label: 'a' }] });
    const other = await make(chief, { items: [{ label: 'o' }] });
    const [foreign] = await items(other);
    const problem = await refusal(
      writer.update(chief, project(), id, {
        name: 'y',
        items: { create: [{ label: 'n' }], update: [{ id: foreign?.['id'], label: 'stolen' }] },
      }),
    );
    expect(problem.errors).toMatchObject([{ code: 'part', pointer: '/items/update/0' }]);
    const goner = await refusal(
      writer.update(chief, project(), id, { items: { delete: [foreign?.['id'], randomUUID()] } }),
    );
    expect(goner.errors.map(({ pointer }) => pointer)).toEqual(['/items/delete/0', '/items/delete/1']);
    expect(await stored(id)).toMatchObject({ name: 'x', version: '1' });
    expect((await items(other)).map(({ label }) => label)).toEqual(['o']);
    expect((await items(id)).map(({ label }) => label)).toEqual(['a']);
  });

  test('bad ones are pointed at', async () => {
    const id = await make(chief, { items: [{ label: 'a' }] });
    const [a] = await items(id);
    const problem = await refusal(
      writer.update(chief, project(), id, {
        items: { create: [{}], update: [{ id: a?.['id'], pieces: 0 }, { label: 'x' }, 7], delete: [a?.['id'], 'x'] },
      }),
    );
    expect(problem.errors.map(({ pointer }) => pointer).toSorted(byText)).toEqual([
      '/items/create/0/label',
      '/items/delete/0',
      '/items/delete/1',
      '/items/update/0/pieces',
      '/items/update/1/id',
      '/items/update/2',
      '/items/update/2/id',
    ]);
    expect((await refusal(writer.update(chief, project(), id, { items: 'x' }))).errors[0]?.pointer).toBe('/items');
  });
});

describe('a step of the lifecycle', () => {
  test('goes from one state to another and sets what it says', async () => {
    const id = await make(chief, { budget: '10.00' });
    expect(data((await writer.transition(chief, project(), id, 'begin', undefined)).body)).toMatchObject({
      stage: 'running',
      version: 2,
    });
    const result = data((await writer.transition(chief, project(), id, 'finish', {}, { ifMatch: 2 })).body);
    expect(result).toMatchObject({ stage: 'finished', version: 3 });
    expect(result.closed_on).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test('sets its own value where another one is sent along', async () => {
    const id = await make(chief, { stage: 'running', budget: '10.00' });
    const finished = data((await writer.transition(chief, project(), id, 'finish', { closed_on: '2001-02-03' })).body);
    expect(finished).toMatchObject({ stage: 'finished' });
    expect(finished.closed_on).not.toBe('2001-02-03');
  });

  test('from the wrong state says so', async () => {
    const id = await make(chief);
    expect(await refusal(writer.transition(chief, project(), id, 'finish', {}))).toMatchObject({
      code: 'transition_refused',
      errors: [{ code: 'state', params: { state: 'planned', from: ['running'] } }],
    });
  });

  test('asks for what it requires, which may come with it', async () => {
    const id = await make(chief);
    expect(await refusal(writer.transition(chief, project(), id, 'drop', {}))).toMatchObject({
      code: 'transition_refused',
      errors: [{ code: 'required', pointer: '/reason', message: 'Reason is required for “Drop”.' }],
    });
    expect(data((await writer.transition(chief, project(), id, 'drop', { reason: 'no money' })).body)).toMatchObject({
      stage: 'dropped',
      reason: 'no money',
    });
  });

  test('its guard looks at the record as it will be', async () => {
    const id = await make(chief, { stage: 'running', budget: '0.00' });
    expect(await refusal(writer.transition(chief, project(), id, 'finish', {}))).toMatchObject({
      code: 'transition_refused',
      message: 'A finished project has cost something.',
    });
    expect(await stored(id)).toMatchObject({ stage: 'running', version: '1' });
    expect(data((await writer.transition(chief, project(), id, 'finish', { budget: '1.00' })).body).stage).toBe(
      'finished',
    );
  });

  test('needs the right to it, and an existing record', async () => {
    const id = await make(worker);
    expect((await refusal(writer.transition(worker, project(), id, 'drop', { reason: 'x' }))).code).toBe('forbidden');
    expect((await refusal(writer.transition(worker, project(), id, 'fly', {}))).code).toBe('not_found');
    expect((await refusal(writer.transition(worker, project(), await make(chief), 'begin', {}))).code).toBe(
      'not_found',
    );
    expect((await writer.transition(worker, project(), id, 'begin', {})).status).toBe(200);
    // A day that a worker may not write is set by the step all the same.
    expect((await writer.transition(worker, project(), id, 'finish', { budget: '1.00' })).status).toBe(200);
    expect((await stored(id))['closed_on']).not.toBeNull();
  });

  test('two at the same time: one moves, the other is told', async () => {
    const id = await make(chief);
    const outcomes = await Promise.allSettled([1, 2].map(() => writer.transition(chief, project(), id, 'begin', {})));
    expect(outcomes.map(({ status }) => status).toSorted(byText)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('deleting', () => {
  test('hides, keeps, and can be undone', async () => {
    const id = await make(worker, { items: [{ label: 'a' }] });
    expect(await writer.remove(worker, project(), id, { ifMatch: 1 })).toMatchObject({
      status: 204,
      body: null,
      version: 2,
    });
    expect((await refusal(writer.update(worker, project(), id, { name: 'y' }))).code).toBe('not_found');
    expect((await refusal(writer.remove(worker, project(), id))).code).toBe('not_found');
    expect(await lab.look(`select from ${schema}.lab_items where project = $1`, [id])).toHaveLength(1);
    expect(data((await writer.restore(worker, project(), id)).body)).toMatchObject({ id, version: 3 });
    expect((await refusal(writer.restore(worker, project(), id))).code).toBe('not_found');
  });

  test('is refused while others refer to it, and counts those that may be seen', async () => {
    const site = (await writer.create(chief, lab.entity('site'), { name: randomUUID() })).id ?? '';
    const first = await make(chief, { site });
    await make(chief, { site });
    const problem = await refusal(writer.remove(chief, lab.entity('site'), site));
    expect(problem).toMatchObject({ code: 'still_referenced', message: '2 Projects still refer to this record.' });
    await writer.remove(chief, project(), first);
    expect((await refusal(writer.remove(chief, lab.entity('site'), site))).message).toBe(
      '1 Project still refers to this record.',
    );
  });

  test('a part is gone for good, by whoever may change its whole', async () => {
    const id = await make(worker, { items: [{ label: 'a' }, { label: 'b' }] });
    const item = lab.entity('item');
    const parts = async () =>
      (await lab.look(`select id from ${schema}.lab_items where project = $1 order by label`, [id])).map((row) =>
        String(row['id']),
      );
    const [a = '', b = ''] = await parts();
    expect((await refusal(writer.remove(await lab.person('worker'), item, a))).code).toBe('not_found');
    expect((await refusal(writer.remove(await lab.person('looker'), item, a))).code).toBe('forbidden');
    expect((await refusal(writer.remove(worker, item, a, { ifMatch: 7 }))).code).toBe('precondition_failed');
    expect(await writer.remove(worker, item, a)).toMatchObject({ status: 204 });
    expect(await parts()).toEqual([b]);
    expect((await refusal(writer.restore(worker, item, a))).code).toBe('not_found');
  });

  test('clears what is to be cleared', async () => {
    const id = await make(chief);
    const memo = (await writer.create(chief, lab.entity('memo'), { text: 't', project: id })).id;
    await writer.remove(chief, project(), id);
    expect(await lab.look(`select project from ${schema}.lab_memos where id = $1`, [memo])).toEqual([
      { project: null },
    ]);
  });

  test('needs the right, the version, and an entity that lets records go', async () => {
    const id = await make(chief);
    expect((await refusal(writer.remove(worker, project(), id))).code).toBe('not_found');
    expect((await refusal(writer.remove(await lab.person('looker'), project(), id))).code).toBe('forbidden');
    expect((await refusal(writer.remove(chief, project(), id, { ifMatch: 9 }))).code).toBe('precondition_failed');
    const memo = (await writer.create(chief, lab.entity('memo'), { text: 't' })).id ?? '';
    expect((await refusal(writer.remove(chief, lab.entity('memo'), memo))).code).toBe('method_not_allowed');
  });
});

describe('an Idempotency-Key', () => {
  test('answers the same request the same way, and does it once', async () => {
    const idempotency = key();
    const name = randomUUID();
    const first = await writer.create(chief, project(), { name }, { idempotency });
    const again = await writer.create(chief, project(), { name }, { idempotency });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await lab.look(`select from ${schema}.lab_projects where name = $1`, [name])).toHaveLength(1);
    const minimal = { idempotency: key(), returning: 'minimal' as const };
    const one = await writer.create(chief, project(), { name }, minimal);
    expect(await writer.create(chief, project(), { name }, minimal)).toEqual({ ...one, replayed: true });
    const many = { idempotency: key() };
    const list = await writer.create(chief, project(), [{ name }, { name }], many);
    expect(await writer.create(chief, project(), [{ name }, { name }], many)).toEqual({ ...list, replayed: true });
  });

  test('of a different request is refused', async () => {
    const idempotency = key();
    const name = randomUUID();
    await writer.create(chief, project(), { name }, { idempotency });
    const other = { ...idempotency, fingerprint: 'f2' };
    expect((await refusal(writer.create(chief, project(), { name: `${name}2` }, { idempotency: other }))).code).toBe(
      'idempotency_mismatch',
    );
    expect(await lab.look(`select from ${schema}.lab_projects where name = $1`, [`${name}2`])).toHaveLength(0);
  });

  test('holds for changes with If-Match, whose version has risen by then', async () => {
    const id = await make(chief);
    const options = { idempotency: key(), ifMatch: 1 };
    const first = await writer.update(chief, project(), id, { name: 'y' }, options);
    expect(await writer.update(chief, project(), id, { name: 'y' }, options)).toEqual({ ...first, replayed: true });
    const removal = { idempotency: key() };
    await writer.remove(chief, project(), id, removal);
    expect(await writer.remove(chief, project(), id, removal)).toMatchObject({ status: 204, replayed: true });
  });

  test('ten at the same time do it once', async () => {
    const idempotency = key();
    const name = randomUUID();
    const results = await Promise.all(
      Array.from({ length: 10 }, () => writer.create(chief, project(), { name }, { idempotency })),
    );
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(results.map(({ body }) => body)).size).toBe(1);
    expect(await lab.look(`select from ${schema}.lab_projects where name = $1`, [name])).toHaveLength(1);
  });

  test('of a refused request may be used again', async () => {
    const idempotency = key();
    expect(
      (await refusal(writer.create(chief, project(), { name: 'x', site: randomUUID() }, { idempotency }))).code,
    ).toBe('invalid');
    expect((await writer.create(chief, project(), { name: 'x' }, { idempotency })).replayed).toBe(false);
  });

  test('belongs to its user', async () => {
    const idempotency = key();
    const first = await writer.create(chief, project(), { name: 'x' }, { idempotency });
    const other = await writer.create(worker, project(), { name: 'x' }, { idempotency });
    expect(other.replayed).toBe(false);
    expect(other.id).not.toBe(first.id);
  });
});

test('a write is one round trip, and one more when it is refused', async () => {
  let trips = 0;
  const counted = new Proxy(lab.database, {
    get: (target, key) => {
      if (key !== 'batch') return Reflect.get(target, key, target);
      return (...args: Parameters<typeof target.batch>) => {
        trips += 1;
        return target.batch(...args);
      };
    },
  });
  const counting = new Writer({ database: counted, ids: systemIds, clock: systemClock });
  const trip = async (work: () => Promise<unknown>): Promise<number> => {
    trips = 0;
    await work().catch(() => {});
    return trips;
  };
  const idempotency = { key: randomUUID(), fingerprint: 'f' };
  const id = await make(chief);
  expect(
    await trip(() => counting.create(worker, project(), { name: 'x', items: [{ label: 'a' }] }, { idempotency })),
  ).toBe(1);
  expect(
    await trip(() =>
      counting.update(chief, project(), id, { name: 'y', items: { create: [{ label: 'a' }] } }, { ifMatch: 1 }),
    ),
  ).toBe(1);
  expect(await trip(() => counting.transition(chief, project(), id, 'begin', {}))).toBe(1);
  expect(await trip(() => counting.update(chief, project(), id, { name: 'y' }, { ifMatch: 1 }))).toBe(2);
  expect(await trip(() => counting.create(chief, project(), { nme: 'y' }))).toBe(0);
});

/** The database, whose first batches end in a deadlock. */
const failing = (times: number) =>
  new Proxy(lab.database, {
    get: (target, key) => {
      if (key !== 'batch') return Reflect.get(target, key, target);
      return async (...args: Parameters<typeof target.batch>) => {
        times -= 1;
        if (times >= 0) throw Object.assign(new pg.DatabaseError('deadlock detected', 0, 'error'), { code: '40P01' });
        return target.batch(...args);
      };
    },
  });

test('two changes that met are tried once more', async () => {
  const id = await make(chief);
  const once = new Writer({ database: failing(1), ids: systemIds, clock: systemClock });
  expect((await once.update(chief, project(), id, { name: 'y' })).version).toBe(2);
  const twice = new Writer({ database: failing(2), ids: systemIds, clock: systemClock });
  expect(await refusal(twice.update(chief, project(), id, { name: 'z' }))).toMatchObject({
    code: 'unavailable',
    retryable: true,
  });
});
