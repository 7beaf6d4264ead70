import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Problem } from '#engine/problem.ts';
import { refusal } from '#tests/support/refusal.ts';
import { dataIn, writingLab } from '#tests/support/writing-lab.ts';
import { Writer } from './writer.ts';

const { lab, writer, chief, worker, project } = await writingLab();

const seat = () => lab.entity('seat');
const code = () => randomUUID().slice(0, 12);
const told = (problem: Problem) => [problem.code, problem.message, problem.errors];
const stored = async (key: string) =>
  lab.look(`select * from ${lab.tenant.names.schema}.lab_projects where code = $1`, [key]);

describe('one record', () => {
  test('is created, then changed, then left as it is', async () => {
    const key = code();
    const first = await writer.upsert(chief, project(), ['code'], { code: key, name: 'Ring', stage: 'running' });
    expect([first.status, first.version, dataIn(first.body).stage]).toEqual([201, 1, 'running']);
    const second = await writer.upsert(chief, project(), ['code'], { code: key, name: 'Road', stage: 'running' });
    expect([second.status, second.version, second.id]).toEqual([200, 2, first.id]);
    expect(dataIn(second.body)).toMatchObject({ name: 'Road', code: key });
    // What is given at creation only does not stand in the way of the same request.
    const third = await writer.upsert(chief, project(), ['code'], { code: key, name: 'Road', stage: 'planned' });
    expect([third.status, third.version, dataIn(third.body).stage]).toEqual([200, 2, 'running']);
    const warning = { code: 'left_alone', pointer: '/stage', record: first.id };
    expect(JSON.parse(third.body ?? '')).toMatchObject({ warnings: [warning] });
    expect(await stored(key)).toHaveLength(1);
  });

  test('is found by the value as it is stored, and only by a key', async () => {
    const key = code();
    await writer.upsert(chief, project(), ['code'], { code: `  ${key} `, name: 'a' });
    expect((await writer.upsert(chief, project(), ['code'], { code: key, name: 'b' })).version).toBe(2);
    expect(await refusal(writer.upsert(chief, project(), ['name'], { name: 'x' }))).toMatchObject({
      code: 'invalid_parameter',
      errors: [{ parameter: '$upsert', params: { expected: ['code'] } }],
    });
    const missing = await refusal(writer.upsert(chief, project(), ['code'], { name: 'x' }));
    expect(missing.errors).toMatchObject([{ pointer: '/code', code: 'required' }]);
    expect((await refusal(writer.upsert(chief, project(), ['code'], { code: ' ', name: 'x' }))).status).toBe(422);
  });

  test('by several fields together', async () => {
    const line = code().slice(0, 8);
    const sit = (guest: string, place = 1) => writer.upsert(chief, seat(), ['place', 'line'], { line, place, guest });
    expect((await sit('Ada')).status).toBe(201);
    expect(await sit('Bob')).toMatchObject({ status: 200, version: 2 });
    expect((await sit('Cid', 2)).status).toBe(201);
  });

  test('brings its parts, and changes them when it is there', async () => {
    const key = code();
    const made = await writer.upsert(chief, project(), ['code'], { code: key, name: 'a', items: [{ label: 'x' }] });
    await writer.upsert(chief, project(), ['code'], { code: key, items: { create: [{ label: 'y' }] } });
    const items = `select label from ${lab.tenant.names.schema}.lab_items where project = $1 order by 1`;
    expect(await lab.look(items, [made.id])).toEqual([{ label: 'x' }, { label: 'y' }]);
  });

  test('must exist, or must not, when that is asked', async () => {
    const key = code();
    const body = { code: key, name: 'a' };
    const options = { exists: 'must' } as const;
    expect(await refusal(writer.upsert(chief, project(), ['code'], body, options))).toMatchObject({
      code: 'precondition_failed',
      errors: [{ parameter: 'If-Match' }],
    });
    expect((await writer.upsert(chief, project(), ['code'], body, { exists: 'must_not' })).status).toBe(201);
    expect(await refusal(writer.upsert(chief, project(), ['code'], body, { exists: 'must_not' }))).toMatchObject({
      code: 'precondition_failed',
      errors: [{ parameter: 'If-None-Match' }],
    });
    const change = { code: key, name: 'b' };
    expect((await refusal(writer.upsert(chief, project(), ['code'], change, { ifMatch: 7 }))).code).toBe(
      'precondition_failed',
    );
    expect((await writer.upsert(chief, project(), ['code'], change, { ifMatch: [1, 7] })).version).toBe(2);
  });

  test('needs the right to what it does', async () => {
    const key = code();
    const starter = await lab.person('starter');
    const body = { code: key, name: 'a' };
    expect((await writer.upsert(starter, project(), ['code'], body)).status).toBe(201);
    expect((await refusal(writer.upsert(starter, project(), ['code'], { ...body, name: 'b' }))).code).toBe('forbidden');
    const looker = await lab.person('looker');
    const [there, missing] = await Promise.all(
      [key, code()].map((one) => refusal(writer.upsert(looker, project(), ['code'], { code: one, name: 'b' }))),
    );
    expect([there?.code, missing?.code]).toEqual(['forbidden', 'forbidden']);
    const member = await lab.person('member');
    expect((await refusal(writer.upsert(member, project(), ['code'], body))).code).toBe('not_found');
    // A key that may not be read is none.
    const giver = await lab.person('giver');
    expect((await refusal(writer.upsert(giver, project(), ['code'], body))).code).toBe('invalid_parameter');
    expect((await stored(key))[0]).toMatchObject({ name: 'a', version: '1' });
  });

  test('that is hidden is neither changed nor told of: the answer is that of a creation', async () => {
    for (const predicates of [true, false]) {
      const who = { ...worker, predicates };
      const key = code();
      await writer.create(chief, project(), { code: key, name: 'hidden', effort: 7 });
      const upserted = await refusal(writer.upsert(who, project(), ['code'], { code: key, name: 'mine' }));
      const created = await refusal(writer.create(who, project(), { code: key, name: 'mine' }));
      expect(upserted.code).toBe('unique');
      expect(told(upserted)).toEqual(told(created));
      const must = { exists: 'must' } as const;
      const [hidden, missing] = await Promise.all(
        [key, code()].map((one) => refusal(writer.upsert(who, project(), ['code'], { code: one, name: 'x' }, must))),
      );
      expect(hidden && told(hidden)).toEqual(missing && told(missing));
      expect((await stored(key))[0]).toMatchObject({ name: 'hidden', version: '1' });
    }
  });

  test('is not found by a value that is hidden on it', async () => {
    for (const predicates of [true, false]) {
      const badge = code();
      const line = code().slice(0, 8);
      await writer.create(chief, seat(), { line, place: 1, badge });
      const upserted = writer.upsert({ ...worker, predicates }, seat(), ['badge'], { badge, line: 'z', place: 5 });
      expect((await refusal(upserted)).code).toBe('unique');
      expect(
        (await refusal(writer.upsert(worker, seat(), ['line', 'place'], { line, place: 1, guest: 'me' }))).code,
      ).toBe('unique');
    }
  });

  test('twenty at the same time: one creates, the others change it', async () => {
    const key = code();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => writer.upsert(chief, project(), ['code'], { code: key, name: `n${n}` })),
    );
    expect(results.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(results.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(await stored(key)).toMatchObject([{ version: '20' }]);
  });

  test('is written once with one Idempotency-Key, and answered as the first time', async () => {
    const idempotency = { key: randomUUID(), fingerprint: 'f' };
    const body = { code: code(), name: 'a' };
    const first = await writer.upsert(chief, project(), ['code'], body, { idempotency, exists: 'must_not' });
    const again = await writer.upsert(chief, project(), ['code'], body, { idempotency, exists: 'must_not' });
    expect(again).toEqual({ ...first, replayed: true });
    const other = { idempotency: { ...idempotency, fingerprint: 'g' } };
    expect((await refusal(writer.upsert(chief, project(), ['code'], body, other))).code).toBe('idempotency_mismatch');
  });
});

