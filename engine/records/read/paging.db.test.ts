import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { literal, qualified } from '../../db/identifiers.ts';
import { SHARES } from '../../schema/shares.ts';
import { Problem } from '../../problem.ts';
import type { Answer } from './testing/world.ts';
import { ANNA, BEN, id, World } from './testing/world.ts';

const test = await testDatabase();
let world: World;

/** Few different values, many of them missing: ties and NULLs are where pages go wrong. */
beforeAll(async () => {
  world = await World.open(test, true);
  for (const [index, name] of ['Acme', 'Bolton', 'Cobra'].entries()) {
    await world.insert('trade.customer', id(300 + index), { name, country: index === 0 ? null : 'DE', owner: ANNA });
  }
  const pick = (index: number, values: readonly (string | null)[]): string | null =>
    values[index % values.length] ?? null;
  for (let index = 0; index < 40; index += 1) {
    await world.insert('trade.deal', id(1000 + ((index * 7) % 40)), {
      name: pick(index, ['a', 'B', 'ä', 'b']) ?? '',
      rank: pick(index, ['1', null, '2', '2', '3']),
      amount: pick(index, ['1.00', '1.50', null]),
      hot: pick(index, ['t', 'f', null, null]),
      closed_on: pick(index, [null, '2026-01-01', '2026-01-02', null, null]),
      seen_at: pick(index, ['2026-01-01T00:00:00.001Z', '2026-01-01T00:00:00.002Z']),
      customer: pick(index, [null, id(300), id(301), id(302), id(301)]),
      margin: pick(index, ['1.00', '2.00']),
      stage: pick(index, ['open', 'won']),
      owner: pick(index, [ANNA, BEN, null]),
    });
  }
  const owned = async (owner: string): Promise<string[]> =>
    ids(await world.list(world.as('boss'), 'trade.deal', `owner=${owner}&$first=200`)).map(String);
  const bens = await owned(BEN);
  await share([...bens.slice(0, SHARED), ...(await owned(ANNA)).slice(0, 1)], '2100-01-01');
  await share(bens.slice(SHARED, SHARED + 1), '2000-01-01');
});

/** Ben's deals that are shared with Anna, besides one that is no longer and one of her own. */
const SHARED = 9;

async function share(deals: readonly string[], until: string): Promise<void> {
  const entity = literal(world.entity('trade.deal').id);
  await world.query(
    `insert into ${qualified(world.tenant.names.schema, SHARES)} (id, entity, record, "user", level, until, created_at)
     select gen_random_uuid(), ${entity}, deal, ${literal(ANNA)}, 'read', ${literal(until)}, now() from unnest(array[${deals.map(literal).join(', ')}]::uuid[]) deal`,
  );
}

afterAll(() => world.close());

const fields = [
  'name',
  'rank',
  'amount',
  'hot',
  'closed_on',
  'seen_at',
  'customer.name',
  'customer.country',
  'margin',
  'id',
  'created_at',
  'stage',
];
const orders = fc
  .uniqueArray(fc.constantFrom(...fields), { minLength: 0, maxLength: 4 })
  .chain((chosen) =>
    fc
      .tuple(...chosen.map((field) => fc.boolean().map((down) => (down ? `-${field}` : field))))
      .map((terms) => terms.join(',')),
  );
const filters = fc.constantFrom('', 'rank[null]=false', 'customer.country=DE', 'stage=open', 'name[in]=a,b');

const ids = ({ data }: Answer): unknown[] => data.map((record) => record.id);

