import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseJsonQuery } from '../query/json.ts';
import { parseUrlQuery } from '../query/url.ts';
import { refusal } from '#tests/support/refusal.ts';
import { dataIn, writingLab } from '#tests/support/writing-lab.ts';
import type { Scope } from '../scope.ts';
import type { ManyOptions } from './many.ts';

const { lab, writer, chief, worker, schema, project } = await writingLab();

/** Some projects of one group, which their `reason` names. */
const some = async (count: number, scope: Scope, values: Record<string, unknown> = {}): Promise<[string, string[]]> => {
  const group = randomUUID().slice(0, 8);
  const rows = Array.from({ length: count }, (_, n) => ({ name: `n${n}`, reason: group, ...values }));
  const { body } = await writer.create(scope, project(), rows);
  return [group, dataIn(body).map(({ id }: { id: string }) => id)];
};
const of = (group: string) => parseUrlQuery(`reason=${group}`, { controls: [] });
const stored = (group: string) =>
  lab.look(`select * from ${schema}.lab_projects where reason = $1 order by name`, [group]);
const change = (scope: Scope, group: string, values: unknown, options: ManyOptions = {}) =>
  writer.updateMany(scope, project(), of(group), values, options);

describe('changing all that match', () => {
  test('changes them, with version, history and outbox of each', async () => {
    const [group, ids] = await some(3, chief);
    await writer.update(chief, project(), ids[0] ?? '', { effort: 5 });
    const result = await change(chief, group, { effort: 5 });
    // The first has the value already.
    expect(result.status).toBe(200);
    expect(dataIn(result.body).affected).toBe(2);
    expect(new Set(dataIn(result.body).ids)).toEqual(new Set(ids.slice(1)));
    expect((await stored(group)).map((row) => [row['effort'], row['version']])).toEqual([
      ['5', '2'],
      ['5', '2'],
      ['5', '2'],
    ]);
    const history = `select count(*)::int as n from ${schema}.h_lab_projects where record_id = any($1)`;
    expect(await lab.look(history, [ids])).toEqual([{ n: 3 }]);
    const outbox = `select count(*)::int as n from armature.outbox where record_id = any($1) and operation = 'update'`;
    expect(await lab.look(outbox, [ids])).toEqual([{ n: 3 }]);
  });

  test('takes the filter as JSON, over references too', async () => {
    const site = (await writer.create(chief, lab.entity('site'), { name: randomUUID(), region: 'north' })).id;
    const [group] = await some(2, chief, { site });
    const query = parseJsonQuery({ where: { reason: group, site: { region: 'north' } } });
    expect(dataIn((await writer.updateMany(chief, project(), query, { urgent: true })).body).affected).toBe(2);
    const none = parseJsonQuery({ where: { reason: group, site: { region: 'south' } } });
    expect(dataIn((await writer.updateMany(chief, project(), none, { urgent: false })).body)).toEqual({
      affected: 0,
      ids: [],
    });
  });

  test.each([
    ['{}', {}],
    ['nothing', null],
    ['an empty conjunction', { and: [] }],
    ['what holds for all', { or: [{ and: [] }, { name: 'x' }] }],
    ['a double negation', { not: { not: { and: [] } } }],
  ])('refuses a filter that says nothing: %s', async (_, where) => {
    const problem = await refusal(writer.updateMany(chief, project(), parseJsonQuery({ where }), { effort: 1 }));
    expect([problem.status, problem.errors[0]?.pointer]).toEqual([400, '/where']);
    expect((await refusal(writer.updateMany(chief, project(), parseUrlQuery(''), { effort: 1 }))).status).toBe(400);
  });

  test('changes nothing when more match than may, and says how many at least', async () => {
    const [group] = await some(101, chief);
    const problem = await refusal(change(chief, group, { effort: 9 }));
    expect(problem).toMatchObject({ code: 'max_affected', errors: [{ params: { atLeast: 101, max: 100 } }] });
    expect(problem.message).toContain('At least 101 records match');
    expect((await refusal(change(chief, group, { effort: 9 }, { maxAffected: 5 }))).errors[0]?.params).toMatchObject({
      atLeast: 6,
    });
    expect(new Set((await stored(group)).map((row) => row['effort']))).toEqual(new Set(['1']));
    expect(dataIn((await change(chief, group, { effort: 9 }, { maxAffected: 101 })).body).affected).toBe(101);
  });

  test('checks what is sent as for one record', async () => {
    const [group] = await some(1, chief);
    const problem = await refusal(change(chief, group, { effort: -1, nam: 'x', items: { create: [] } }));
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(['/nam', '/effort', '/items']);
    expect((await refusal(change(chief, group, {}))).status).toBe(422);
    const reference = await refusal(change(chief, group, { site: randomUUID() }));
    expect(reference.errors).toMatchObject([{ pointer: '/site', code: 'reference' }]);
  });

  test('sees only what the person sees, and refuses all for one that may not be changed', async () => {
    for (const predicates of [true, false]) {
      const [group, ids] = await some(2, chief, { kind: 'outer' });
      const [mine] = await some(1, worker);
      await lab.look(`update ${schema}.lab_projects set reason = $1 where reason = $2`, [group, mine]);
      expect(dataIn((await change({ ...worker, predicates }, group, { effort: 8 })).body).affected).toBe(1);
      expect((await stored(group)).map((row) => String(row['effort'])).sort()).toEqual(['1', '1', '8']);
      // Filtering by what is hidden is not possible.
      await lab.look(`update ${schema}.lab_projects set secret = 'x' where id = $1`, [ids[0]]);
      const hidden = parseUrlQuery('secret=x', { controls: [] });
      expect((await refusal(writer.updateMany({ ...worker, predicates }, project(), hidden, { effort: 2 }))).code).toBe(
        'unknown_field',
      );
      const mixed = { ...(await lab.person('mixed')), predicates };
      expect((await refusal(change(mixed, group, { name: 'x' }))).code).toBe('forbidden');
      await lab.look(`update ${schema}.lab_projects set kind = 'inner' where id = $1`, [ids[0]]);
      expect((await refusal(change(mixed, group, { name: 'x' }))).code).toBe('forbidden');
      expect((await stored(group)).some((row) => row['name'] === 'x')).toBe(false);
      expect((await refusal(change(await lab.person('looker'), group, { effort: 2 }))).code).toBe('forbidden');
      expect((await refusal(change(await lab.person('member'), group, { effort: 2 }))).code).toBe('not_found');
    }
  });

  test('at the same time as others loses no change', async () => {
    const [group, ids] = await some(20, chief);
    const singles = ids.map((id) => writer.update(chief, project(), id, { urgent: true }));
    const many = [1, 2, 3].map((n) => change(chief, group, { effort: n + 10 }));
    const outcomes = await Promise.allSettled([...singles, ...many]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    const rows = await stored(group);
    expect(rows.every((row) => row['urgent'] === true)).toBe(true);
    // Whole or not at all: the last one has changed all of them.
    expect(new Set(rows.map((row) => row['effort'])).size).toBe(1);
    expect(new Set(rows.map((row) => row['version']))).toEqual(new Set(['5']));
  });

  test('is done once with one Idempotency-Key', async () => {
    const [group] = await some(2, chief);
    const idempotency = { key: randomUUID(), fingerprint: 'f' };
    const first = await change(chief, group, { effort: 3 }, { idempotency });
    expect(await change(chief, group, { effort: 3 }, { idempotency })).toEqual({ ...first, replayed: true });
    const other = { idempotency: { ...idempotency, fingerprint: 'g' } };
    expect((await refusal(change(chief, group, { effort: 4 }, other))).code).toBe('idempotency_mismatch');
  });
});

describe('deleting all that match', () => {
  const remove = (scope: Scope, group: string, options: ManyOptions = {}) =>
    writer.removeMany(scope, project(), of(group), options);

  test('marks them, clears what refers to them, and can be undone', async () => {
    const [group, ids] = await some(3, chief);
    const memo = (await writer.create(chief, lab.entity('memo'), { text: 't', project: ids[1] })).id;
    expect(dataIn((await remove(chief, group)).body).affected).toBe(3);
    expect(await lab.look(`select project from ${schema}.lab_memos where id = $1`, [memo])).toEqual([
      { project: null },
    ]);
    expect((await stored(group)).every((row) => row['deleted_at'] !== null)).toBe(true);
    expect(dataIn((await remove(chief, group)).body).affected).toBe(0);
    expect((await writer.restore(chief, project(), ids[0] ?? '')).status).toBe(200);
  });

  test('is refused whole while one is referred to, or may not be deleted', async () => {
    const region = randomUUID().slice(0, 8);
    const sites = lab.entity('site');
    const made = await writer.create(chief, sites, [
      { name: randomUUID(), region },
      { name: randomUUID(), region },
    ]);
    await some(2, chief, { site: dataIn(made.body)[1].id });
    const query = parseUrlQuery(`region=${region}`, { controls: [] });
    expect(await refusal(writer.removeMany(chief, sites, query))).toMatchObject({
      code: 'still_referenced',
      message: '2 Projects still refer to this record.',
    });
    expect(
      await lab.look(`select from ${schema}.lab_sites where region = $1 and deleted_at is null`, [region]),
    ).toHaveLength(2);
    const [group] = await some(1, chief);
    expect((await refusal(remove(await lab.person('looker'), group))).code).toBe('forbidden');
    expect(dataIn((await remove(worker, group)).body).affected).toBe(0);
    const memos = parseUrlQuery('text=t', { controls: [] });
    expect((await refusal(writer.removeMany(chief, lab.entity('memo'), memos))).code).toBe('method_not_allowed');
  });

  test('really deletes parts', async () => {
    const made = await writer.create(chief, project(), { name: 'w', items: [{ label: 'a' }, { label: 'b' }] });
    const item = lab.entity('item');
    const query = parseUrlQuery(`project=${made.id}&label=a`, { controls: [] });
    expect(dataIn((await writer.removeMany(chief, item, query)).body).affected).toBe(1);
    expect(await lab.look(`select label from ${schema}.lab_items where project = $1`, [made.id])).toEqual([
      { label: 'b' },
    ]);
  });
});

describe('a step of all that match', () => {
  const step = (scope: Scope, group: string, action: string, values: unknown = {}) =>
    writer.transitionMany(scope, project(), of(group), action, values);

  test('is taken by all', async () => {
    const [group] = await some(3, chief, { budget: '5.00' });
    expect(dataIn((await step(chief, group, 'begin')).body).affected).toBe(3);
    expect(dataIn((await step(chief, group, 'finish')).body).affected).toBe(3);
    const rows = await stored(group);
    expect(rows.every((row) => row['stage'] === 'finished' && row['closed_on'] !== null)).toBe(true);
  });

  test('or by none: state, required fields, guard, right', async () => {
    const [group, ids] = await some(2, chief);
    await writer.transition(chief, project(), ids[0] ?? '', 'begin', {});
    expect(await refusal(step(chief, group, 'begin'))).toMatchObject({
      code: 'transition_refused',
      errors: [{ code: 'transition_refused', params: { state: 'running', id: ids[0] } }],
    });
    await writer.transition(chief, project(), ids[1] ?? '', 'begin', {});
    expect((await refusal(step(chief, group, 'finish'))).errors).toMatchObject([
      { pointer: '/budget' },
      { pointer: '' },
    ]);
    expect((await refusal(step(chief, group, 'finish', { budget: '0.00' }))).message).toBe(
      'A finished project has cost something.',
    );
    expect((await refusal(step(chief, group, 'fly'))).code).toBe('not_found');
    expect((await refusal(step(worker, group, 'drop', { reason: 'x' }))).code).toBe('forbidden');
    expect(new Set((await stored(group)).map((row) => row['stage']))).toEqual(new Set(['running']));
  });
});
