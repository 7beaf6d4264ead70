import { describe, expect, it } from 'vitest';
import { type Condition, FALSE, TRUE } from './condition.ts';
import { parseCondition, parseShortConditions } from './parse.ts';
import { type ResolveOptions, resolveCondition } from './resolve.ts';
import { lookup, THING } from './testing/entities.ts';
import { refusal } from './testing/refusal.ts';

const resolve = (json: unknown, options?: ResolveOptions): Condition =>
  resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup, options);

const refused = (json: unknown, options?: ResolveOptions) => refusal(() => resolve(json, options));

const right = (json: unknown, options?: ResolveOptions) => {
  const condition = resolve(json, options);
  return condition.kind === 'test' ? condition.right : condition;
};

describe('paths', () => {
  it('become steps with their tables', () => {
    expect(resolve({ box: { shelf: { room: 'A' } } })).toEqual({
      kind: 'test',
      left: {
        kind: 'field',
        type: 'text',
        steps: [
          { field: 'box', fieldId: 'f_box', entity: 'lab.box', table: 'lab_boxs' },
          { field: 'shelf', fieldId: 'f_shelf', entity: 'lab.shelf', table: 'lab_shelfs' },
        ],
        field: 'room',
        fieldId: 'f_room',
      },
      operator: 'eq',
      right: { kind: 'literal', type: 'text', value: 'A' },
    });
  });

  it('lead nowhere through texts and lists', () => {
    expect(refused({ name: { length: { eq: 1 } } }).errors[0]).toMatchObject({
      code: 'invalid',
      pointer: '/name/length/eq',
    });
    expect(refused({ lines: { eq: 1 } }).errors[0]?.message).toContain('holds no single value');
  });

  it('end after three references', () => {
    const json = { fact: 'a', path: '$.b.c.d.e', operator: 'equal', value: 1 };
    expect(refused(json).errors[0]?.message).toContain('at most 3 references');
  });
});

describe('an unknown field', () => {
  it('is refused with the nearest one', () => {
    const problem = refused({ amuont: '5' });
    expect(problem.code).toBe('unknown_field');
    expect(problem.errors[0]).toMatchObject({
      code: 'unknown_field',
      pointer: '/amuont',
      params: { nearest: 'amount' },
    });
  });

  it('suggests a parameter where one was meant, and says the name alone', () => {
    const controls = ['$first', '$select'];
    const [meant] = refused({ first: '5' }, { controls }).errors;
    expect(meant?.params).toMatchObject({ nearest: '$first' });
    expect(meant?.message).toMatch(/^"first" is not a field of \S+\. Did you mean "\$first"\?$/);
    expect(refused({ selct: '5' }, { controls }).errors[0]?.params).toMatchObject({ nearest: '$select' });
  });

  it('and a hidden one are told apart by nothing', () => {
    const hidden = refused(
      { note: 'x', box: { weight: '1' } },
      { visible: (_, field) => !['note', 'weight'].includes(field.key) },
    );
    const THING_WITHOUT = { ...THING, fields: new Map([...THING.fields].filter(([key]) => key !== 'note')) };
    const missing = refusal(() =>
      resolveCondition(parseCondition({ note: 'x' }, { pointer: '' }), THING_WITHOUT, lookup),
    );
    expect(hidden.errors).toHaveLength(2);
    expect(missing.errors[0]).toEqual(hidden.errors[0]);
    // It is not suggested either.
    expect(
      JSON.stringify(refused({ notes: 'x' }, { visible: (_, field) => field.key !== 'note' }).errors),
    ).not.toContain('"note"');
  });

  it('in a document makes the document invalid', () => {
    expect(refused({ amuont: '5' }, { problem: 'invalid_document' }).code).toBe('invalid_document');
  });
});

