import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Problem } from '#engine/problem.ts';
import { refusal } from '#tests/support/refusal.ts';
import { dataIn, writingLab } from '#tests/support/writing-lab.ts';

const { lab, writer, chief, worker, project } = await writingLab();
const data = dataIn;
const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);

/** What a client is told of a refusal. */
const told = (problem: Problem | undefined) => [problem?.code, problem?.message, problem?.errors];

describe('one record', () => {
  test('is stored with defaults, state, owner and currency, and answered as it is', async () => {
    const result = await writer.create(chief, project(), {
      name: '  Ring  ',
      budget: '1200.5',
      starts_on: '2026-02-28',
      meets_at: '2026-02-28T10:00:00+02:00',
      words: ['a', 'b"c'],
      urgent: true,
      kind: 'outer',
    });
    expect(result).toMatchObject({ status: 201, version: 1, replayed: false });
    expect(data(result.body)).toMatchObject({
      id: result.id,
      version: 1,
      name: 'Ring',
      budget: '1200.50',
      budget_currency: 'EUR',
      effort: 1,
      twice: 2,
      stage: 'planned',
      owner: chief.principal.userId,
      created_by: chief.principal.userId,
      starts_on: '2026-02-28',
      words: ['a', 'b"c'],
      urgent: true,
      number: 'P-00001',
    });
  });

  test('everything that is wrong is told at once, where it is', async () => {
    const problem = await refusal(
      writer.create(chief, project(), {
        naem: 'x',
        budget: 12,
        effort: 1001,
        starts_on: '2026-02-30',
        kind: 'middle',
        id: randomUUID(),
        words: 'a',
        'na"me;drop': 1,
      }),
    );
    expect(problem.code).toBe('invalid');
    const byPointer = Object.fromEntries(problem.errors.map((error) => [error.pointer, error]));
    expect(byPointer['/naem']).toMatchObject({ code: 'unknown_field', params: { nearest: 'name' } });
    expect(byPointer['/name']).toMatchObject({ code: 'required', message: 'Name is required.' });
    expect(byPointer['/budget']?.message).toContain('Budget must be a number with at most 2 decimals');
    expect(byPointer['/effort']?.message).toBe('Effort must be at most 1000.');
    expect(byPointer['/starts_on']?.code).toBe('date');
    expect(byPointer['/kind']?.message).toBe('Kind must be one of: inner, outer.');
    expect(byPointer['/id']?.code).toBe('read_only');
    expect(byPointer['/words']?.message).toBe('Words must be a list of texts.');
    expect(byPointer['/na"me;drop']?.code).toBe('unknown_field');
  });

  test.each([
    ['an amount beyond its digits', { budget: '123456789012345678901.00' }, '/budget'],
    ['too many decimals', { budget: '1.005' }, '/budget'],
    ['null for what is required', { name: null }, '/name'],
    ['only spaces for what is required', { name: '   ' }, '/name'],
    ['a NUL byte', { secret: 'a\u0000b' }, '/secret'],
    ['a date-time without offset', { meets_at: '2026-01-01T10:00:00' }, '/meets_at'],
    ['a state it may not begin in', { stage: 'finished' }, '/stage'],
    ['an object for a text', { secret: { a: 1 } }, '/secret'],
    ['no id', { site: 'abc' }, '/site'],
  ])('refuses %s', async (_, body, pointer) => {
    const problem = await refusal(writer.create(chief, project(), { name: 'x', ...body }));
    expect(problem.status).toBe(422);
    expect(problem.errors.map((error) => error.pointer)).toContain(pointer);
  });

  test.each([
    ['a list', [[]]],
    ['a text', 'x'],
    ['null', null],
  ])('refuses %s instead of an object', async (_, body) => {
    expect((await refusal(writer.create(chief, project(), body))).status).toBe(422);
  });

  test('a hidden reference is refused in the same words as a missing one', async () => {
    const hidden = (await writer.create(chief, lab.entity('site'), { name: `S ${randomUUID()}` })).id;
    const [a, b] = await Promise.all(
      [hidden, randomUUID()].map((site) => refusal(writer.create(worker, project(), { name: 'x', site }))),
    );
    expect(a).toMatchObject({ code: 'invalid', errors: [{ pointer: '/site', code: 'reference' }] });
    expect(told(a)).toEqual(told(b));
    const own = (await writer.create(worker, lab.entity('site'), { name: `S ${randomUUID()}` })).id;
    expect((await writer.create(worker, project(), { name: 'x', site: own })).status).toBe(201);
  });

  test('a value that must be unique names its field', async () => {
    const code = randomUUID().slice(0, 8);
    await writer.create(chief, project(), { name: 'x', code });
    expect(await refusal(writer.create(chief, project(), { name: 'y', code }))).toMatchObject({
      code: 'unique',
      message: 'Code is already used by another record.',
      errors: [{ pointer: '/code' }],
    });
  });
});

