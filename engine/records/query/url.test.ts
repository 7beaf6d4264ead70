import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import { parseCommaList } from './comma-list.ts';
import { parseJsonQuery } from './json.ts';
import { LIMITS } from './query.ts';
import { parseSelect } from './terms.ts';
import { parseUrlQuery } from './url.ts';

function refusal(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const value = (at: string, given: unknown) => ({ kind: 'value', at, value: given });

/** `query`, or `problem`; anything else that is thrown is a defect. */
function outcome(work: () => unknown): string {
  try {
    work();
    return 'query';
  } catch (error) {
    if (error instanceof Problem) return 'problem';
    throw error;
  }
}

describe('filters in the URL', () => {
  it.each([
    ['stage=won', ['stage'], 'eq', value('stage', 'won')],
    ['stage[eq]=won', ['stage'], 'eq', value('stage[eq]', 'won')],
    ['amount[gte]=10000.00', ['amount'], 'gte', value('amount[gte]', '10000.00')],
    ['account.country=DE', ['account', 'country'], 'eq', value('account.country', 'DE')],
    ['a.b.c.d[lt]=1', ['a', 'b', 'c', 'd'], 'lt', value('a.b.c.d[lt]', '1')],
    ['closed_on[null]=true', ['closed_on'], 'null', value('closed_on[null]', true)],
    ['closed_on[null]=false', ['closed_on'], 'null', value('closed_on[null]', false)],
    ['name=', ['name'], 'eq', value('name', '')],
    ['name=a%2Cb%26c', ['name'], 'eq', value('name', 'a,b&c')],
    ['order=1', ['order'], 'eq', value('order', '1')],
  ] as const)('%s', (search, path, operator, right) => {
    expect(parseUrlQuery(search).where).toMatchObject({ kind: 'test', left: { kind: 'path', path }, operator, right });
  });

  it.each([
    ['stage[in]=won,lost', ['won', 'lost']],
    ['amount[between]=1,5', ['1', '5']],
    ['tags[hasAny]=a', ['a']],
    ['name[in]="Smith, J.",Miller', ['Smith, J.', 'Miller']],
    ['name[nin]="say ""hi""",""', ['say "hi"', '']],
    ['name[in]=', ['']],
    ['name[in]=a,,b', ['a', '', 'b']],
  ])('%s', (search, members) => {
    const { where } = parseUrlQuery(search);
    expect(
      where?.kind === 'test' && where.right.kind === 'list'
        ? where.right.of.map((each) => (each.kind === 'value' ? each.value : null))
        : null,
    ).toEqual(members);
  });

  it('joins them by and', () => {
    expect(parseUrlQuery('amount[gte]=1&amount[lt]=5')).toMatchObject({
      where: { kind: 'all', of: [{ operator: 'gte' }, { operator: 'lt' }] },
    });
    expect(parseUrlQuery('')).toMatchObject({ where: null, first: 50, count: 'none' });
  });
});

describe('controls', () => {
  it('reads them', () => {
    const query = parseUrlQuery(
      '$select=id,name,account(id,name),lines(id,product(name))&$order=-amount,name,account.name&$first=20&$count=capped&$search=%20acme%20&$view=mine',
    );
    expect(query).toMatchObject({ first: 20, count: 'capped', search: [{ word: 'acme', exact: false }], view: 'mine' });
    expect(query.select?.key).toBe('id,name,account(id,name),lines(id,product(name))');
    expect(query.order.map(({ descending, path }) => [descending, path.join('.')])).toEqual([
      [true, 'amount'],
      [false, 'name'],
      [false, 'account.name'],
    ]);
  });

  it('reads groups and aggregates', () => {
    const { summary, order } = parseUrlQuery(
      '$group=stage,month(created_at),c:account.country&$agg=n:count(),total:sum(amount),max(amount)&$order=-total,month(created_at)',
    );
    expect(summary?.group.map(({ name, bucket, path }) => [name, bucket, path.join('.')])).toEqual([
      ['stage', null, 'stage'],
      ['month(created_at)', 'month', 'created_at'],
      ['c', null, 'account.country'],
    ]);
    expect(summary?.aggregate.map(({ name, fn, path }) => [name, fn, path.join('.')])).toEqual([
      ['n', 'count', ''],
      ['total', 'sum', 'amount'],
      ['max(amount)', 'max', 'amount'],
    ]);
    expect(order.map(({ path }) => path[0])).toEqual(['total', 'month(created_at)']);
    expect(parseUrlQuery('$group=stage').summary?.aggregate).toMatchObject([{ name: 'count', fn: 'count' }]);
  });

  it.each([
    ['$first=0', '$first'],
    ['$first=201', '$first'],
    ['$first=x', '$first'],
    ['$first=1.5', '$first'],
    ['$first=', '$first'],
    ['$first=5&$first=6', '$first'],
    ['$offset=-1', '$offset'],
    ['$offset=10001', '$offset'],
    ['$count=all', '$count'],
    ['$deleted=yes', '$deleted'],
    ['$after=a&$before=b', '$before'],
    ['$after=a&$offset=5', '$offset'],
    ['$select=', '$select'],
    ['$select=a,', '$select'],
    ['$select=a(', '$select'],
    ['$select=a()', '$select'],
    ['$select=a)', '$select'],
    ['$select=a(b', '$select'],
    ['$select=a(b))', '$select'],
    ['$select=A', '$select'],
    ['$select=a b', '$select'],
    ['$select=a,a(b)', '$select'],
    ['$select=a%00', '$select'],
    ['$order=', '$order'],
    ['$order=--a', '$order'],
    ['$order=a,', '$order'],
    ['$order=a.b.c.d.e', '$order'],
    ['$order=a,b,c,d,e,f', '$order'],
    ['$order=sum(a)', '$order'],
    ['$group=week(', '$group'],
    ['$group=a&$first=1001', '$first'],
    [`$group=${'a'.repeat(30)}.${'b'.repeat(31)}`, '$group'],
    ['$group=hour(a)', '$group'],
    ['$group=a,b,c,d,e', '$group'],
    ['$group=', '$group'],
    ['$group=x:', '$group'],
    ['$group=X:a', '$group'],
    ['$agg=sum()', '$agg'],
    ['$agg=a', '$agg'],
    ['$agg=median(a)', '$agg'],
    ['$agg=n:count(),n:count()', '$agg'],
    ['$agg=', '$agg'],
    ['$group=a&$first=5&$count=exact', '$count'],
    ['$group=a&$after=x', '$after'],
    ['$group=a&$select=a', '$select'],
    ['$view=', '$view'],
    ['$view=A.B', '$view'],
    [`$search=${'x'.repeat(201)}`, '$search'],
    ['name[in]="a', 'name[in]'],
    ['name[in]=a"b"', 'name[in]'],
    ['name[in]="a"b', 'name[in]'],
    ['name[null]=1', 'name[null]'],
    ['a.b.c.d.e=1', 'a.b.c.d.e'],
    [`a=${'x'.repeat(LIMITS.parameterLength + 1)}`, 'a'],
  ])('refuses %s', (search, parameter) => {
    const { code, errors } = refusal(() => parseUrlQuery(search));
    expect(code).toBe('invalid_parameter');
    expect(errors[0]?.parameter).toBe(parameter);
  });

  it.each([
    ['$frist=5', '$first'],
    ['$limit=5', '$first'],
    ['$SELECT=a', '$select'],
    ['Name=1', undefined],
    ['name]=1', undefined],
    ['name[eq=1', undefined],
    ['na me=1', undefined],
    ['[eq]=1', undefined],
  ])('does not know %s', (search, nearest) => {
    const { code, errors } = refusal(() => parseUrlQuery(search));
    expect(code).toBe('unknown_parameter');
    expect(errors[0]?.params?.nearest).toBe(nearest);
  });

  it('names the operator that was probably meant', () => {
    expect(refusal(() => parseUrlQuery('a[contians]=1'))).toMatchObject({
      code: 'unknown_operator',
      errors: [{ parameter: 'a[contians]', params: { nearest: 'contains' } }],
    });
  });

  it('allows what an address allows', () => {
    expect(refusal(() => parseUrlQuery('$first=1', { controls: ['$select'], filters: false })).code).toBe(
      'unknown_parameter',
    );
    expect(refusal(() => parseUrlQuery('name=1', { controls: ['$select'], filters: false })).code).toBe(
      'unknown_parameter',
    );
  });

  it('keeps selections small', () => {
    expect(parseSelect('a(b(c(d(e))))').key).toBe('a(b(c(d(e))))');
    expect(refusal(() => parseSelect('a(b(c(d(e(f)))))')).code).toBe('invalid_parameter');
    expect(refusal(() => parseSelect(Array.from({ length: 201 }, (_, index) => `f${index}`).join(','))).code).toBe(
      'invalid_parameter',
    );
    expect(refusal(() => parseSelect('a('.repeat(10_000))).code).toBe('invalid_parameter');
  });

  it('is never surprised: whatever comes, a query or a Problem', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(fc.string(), fc.constantFrom('$select', '$order', '$group', '$agg', '$first', 'a[in]', 'a.b')),
            fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab_.,()-:*"[]=$ \n\0'.split('')) })),
          ),
        ),
        (pairs) => {
          expect(outcome(() => parseUrlQuery(new URLSearchParams(pairs)))).toMatch(/^(query|problem)$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives different shapes to different questions', () => {
    const shapes = [
      '',
      '$select=a',
      '$select=a,b',
      '$select=a(b)',
      '$order=a',
      '$order=-a',
      '$first=5',
      '$offset=5',
      '$after=x',
      '$before=x',
      '$count=exact',
      '$view=a',
      '$group=a',
      '$agg=count(a)',
      '$group=month(a)',
      '$group=m:month(a)',
      '$deleted=only',
    ].map((search) => parseUrlQuery(search).shape);
    expect(new Set(shapes).size).toBe(shapes.length);
    expect(parseUrlQuery('$after=x&a=1').shape).toBe(parseUrlQuery('$after=y&a=2').shape);
  });
});