describe('operators', () => {
  it('belong to types', () => {
    const problem = refused({ done: { gt: true } });
    expect(problem.code).toBe('unknown_operator');
    expect(problem.errors[0]).toMatchObject({ code: 'unknown_operator', pointer: '/done/gt' });
    expect(refused({ tags: { starts: 'a' } }).code).toBe('unknown_operator');
  });

  it('contains is about elements where there are elements', () => {
    expect(resolve({ fact: 'tags', operator: 'contains', value: 'a' })).toMatchObject({ operator: 'has' });
    expect(resolve({ fact: 'name', operator: 'contains', value: 'a' })).toMatchObject({ operator: 'contains' });
    expect(resolve({ fact: 'tags', operator: 'doesNotContain', value: 'a' })).toMatchObject({
      kind: 'not',
      of: { operator: 'has' },
    });
  });
});

describe('literals', () => {
  it.each([
    [{ amount: 10.5 }, '10.5'],
    [{ amount: 123_456_789_012.345 }, '123456789012.345'],
    [{ amount: '12345678901234567.89' }, '12345678901234567.89'],
    [{ amount: '+010.50' }, '10.5'],
    [{ amount: '-0.00' }, '0'],
    [{ count: -0 }, 0],
    [{ seen_at: '2026-01-31T10:00:00+02:00' }, '2026-01-31T08:00:00.000Z'],
    [{ seen_at: '2026-01-31T10:00Z' }, '2026-01-31T10:00:00.000Z'],
    [{ seen_at: '2026-01-31 10:00:00.123456Z' }, '2026-01-31T10:00:00.123Z'],
    [{ owner: '0197A000-0000-7000-8000-000000000001' }, '0197a000-0000-7000-8000-000000000001'],
    [{ due: '2024-02-29' }, '2024-02-29'],
  ])('%j means %j', (json, value) => {
    expect(right(json)).toMatchObject({ kind: 'literal', value });
  });

  it.each([
    [{ amount: 'ten' }],
    [{ amount: '1e5' }],
    [{ amount: Number.POSITIVE_INFINITY }],
    // A JSON number of more digits has lost some before anybody could look.
    [{ amount: Number('12345678901234567.89') }],
    [{ amount: 0.1 + 0.2 }],
    [{ count: 1.5 }],
    [{ count: '5' }],
    [{ count: 2 ** 53 }],
    [{ done: 'true' }],
    [{ due: '2026-02-29' }],
    [{ due: '0000-01-01' }],
    [{ seen_at: '2026-01-31T10:00:00' }],
    [{ seen_at: '2026-01-31T25:00:00Z' }],
    [{ seen_at: '9999-12-31T23:59:59-01:00' }],
    [{ owner: 'me' }],
    [{ name: 5 }],
    [{ name: 'a\0b' }],
    [{ name: '\ud800' }],
    [{ name: { gt: null } }],
    [{ name: { in: [null] } }],
    [{ amount: { between: ['1'] } }],
    [{ amount: { between: '1' } }],
    [{ name: { null: 'yes' } }],
    [{ tags: { hasAny: 'a' } }],
  ])('%j is refused', (json) => {
    expect(refused(json).errors[0]?.code).toBe('invalid');
  });

  it('come as text from a query string', () => {
    const options = { fromText: true };
    expect(right({ count: '5' }, options)).toMatchObject({ value: 5 });
    expect(right({ done: 'false' }, options)).toMatchObject({ value: false });
    expect(resolve({ name: { null: 'true' } }, options)).toMatchObject({ operator: 'null', right: { value: true } });
    expect(refused({ count: '5.0' }, options).code).toBe('invalid_parameter');
  });

  it('must be choices of a choice', () => {
    expect(refused({ stage: 'Won' }).errors[0]).toMatchObject({ params: { nearest: 'won' } });
    expect(refused({ stage: { in: ['won', 'gone'] } }).errors[0]?.pointer).toBe('/stage/in/1');
    expect(() => resolve({ stage: { starts: 'w' } })).not.toThrow();
  });

  it('@me, @today and @now stand for what they say where no such value is possible', () => {
    expect(right({ owner: '@me' })).toMatchObject({ kind: 'user', attribute: 'id' });
    expect(right({ due: { lt: '@today' } })).toEqual({ kind: 'today', type: 'date' });
    expect(right({ seen_at: { lt: '@now' } })).toEqual({ kind: 'now', type: 'datetime' });
    expect(right({ name: '@me' })).toMatchObject({ kind: 'literal', value: '@me' });
    expect(resolve({ owner: { in: ['@me', '0197a000-0000-7000-8000-000000000001'] } })).toMatchObject({
      kind: 'any',
      of: [{ right: { kind: 'user' } }, { right: { kind: 'literal' } }],
    });
  });

  it('null asks for absence', () => {
    expect(resolve({ name: null })).toMatchObject({ operator: 'null', right: { value: true } });
    expect(resolve({ name: { ne: null } })).toMatchObject({ kind: 'not', of: { operator: 'null' } });
  });

  it('in an empty list is never', () => {
    expect(resolve({ name: { in: [] } })).toEqual(FALSE);
    expect(resolve({ name: { nin: [] } })).toEqual(TRUE);
  });
});