describe('a list', () => {
  const list = (rows: readonly unknown[], scope = chief, options = {}) =>
    writer.upsert(scope, project(), ['code'], rows, options);

  test('says of each what became of it, in its order', async () => {
    const [a, b, c] = [code(), code(), code()];
    await list([
      { code: b, name: 'b', effort: 3 },
      { code: c, name: 'c' },
    ]);
    const result = await list([
      { code: c, name: 'c' },
      { code: a, name: 'a', items: [{ label: 'x' }] },
      { code: b, name: 'b2' },
    ]);
    expect(result.status).toBe(200);
    expect(dataIn(result.body)).toMatchObject([
      { version: 1, outcome: 'unchanged' },
      { version: 1, outcome: 'created' },
      { version: 2, outcome: 'updated' },
    ]);
    expect((await stored(b))[0]).toMatchObject({ name: 'b2', effort: '3' });
    expect(dataIn(result.body)[1].id).toBe((await stored(a))[0]?.['id']);
    expect(dataIn((await list([{ code: a }])).body)).toMatchObject([{ version: 1, outcome: 'unchanged' }]);
    const steps = await list([
      { code: a, stage: 'planned' },
      { code: b, stage: 'running', owner: worker.principal.userId },
      { code: code(), name: 'd', stage: 'running' },
    ]);
    const { warnings } = JSON.parse(steps.body ?? '') as { warnings: readonly { code: string; pointer: string }[] };
    expect(warnings.map((warning) => [warning.code, warning.pointer])).toEqual([
      ['left_alone', '/1/owner'],
      ['left_alone', '/1/stage'],
    ]);
  });

  test('tells all that is wrong, with its place, and writes nothing then', async () => {
    const [a, b] = [code(), code()];
    await list([{ code: a, name: 'a' }]);
    const problem = await refusal(
      list([
        { code: b, name: 'b' },
        { code: a, effort: -1 },
        { code: code(), nam: 'x' },
        { code: a, items: [{ label: 'x' }] },
      ]),
    );
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(['/3']);
    const rest = await refusal(
      list([{ code: b, name: 'b' }, { code: a, effort: -1, items: [] }, { code: code(), nam: 'x' }, { name: 'y' }]),
    );
    expect(rest.errors.map(({ pointer }) => pointer)).toEqual(['/3/code']);
    const values = await refusal(
      list([
        { code: b, name: 'b' },
        { code: a, effort: -1, items: [] },
        { code: code(), nam: 'x' },
      ]),
    );
    expect(values.errors.map(({ pointer }) => pointer)).toEqual(['/1/effort', '/1/items', '/2/nam', '/2/name']);
    const missing = await refusal(
      list([
        { code: b, name: 'b' },
        { code: a, site: randomUUID() },
      ]),
    );
    expect(missing.errors).toMatchObject([{ pointer: '/1/site', code: 'reference' }]);
    expect(await stored(b)).toHaveLength(0);
    expect((await refusal(list([]))).status).toBe(422);
    expect((await refusal(list(Array.from({ length: 1001 }, () => ({}))))).code).toBe('too_large');
  });

  test('with one hidden record is refused whole, in the words of a creation', async () => {
    for (const predicates of [true, false]) {
      const [hidden, mine] = [code(), code()];
      const who = { ...worker, predicates };
      await writer.create(chief, project(), { code: hidden, name: 'hidden' });
      await list([{ code: mine, name: 'mine' }], who);
      const rows = [
        { code: mine, name: 'changed' },
        { code: hidden, name: 'x' },
      ];
      const created = await refusal(writer.create(who, project(), [{ code: hidden, name: 'x' }]));
      expect(told(await refusal(list(rows, who)))).toEqual(told(created));
      expect((await stored(mine))[0]).toMatchObject({ name: 'mine', version: '1' });
      expect((await stored(hidden))[0]).toMatchObject({ name: 'hidden', version: '1' });
    }
  });

  test('changes only what may be changed: fields pair with the records they were given for', async () => {
    for (const predicates of [true, false]) {
      const mixed = { ...(await lab.person('mixed')), predicates };
      const [inner, outer] = [code(), code()];
      await list([
        { code: inner, name: 'a', kind: 'inner' },
        { code: outer, name: 'b', kind: 'outer' },
      ]);
      expect(dataIn((await list([{ code: inner, name: 'a2' }], mixed)).body)).toMatchObject([{ outcome: 'updated' }]);
      const problem = await refusal(
        list(
          [
            { code: inner, name: 'a3' },
            { code: outer, name: 'b2' },
          ],
          mixed,
        ),
      );
      expect(problem.code).toBe('forbidden');
      expect((await stored(inner))[0]).toMatchObject({ name: 'a2' });
    }
  });

  test('of a thousand is a handful of statements', async () => {
    const sent: Statement[] = [];
    const counted = new Proxy(lab.database, {
      get: (target, name) => {
        if (name !== 'transaction') return Reflect.get(target, name, target);
        return (...[session, work]: Parameters<typeof target.transaction>) =>
          target.transaction(session, (transaction) =>
            work({
              send: (...statements) => {
                sent.push(...statements);
                return transaction.send(...statements);
              },
            }),
          );
      },
    });
    const counting = new Writer({ database: counted, ids: systemIds, clock: systemClock });
    const site = (await writer.create(chief, lab.entity('site'), { name: code() })).id;
    const rows = Array.from({ length: 1000 }, () => ({ code: randomUUID().slice(0, 20), name: 'n', site }));
    await counting.upsert(chief, project(), ['code'], rows.slice(0, 500));
    // Keys, references, the rows.
    expect(sent.splice(0)).toHaveLength(3);
    const result = await counting.upsert(
      chief,
      project(),
      ['code'],
      rows.map((row) => ({ ...row, name: 'm' })),
    );
    // Keys; references and rows of the new ones; references and rows of those that are there.
    expect(sent.splice(0)).toHaveLength(5);
    const outcomes: { outcome: string }[] = dataIn(result.body);
    expect(Map.groupBy(outcomes, ({ outcome }) => outcome).get('updated')).toHaveLength(500);
    expect(Map.groupBy(outcomes, ({ outcome }) => outcome).get('created')).toHaveLength(500);
  });

  test('four at the same time, each in its own order: every record once, every list whole', async () => {
    const keys = Array.from({ length: 60 }, code);
    const rounds = await Promise.all(
      [0, 1, 2, 3].map((n) => {
        const rows = keys.map((one) => ({ code: one, name: `n${n}` }));
        return list(n % 2 === 0 ? rows : rows.toReversed());
      }),
    );
    const outcomes = rounds.flatMap(({ body }): { outcome: string }[] => dataIn(body));
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(60);
    const rows = await lab.look(
      `select version, name from ${lab.tenant.names.schema}.lab_projects where code = any($1)`,
      [keys],
    );
    expect(rows).toHaveLength(60);
    expect(new Set(rows.map((row) => `${String(row['version'])} ${String(row['name'])}`)).size).toBe(1);
  });

  test('is done once with one Idempotency-Key', async () => {
    const idempotency = { key: randomUUID(), fingerprint: 'f' };
    const rows = [{ code: code(), name: 'a' }];
    const results = await Promise.all([1, 2, 3, 4].map(() => list(rows, chief, { idempotency })));
    expect(new Set(results.map(({ body }) => body)).size).toBe(1);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(dataIn(results[0]?.body ?? null)).toMatchObject([{ outcome: 'created' }]);
  });
});