describe('comma lists', () => {
  it('come back as they were written', () => {
    const write = (members: readonly string[]): string =>
      members.map((member) => (/[",]/.test(member) ? `"${member.replaceAll('"', '""')}"` : member)).join(',');
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', ' ', 'ß') }), { minLength: 1 }),
        (members) => {
          expect(parseCommaList(write(members), 'x')).toEqual(members);
        },
      ),
    );
  });
});

describe('the JSON form', () => {
  it('means what the URL means', () => {
    const url = parseUrlQuery(
      'stage[in]=won,lost&account.country=DE&$select=id,account(id,name),lines(id)&$order=-amount,name&$first=5&$count=exact&$search=x&$view=mine',
    );
    const json = parseJsonQuery({
      where: { stage: { in: ['won', 'lost'] }, account: { country: { eq: 'DE' } } },
      select: ['id', { account: ['id', 'name'] }, { lines: { select: ['id'] } }],
      order: ['-amount', 'name'],
      first: 5,
      count: 'exact',
      search: 'x',
      view: 'mine',
      after: null,
    });
    expect(json.shape).toBe(url.shape);
    expect(json.fromText).toBe(false);
    const plain = (query: unknown): unknown =>
      JSON.parse(JSON.stringify(query, (key, each: unknown) => (key === 'at' ? undefined : each)));
    expect(plain(json.where)).toEqual(plain(url.where));
    expect(plain(parseJsonQuery({ group: ['stage'], aggregate: ['n:count()'], order: ['-n'] }).summary)).toEqual(
      plain(parseUrlQuery('$group=stage&$agg=n:count()&$order=-n').summary),
    );
  });

  it.each([
    [[], ''],
    [null, ''],
    ['x', ''],
    [{ where: 5 }, '/where'],
    [{ where: { a: { xx: 1, eq: {} } } }, '/where/a/eq'],
    [{ select: 'id' }, '/select'],
    [{ select: [] }, '/select'],
    [{ select: ['A'] }, '/select/0'],
    [{ select: [{}] }, '/select/0'],
    [{ select: [{ a: ['b', 'C'] }] }, '/select/0/a/1'],
    [{ select: [{ a: { select: ['b'], first: 501 } }] }, '/select/0/a/first'],
    [{ order: 'a' }, '/order'],
    [{ order: [5] }, '/order/0'],
    [{ order: ['A'] }, '/order/0'],
    [{ first: '5' }, '/first'],
    [{ first: 201 }, '/first'],
    [{ offset: -1 }, '/offset'],
    [{ after: 5 }, '/after'],
    [{ count: true }, '/count'],
    [{ search: {} }, '/search'],
    [{ view: '$' }, '/view'],
    [{ group: [] }, '/group'],
    [{ aggregate: ['x'] }, '/aggregate/0'],
    [{ after: 'a', before: 'b' }, '/before'],
    [{ group: ['a'], select: ['a'] }, '/select'],
  ])('refuses %j', (body, pointer) => {
    const { code, errors } = refusal(() => parseJsonQuery(body));
    expect(code).toBe('invalid_parameter');
    expect(errors[0]?.pointer).toBe(pointer);
  });

  it('names what was probably meant', () => {
    expect(refusal(() => parseJsonQuery({ selct: ['a'] }))).toMatchObject({
      code: 'unknown_parameter',
      errors: [{ pointer: '/selct', params: { nearest: 'select' } }],
    });
    expect(refusal(() => parseJsonQuery({ select: [{ a: { select: ['b'], frist: 5 } }] }))).toMatchObject({
      errors: [{ pointer: '/select/0/a/frist', params: { nearest: 'first' } }],
    });
  });

  it('is never surprised', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            where: fc.jsonValue(),
            select: fc.jsonValue(),
            order: fc.jsonValue(),
            group: fc.jsonValue(),
            first: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        (body) => {
          expect(outcome(() => parseJsonQuery(body))).toMatch(/^(query|problem)$/);
        },
      ),
      { numRuns: 300 },
    );
  });
});