describe('two fields', () => {
  it('compare when their types are the same, or both numbers', () => {
    const compare = (fact: string, other: string) => ({ fact, operator: 'lessThan', value: { fact: other } });
    expect(() => resolve(compare('amount', 'limit'))).not.toThrow();
    expect(() => resolve(compare('amount', 'count'))).not.toThrow();
    expect(refused(compare('due', 'seen_at')).errors[0]).toMatchObject({
      pointer: '/value',
      params: { expected: 'date', found: 'datetime' },
    });
    expect(refused(compare('name', 'count')).errors[0]?.code).toBe('invalid');
  });

  it('the user has types too', () => {
    expect(() => resolve({ fact: 'team', operator: 'in', value: { fact: 'user', path: '$.teams' } })).not.toThrow();
    expect(() => resolve({ fact: 'user', path: '$.roles', operator: 'contains', value: 'manager' })).not.toThrow();
    expect(refused({ fact: 'team', operator: 'equal', value: { fact: 'user', path: '$.teams' } }).errors[0]?.code).toBe(
      'invalid',
    );
    expect(
      refused({ fact: 'count', operator: 'equal', value: { fact: 'user', path: '$.level' } }).errors[0]?.code,
    ).toBe('invalid');
  });
});

describe('the short form', () => {
  const short = (json: unknown) => resolveCondition(parseShortConditions(json, { pointer: '' }), THING, lookup);

  it('prefers a field and falls back to the user', () => {
    expect(short({ name: 'x' })).toMatchObject({ left: { kind: 'field', field: 'name' } });
    expect(short({ department: 'sales' })).toMatchObject({
      left: { kind: 'user', attribute: 'department' },
      operator: 'eq',
    });
    expect(short({ department: ['sales', 'service'] })).toMatchObject({
      operator: 'in',
      right: { values: ['sales', 'service'] },
    });
  });
});

describe('a query parameter', () => {
  it('is named where a pointer would be', () => {
    const raw = {
      kind: 'test',
      at: 'count[gt]',
      left: { kind: 'path', at: 'count[gt]', path: ['count'] },
      operator: 'gt',
      right: { kind: 'value', at: 'count[gt]', value: 'x' },
    } as const;
    const problem = refusal(() => resolveCondition(raw, THING, lookup, { fromText: true }));
    expect(problem.errors[0]).toMatchObject({ parameter: 'count[gt]' });
  });
});

describe('the resolved tree', () => {
  it('is frozen all the way down', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(
      frozen(
        resolve({
          or: [{ name: { in: ['a', 'b'] } }, { not: { amount: { between: ['1', '2'] } } }],
          box: { label: 'x' },
        }),
      ),
    ).toBe(true);
  });
});