describe('pages', () => {
  it('one after the other are the whole, forwards and backwards, in any order, for whoever reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        orders,
        filters,
        fc.integer({ min: 1, max: 17 }),
        fc.constantFrom('boss', 'rep', 'guest'),
        async (order, filter, first, role) => {
          const scope = world.as(role);
          const base = [filter, order === '' ? '' : `$order=${order}`, '$select=id']
            .filter((part) => part !== '')
            .join('&');
          const whole = ids(await world.list(scope, 'trade.deal', `${base}&$first=200`));
          const forwards: unknown[] = [];
          const pages: Answer[] = [];
          for (let page = await world.list(scope, 'trade.deal', `${base}&$first=${first}`); ; ) {
            forwards.push(...ids(page));
            pages.push(page);
            if (page.page.next === null) break;
            page = await world.list(scope, 'trade.deal', `${base}&$first=${first}&$after=${page.page.next}`);
          }
          expect(forwards).toEqual(whole);
          expect(pages.every((page) => page.data.length === first || page === pages.at(-1))).toBe(true);
          const backwards: unknown[] = [
            ...ids(pages.at(-1) ?? { data: [], page: { next: null, prev: null }, count: null }),
          ];
          for (let cursor = pages.at(-1)?.page.prev ?? null; cursor !== null; ) {
            const page = await world.list(scope, 'trade.deal', `${base}&$first=${first}&$before=${cursor}`);
            backwards.unshift(...ids(page));
            cursor = page.page.prev;
          }
          expect(backwards).toEqual(whole);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('have what is one’s own and what is shared, each once, and what is shown of it', async () => {
    const bens = (await world.list(world.as('boss'), 'trade.deal', `owner=${BEN}&$first=200`)).data;
    const mine = ids(await world.list(world.as('boss'), 'trade.deal', `owner=${ANNA}&$first=200`));
    const { data } = await world.list(world.as('guest'), 'trade.deal', '$order=-name&$first=200');
    expect(data.filter(({ owner }) => owner === BEN)).toHaveLength(SHARED);
    expect(data).toHaveLength(mine.length + SHARED);
    expect(new Set(ids({ data, page: { next: null, prev: null }, count: null })).size).toBe(data.length);
    expect(data.every((deal) => (deal['stage'] === 'won' || deal['owner'] === BEN) === (deal['margin'] !== null))).toBe(
      true,
    );
    expect(bens.length).toBeGreaterThan(SHARED + 1);
    const first = await world.list(world.as('guest'), 'trade.deal', '$order=-name&$first=7&$offset=11&$count=exact');
    expect(ids(first)).toEqual(data.slice(11, 18).map(({ id: deal }) => deal));
    expect(first.count).toEqual({ value: data.length, mode: 'exact' });
  });

  it('an offset begins where it says, and leads on by cursor', async () => {
    const whole = ids(await world.list(world.as('boss'), 'trade.deal', '$order=rank,-name&$first=200'));
    const page = await world.list(world.as('boss'), 'trade.deal', '$order=rank,-name&$first=5&$offset=10');
    expect(ids(page)).toEqual(whole.slice(10, 15));
    expect(
      ids(await world.list(world.as('boss'), 'trade.deal', `$order=rank,-name&$first=5&$after=${page.page.next}`)),
    ).toEqual(whole.slice(15, 20));
    expect(
      ids(await world.list(world.as('boss'), 'trade.deal', `$order=rank,-name&$first=5&$before=${page.page.prev}`)),
    ).toEqual(whole.slice(5, 10));
  });

  it('empty values come last, and first when descending', async () => {
    const ranks = async (order: string) =>
      (await world.list(world.as('boss'), 'trade.deal', `$order=${order}&$first=200`)).data.map(
        (record) => record.rank,
      );
    expect((await ranks('rank')).slice(-8)).toEqual(Array(8).fill(null));
    expect((await ranks('-rank')).slice(0, 8)).toEqual(Array(8).fill(null));
  });
});

describe('cursors', () => {
  const list = (query: string, role = 'boss') => world.list(world.as(role), 'trade.deal', query);
  const refused = async (query: string, role = 'boss') => {
    try {
      await list(query, role);
    } catch (error) {
      if (error instanceof Problem) return error.code;
      throw error;
    }
    return 'accepted';
  };

  it('are good for the query they came from alone', async () => {
    const { page } = await list('$order=rank&stage=open&$first=2');
    const next = page.next ?? '';
    expect(await refused(`$order=rank&stage=open&$first=7&$after=${next}`)).toBe('accepted');
    for (const other of [
      '$order=-rank&stage=open',
      '$order=rank,name&stage=open',
      '$order=rank',
      '$order=rank&stage=won',
      '$order=rank&stage=open&$search=a',
      '$order=rank&stage=open&$deleted=only',
    ]) {
      expect([other, await refused(`${other}&$after=${next}`)]).toEqual([other, 'invalid_cursor']);
    }
    expect(await refused(`$order=rank&stage=open&$before=${next}`)).toBe('invalid_cursor');
  });

  it('hold the longest values that are sorted by', async () => {
    const name = '😀'.repeat(200);
    const address = `https://example.com/${'p'.repeat(1900)}`;
    await world.insert('trade.customer', id(390), { name, country: 'DE', owner: ANNA });
    for (const deal of [2001, 2002])
      await world.insert('trade.deal', id(deal), { name, url: address, rank: '7', customer: id(390), owner: ANNA });
    const base = 'rank=7&$order=url,name,customer.name,-customer.country&$first=1&$select=id';
    const first = await list(base);
    const second = await list(`${base}&$after=${first.page.next}`);
    expect([...ids(first), ...ids(second)]).toEqual([id(2002), id(2001)]);
  });

  it('cannot be made up, changed, or carried to another organisation', async () => {
    const { page } = await list('$order=rank&$first=2');
    const next = page.next ?? '';
    const bytes = Buffer.from(next, 'base64url');
    for (let index = 0; index < bytes.length; index += 5) {
      const forged = Buffer.from(bytes);
      forged[index] = (forged[index] ?? 0) ^ 1;
      expect(await refused(`$order=rank&$after=${forged.toString('base64url')}`)).toBe('invalid_cursor');
    }
    for (const made of [
      '',
      'x',
      'AAAA',
      '%00',
      Buffer.from('[1,"after","",["1"]]').toString('base64url'),
      'a'.repeat(5000),
    ]) {
      expect(await refused(`$order=rank&$after=${made}`)).toBe('invalid_cursor');
    }
    const scope = world.as('boss');
    const { parseUrlQuery } = await import('../query/url.ts');
    const foreign = world.reader.list(
      { ...scope, tenant: { ...scope.tenant, key: 'other' } },
      world.entity('trade.deal'),
      parseUrlQuery(`$order=rank&$after=${next}`),
    );
    await expect(foreign).rejects.toMatchObject({ code: 'invalid_cursor' });
  });
});