describe('rights', () => {
  test('a hidden field equals a missing one', async () => {
    const [hidden, missing] = await Promise.all(
      ['secret', 'nothing'].map((key) => refusal(writer.create(worker, project(), { name: 'x', [key]: 'y' }))),
    );
    expect(hidden?.errors[0]).toMatchObject({ code: 'unknown_field', pointer: '/secret' });
    expect(missing?.errors[0]?.message).toBe(hidden?.errors[0]?.message.replace('secret', 'nothing'));
  });

  test('a field that may be read only is called by its name', async () => {
    const problem = await refusal(writer.create(worker, project(), { name: 'x', budget: '1.00' }));
    expect(problem.errors).toMatchObject([
      { code: 'read_only', pointer: '/budget', message: 'Budget cannot be written here.' },
    ]);
  });

  test('a record must fulfil the condition it is created under', async () => {
    const other = await lab.person('member');
    const problem = await refusal(writer.create(worker, project(), { name: 'x', owner: other.principal.userId }));
    expect(problem).toMatchObject({ code: 'forbidden', errors: [{ pointer: '' }] });
    const unchecked = await refusal(
      writer.create({ ...worker, predicates: false }, project(), { name: 'x', owner: other.principal.userId }),
    );
    expect(unchecked.code).toBe('forbidden');
  });

  test('fields are paired with the condition they were given for', async () => {
    const mixed = await lab.person('mixed');
    expect((await writer.create(mixed, project(), { name: 'x', kind: 'inner' })).status).toBe(201);
    expect((await writer.create(mixed, project(), { name: 'x', effort: 3 })).status).toBe(201);
    expect(await refusal(writer.create(mixed, project(), { name: 'x', kind: 'outer' }))).toMatchObject({
      code: 'forbidden',
    });
    expect(
      await refusal(
        writer.create(mixed, project(), [{ name: 'x' }, { name: 'y', kind: 'inner' }, { name: 'z', kind: 'outer' }]),
      ),
    ).toMatchObject({
      code: 'forbidden',
      errors: [{ pointer: '/2' }],
    });
  });

  test('who may create and not read gets no data', async () => {
    const giver = await lab.person('giver');
    const result = await writer.create(giver, project(), { name: 'gift' });
    expect(result).toMatchObject({ status: 201, body: '{"data":null}' });
    expect(
      await lab.look(`select name from ${lab.tenant.names.schema}.lab_projects where id = $1`, [result.id]),
    ).toEqual([{ name: 'gift' }]);
  });

  test('who may neither create nor read learns nothing', async () => {
    const member = await lab.person('member');
    const looker = await lab.person('looker');
    expect((await refusal(writer.create(member, project(), { name: 'x' }))).code).toBe('not_found');
    expect((await refusal(writer.create(looker, project(), { name: 'x' }))).code).toBe('forbidden');
  });
});

describe('many records', () => {
  test('a thousand are stored at once, in their order', async () => {
    const bodies = Array.from({ length: 1000 }, (_, index) => ({
      name: `n${index}`,
      ...(index % 2 ? { budget: '5', words: ['x,y'.slice(0, 1)] } : {}),
    }));
    const result = await writer.create(chief, project(), bodies);
    const ids: { id: string; version: number }[] = data(result.body);
    expect(ids).toHaveLength(1000);
    const rows = await lab.look(
      `select id, name, budget, budget_currency, effort from ${lab.tenant.names.schema}.lab_projects where id = any($1)`,
      [ids.map(({ id }) => id)],
    );
    const byId = new Map(rows.map((row) => [row['id'], row]));
    expect(byId.get(ids[7]?.id)).toMatchObject({ name: 'n7', budget: '5.00', budget_currency: 'EUR', effort: '1' });
  });

  test('one bad record keeps all out, and is pointed at', async () => {
    const marker = randomUUID();
    const bodies = [{ name: marker }, { name: marker, effort: -1 }, { name: marker }, { budget: true }];
    const problem = await refusal(writer.create(chief, project(), bodies));
    expect(problem.errors.map((error) => error.pointer)).toEqual(['/1/effort', '/3/name', '/3/budget']);
    const missing = randomUUID();
    const reference = await refusal(
      writer.create(chief, project(), [{ name: marker }, { name: marker, site: missing }]),
    );
    expect(reference.errors).toMatchObject([{ pointer: '/1/site' }]);
    expect(
      await lab.look(`select from ${lab.tenant.names.schema}.lab_projects where name = $1`, [marker]),
    ).toHaveLength(0);
  });

  test('neither none nor too many', async () => {
    expect((await refusal(writer.create(chief, project(), []))).status).toBe(422);
    expect(
      (
        await refusal(
          writer.create(
            chief,
            project(),
            Array.from({ length: 1001 }, () => ({})),
          ),
        )
      ).code,
    ).toBe('too_large');
  });
});

describe('parts', () => {
  test('are created with their whole', async () => {
    const result = await writer.create(worker, project(), {
      name: 'kit',
      items: [{ label: 'bolt', pieces: 4 }, { label: 'nut' }],
    });
    const rows = await lab.look(
      `select label, pieces, version from ${lab.tenant.names.schema}.lab_items where project = $1 order by label`,
      [result.id],
    );
    expect(rows).toEqual(
      [
        { label: 'bolt', pieces: '4', version: 1 },
        { label: 'nut', pieces: null, version: 1 },
      ].map((row) => ({ ...row, version: expect.anything() })),
    );
  });

  test('a bad part keeps the whole out', async () => {
    const name = randomUUID();
    const problem = await refusal(
      writer.create(chief, project(), {
        name,
        items: [{ label: 'ok' }, { label: 'x', pieces: 0, project: randomUUID() }, {}],
      }),
    );
    expect(problem.errors.map((error) => error.pointer).toSorted(byText)).toEqual([
      '/items/1/pieces',
      '/items/1/project',
      '/items/2/label',
    ]);
    expect(await lab.look(`select from ${lab.tenant.names.schema}.lab_projects where name = $1`, [name])).toHaveLength(
      0,
    );
  });

  test('belong to those who may change the whole', async () => {
    const starter = await lab.person('starter');
    expect((await writer.create(starter, project(), { name: 'gift' })).status).toBe(201);
    const problem = await refusal(writer.create(starter, project(), { name: 'gift', items: [{ label: 'ribbon' }] }));
    expect(problem.errors).toMatchObject([{ code: 'read_only', pointer: '/items' }]);
  });
});
