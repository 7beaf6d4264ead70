/** The read grammar beyond single comparisons, with the compiler and the row policies, and with either alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { fixedClock } from '../../clock.ts';
import { Problem } from '../../problem.ts';
import { ANNA, BEN, id, World } from './testing/world.ts';

const modes = [
  { title: 'with compiler and policies', published: true, predicates: true },
  { title: 'with the policies alone', published: true, predicates: false },
  { title: 'with the compiler alone', published: false, predicates: true },
];
const databases = await Promise.all(modes.map(() => testDatabase()));

/** The day has begun in Berlin, where the readers are, and nowhere west of it. */
const clock = fixedClock(Date.UTC(2026, 5, 9, 22, 30));

/** Days from today in Berlin. */
function day(offset: number): string {
  return new Date(Date.UTC(2026, 5, 10 + offset)).toISOString().slice(0, 10);
}

describe.each(modes.map((each, index) => ({ ...each, index })))('asking $title', ({ published, predicates, index }) => {
  let world: World;
  beforeAll(async () => {
    const test = databases[index];
    if (test === undefined) throw new TypeError('there is a database for each mode');
    world = await World.open(test, published, clock);
    await world.insert('core.user', ANNA, { name: 'Anna', email: 'anna@example.com', active: 't' });
    await world.insert('core.user', BEN, { name: 'Ben', email: 'ben@example.com', active: 't' });
    await world.insert('trade.product', id(201), { name: 'Bolt', price: '1.50', price_currency: 'EUR' });
    await world.insert('trade.product', id(202), { name: 'Nut', price: '0.25', price_currency: 'EUR' });
    const customers: [string, string, number | null, string, string | null][] = [
      ['Root', 'DE', null, ANNA, null],
      ['Branch', 'FR', 301, ANNA, null],
      // Not Anna's and not German: a representative does not see it, nor what is below through it.
      ['Hidden', 'US', 301, BEN, null],
      ['Leaf', 'DE', 303, BEN, null],
      ['Twig', 'FR', 302, ANNA, null],
      ['Gone', 'DE', 301, ANNA, '2026-01-01'],
    ];
    for (const [at, [name, country, parent, owner, deleted]] of customers.entries()) {
      await world.insert('trade.customer', id(301 + at), {
        name,
        country,
        owner,
        parent: parent === null ? null : id(parent),
        deleted_at: deleted,
        credit: '100.00',
        credit_currency: 'EUR',
      });
    }
    // Round in a circle.
    await world.insert('trade.customer', id(311), { name: 'Hen', country: 'DE', owner: ANNA, parent: id(312) });
    await world.insert('trade.customer', id(312), { name: 'Egg', country: 'DE', owner: ANNA, parent: id(311) });
    const deals: [string, string, number | null, number, string][] = [
      ['Alpha', day(0), 301, 1, '{red,blue}'],
      ['Beta', day(-1), 302, 2, '{red}'],
      ['Gamma', day(-40), 303, 2, '{}'],
      ['Delta', day(3), 304, 9, '{green}'],
      ['Epsilon', '2020-05-05', 305, 5, '{blue,green}'],
    ];
    for (const [at, [name, closed, customer, rank, tags]] of deals.entries()) {
      await world.insert('trade.deal', id(at + 1), {
        name,
        number: `D-000${at}`,
        closed_on: closed,
        seen_at: `${closed}T12:00:00Z`,
        customer: customer === null ? null : id(customer),
        rank: String(rank),
        tags,
        stage: 'open',
        amount: '10.00',
        amount_currency: 'EUR',
        margin: '5.00',
        owner: at === 0 ? ANNA : BEN,
      });
    }
    await world.insert('trade.line', id(401), { deal: id(1), product: id(201), quantity: '3' });
    await world.insert('trade.line', id(402), { deal: id(1), product: id(202), quantity: '9' });
    await world.insert('trade.line', id(403), { deal: id(2), product: null, quantity: '1' });
    await world.insert('trade.line', id(404), { deal: id(2), product: id(201), quantity: '2' });
  });
  afterAll(() => world.close());

  const as = (role: string, user = ANNA) => ({ ...world.as(role, user), predicates });

  async function names(query: string | object, role = 'boss', entity = 'trade.deal'): Promise<unknown[]> {
    const { data } = await world.list(as(role), entity, query);
    return data.map((record) => record.name);
  }

  async function refused(query: string | object, role = 'boss', entity = 'trade.deal'): Promise<Problem> {
    try {
      await world.list(as(role), entity, query);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error('it was not refused');
  }

  const sorted = (query: string): string => `${query}&$order=name`;

  describe('relative dates', () => {
    it.each([
      ['closed_on[within]=today', ['Alpha']],
      ['closed_on[within]=yesterday', ['Beta']],
      ['closed_on[within]=last_2_days', ['Alpha', 'Beta']],
      ['closed_on[within]=next_4_days', ['Alpha', 'Delta']],
      ['seen_at[within]=last_60_days', ['Alpha', 'Beta', 'Gamma']],
      ['$where={"not":{"seen_at":{"within":"last_60_days"}}}', ['Delta', 'Epsilon']],
    ])('%s', async (query, expected) => {
      expect(await names(sorted(query))).toEqual(expected);
    });

    it('are refused with the words there are', async () => {
      expect(await refused('closed_on[within]=last_30_dayz')).toMatchObject({
        code: 'invalid_parameter',
        errors: [{ parameter: 'closed_on[within]' }],
      });
      expect(await refused('name[within]=today')).toMatchObject({ code: 'unknown_operator' });
      expect(await refused({ where: { closed_on: { within: 5 } } })).toMatchObject({
        errors: [{ pointer: '/where/closed_on/within' }],
      });
    });
  });

  describe('patterns and words', () => {
    it.each([
      ['name[like]=%25pha', ['Alpha']],
      ['name[like]=%25PHA', []],
      ['name[ilike]=_L%25', ['Alpha']],
      ['name[search]=psil', ['Epsilon']],
      ['name[search]=el', []],
      ['name[search]=DE', ['Delta']],
      ['name[search]=ét%C3%A4', ['Beta']],
    ])('%s', async (query, expected) => {
      expect(await names(sorted(query))).toEqual(expected);
      expect(await names(sorted(query))).toEqual(expected);
    });

    it('refuse a pattern that ends with a backslash, also where its shape is known', async () => {
      expect(await names('name[like]=a%25')).toEqual([]);
      expect(await refused('name[like]=a\\')).toMatchObject({ code: 'invalid_parameter' });
    });
  });

  describe('arrays', () => {
    it.each([
      ['tags[has]=red', ['Alpha', 'Beta']],
      ['tags[hasAny]=blue,green', ['Alpha', 'Delta', 'Epsilon']],
      ['tags[hasAll]=red,blue', ['Alpha']],
      ['tags[hasAny]=', []],
      ['tags[null]=true', []],
    ])('%s', async (query, expected) => {
      expect(await names(sorted(query))).toEqual(expected);
    });
  });

  describe('trees', () => {
    const under = (top: number): string => sorted(`id[under]=${id(top)}`);

    it('are asked about from a record downwards, itself included, without what is in the bin', async () => {
      expect(await names(under(301), 'boss', 'trade.customer')).toEqual(['Branch', 'Hidden', 'Leaf', 'Root', 'Twig']);
      expect(await names(sorted(`parent[under]=${id(301)}`), 'boss', 'trade.customer')).toEqual([
        'Branch',
        'Hidden',
        'Leaf',
        'Twig',
      ]);
      expect(await names(under(302), 'boss', 'trade.customer')).toEqual(['Branch', 'Twig']);
      expect(await names(under(999), 'boss', 'trade.customer')).toEqual([]);
    });

    it('end where the reader sees nothing: what is below a hidden record is not reached', async () => {
      expect(await names(under(301), 'rep', 'trade.customer')).toEqual(['Branch', 'Root', 'Twig']);
      expect(await names(under(303), 'rep', 'trade.customer')).toEqual([]);
      expect(await names(under(304), 'rep', 'trade.customer')).toEqual(['Leaf']);
    });

    it('that go round in a circle end', async () => {
      expect(await names(under(311), 'boss', 'trade.customer')).toEqual(['Egg', 'Hen']);
    });

    it('are reached over references', async () => {
      expect(await names(sorted(`customer[under]=${id(302)}`))).toEqual(['Beta', 'Epsilon']);
      expect(await names(sorted(`customer[under]=${id(301)}`), 'rep')).toEqual(['Alpha', 'Beta', 'Epsilon']);
    });

    it('are no operator where there is no tree, or where its field is hidden', async () => {
      expect(await refused(`helper[under]=${id(301)}`)).toMatchObject({ code: 'unknown_operator' });
      expect(await refused(`customer[under]=${id(301)}`, 'clerk')).toMatchObject({ code: 'unknown_operator' });
    });
  });

  describe('many records', () => {
    const where = (lines: unknown) => ({ where: { lines }, order: ['name'] });

    it.each([
      [{ some: {} }, ['Alpha', 'Beta']],
      [{ none: {} }, ['Delta', 'Epsilon', 'Gamma']],
      [{ some: { quantity: { gte: 9 } } }, ['Alpha']],
      [{ every: { quantity: { gte: 2 } } }, ['Alpha', 'Delta', 'Epsilon', 'Gamma']],
      [{ some: { product: { name: 'Nut' } } }, ['Alpha']],
      [{ none: { product: null } }, ['Alpha', 'Delta', 'Epsilon', 'Gamma']],
      [{ some: { product: null, quantity: 1 } }, ['Beta']],
      [{ count: 2 }, ['Alpha', 'Beta']],
      [{ count: { lt: 1 } }, ['Delta', 'Epsilon', 'Gamma']],
      [{ some: { deal: { rank: 1 } } }, ['Alpha']],
    ])('%j', async (lines, expected) => {
      expect(await names(where(lines))).toEqual(expected);
    });

    it('come in the URL as well', async () => {
      expect(await names('$where={"lines":{"some":{"quantity":{"gte":9}}}}&rank[lt]=5')).toEqual(['Alpha']);
      expect(await refused('$where={"lines')).toMatchObject({ errors: [{ parameter: '$where' }] });
    });

    it('keep their values, whatever was asked beside them before', async () => {
      const asked = (...ranks: number[]) => ({
        where: { lines: { some: { quantity: { gte: 2 } } }, and: ranks.map((rank) => ({ rank: { ne: rank } })) },
        order: ['name'],
      });
      // Said twice it is one test: the value of the lines must not be taken for the other one.
      expect(await names(asked(2, 2))).toEqual(['Alpha']);
      expect(await names(asked(9, 5))).toEqual(['Alpha', 'Beta']);
      const spelt = (...names: string[]) => ({
        where: { name: { like: 'Alpha' }, and: names.map((name) => ({ name: { ne: name } })) },
      });
      expect(await names(spelt('Alpha', 'Alpha'))).toEqual([]);
      expect(await names(spelt('Beta', 'Gamma'))).toEqual(['Alpha']);
    });

    it('are those that the reader may see', async () => {
      // A clerk sees deals of German customers; the parts of the others are theirs.
      expect(await names(where({ some: {} }), 'clerk')).toEqual(['Alpha']);
      expect(await names(where({ none: {} }), 'clerk')).toEqual(['Delta']);
    });

    it('are refused where there are none, and where what is inside is hidden', async () => {
      expect(await refused(where({ some: { nothing: 1 } }))).toMatchObject({
        code: 'unknown_field',
        errors: [{ pointer: '/where/lines/some/nothing' }],
      });
      expect(await refused({ where: { name: { some: {} } } })).toMatchObject({ code: 'invalid_parameter' });
      expect(await refused({ where: { lines: { count: { contains: 1 } } } })).toMatchObject({
        errors: [{ pointer: '/where/lines/count/contains' }],
      });
      expect(await refused({ where: { lines: { some: { deal: { margin: '1' } } } } }, 'clerk')).toMatchObject({
        code: 'unknown_field',
      });
    });
  });

  describe('inner lists', () => {
    it('have an order, a length and a filter of their own', async () => {
      const select = [
        'name',
        { lines: { select: ['quantity'], where: { quantity: { gte: 2 } }, order: ['-quantity'], first: 1 } },
      ];
      const { data } = await world.list(as('boss'), 'trade.deal', { select, order: ['name'], first: 2 });
      expect(data).toEqual([
        { name: 'Alpha', lines: [{ quantity: 9 }] },
        { name: 'Beta', lines: [{ quantity: 2 }] },
      ]);
      const url = await world.list(
        as('boss'),
        'trade.deal',
        '$select=name,lines(quantity;order=-quantity;first=1)&$order=name&$first=2',
      );
      expect(url.data).toEqual(data);
    });

    it('are filtered by what the reader sees', async () => {
      const query = { select: [{ lines: { select: ['quantity'], where: { deal: { margin: '5.00' } } } }] };
      expect(await refused(query, 'clerk')).toMatchObject({
        code: 'unknown_field',
        errors: [{ pointer: '/select/0/lines/where/deal/margin' }],
      });
    });

    it('have a budget', async () => {
      expect(await names({ select: [{ lines: { first: 500 } }, 'name'], first: 200, order: ['name'] })).toHaveLength(5);
      expect(await refused('$select=lines(id,deal(lines(id)))&$first=50')).toMatchObject({
        code: 'invalid_parameter',
        errors: [{ parameter: '$select', params: { max: 100_000 } }],
      });
    });
  });

  describe('the last', () => {
    const page = async (query: string) => {
      const answer = await world.list(as('boss'), 'trade.deal', `${query}&$order=name&$select=name`);
      return { names: answer.data.map((record) => record.name), page: answer.page };
    };

    it('records of an order, and those before and after a cursor', async () => {
      const last = await page('$last=2');
      expect(last.names).toEqual(['Epsilon', 'Gamma']);
      expect(last.page.next).toBeNull();
      const before = await page(`$last=2&$before=${last.page.prev}`);
      expect(before.names).toEqual(['Beta', 'Delta']);
      expect((await page(`$first=2&$after=${before.page.next}`)).names).toEqual(['Epsilon', 'Gamma']);
      const first = await page('$first=1');
      const after = await page(`$last=3&$after=${first.page.next}`);
      expect(after.names).toEqual(['Delta', 'Epsilon', 'Gamma']);
      const rest = await page(`$last=9&$after=${first.page.next}`);
      expect(rest.names).toEqual(['Beta', 'Delta', 'Epsilon', 'Gamma']);
      expect(rest.page.next).toBeNull();
      expect((await page(`$first=9&$before=${rest.page.prev}`)).names).toEqual(['Alpha']);
    });

    it('and the first at once are refused', async () => {
      expect(await refused('$first=1&$last=1')).toMatchObject({ errors: [{ parameter: '$last' }] });
      expect(await refused({ first: 1, last: 1 })).toMatchObject({ errors: [{ pointer: '/last' }] });
      expect(await refused('$last=1&$offset=1')).toMatchObject({ errors: [{ parameter: '$offset' }] });
    });
  });

  describe('groups', () => {
    const groups = async (query: string | object, role = 'boss') =>
      (await world.list(as(role), 'trade.deal', query)).data;

    it('are chosen by their aggregates', async () => {
      expect(await groups('$group=rank&$agg=n:count()&$having=n[gte]:2')).toEqual([{ rank: 2, n: 2 }]);
      expect(await groups('$group=rank&$agg=n:count(),total:sum(amount)&$having=n:1,total[gt]:5&$order=-rank')).toEqual(
        [
          { rank: 9, n: 1, total: '10.00', total_currency: 'EUR' },
          { rank: 5, n: 1, total: '10.00', total_currency: 'EUR' },
          { rank: 1, n: 1, total: '10.00', total_currency: 'EUR' },
        ],
      );
      expect(
        await groups({
          group: ['rank'],
          aggregate: ['n:count()', 'sum(amount)'],
          having: { or: [{ n: { gt: 1 } }, { 'sum(amount)': { lt: '1' } }] },
        }),
      ).toEqual([{ rank: 2, n: 2, 'sum(amount)': '20.00', 'sum(amount)_currency': 'EUR' }]);
    });

    it('are refused conditions on anything else', async () => {
      expect(await refused('$group=rank&$agg=n:count()&$having=m[gte]:2')).toMatchObject({
        code: 'unknown_field',
        errors: [{ parameter: '$having' }],
      });
      expect(await refused('$group=rank&$agg=n:count()&$having=n[contains]:2')).toMatchObject({
        code: 'unknown_operator',
      });
      expect(await refused('$having=n[gte]:2')).toMatchObject({ errors: [{ parameter: '$having' }] });
      expect(await refused('$group=rank&$agg=n:count()&$having=n[gte]:x')).toMatchObject({ code: 'invalid_parameter' });
    });

    it('see masks and hidden records as the lists do', async () => {
      // The margin of others' deals is hidden from a representative.
      expect(await groups('$agg=s:sum(margin)', 'rep')).toEqual([{ s: '5.00', s_currency: 'EUR' }]);
      expect(await groups('$group=rank&$agg=s:sum(margin)&$having=s[gte]:0', 'rep')).toEqual([
        { rank: 1, s: '5.00', s_currency: 'EUR' },
      ]);
    });

    it('are made of the titles of references, as far as they may be read', async () => {
      expect(await groups('$group=customer._title&$agg=n:count()&$order=customer._title', 'rep')).toEqual([
        { 'customer._title': 'Branch', n: 1 },
        { 'customer._title': 'Leaf', n: 1 },
        { 'customer._title': 'Root', n: 1 },
        { 'customer._title': 'Twig', n: 1 },
        { 'customer._title': null, n: 1 },
      ]);
    });

    it('sum whole numbers as text', async () => {
      expect(await groups('$agg=s:sum(rank)')).toEqual([{ s: '19' }]);
    });

    it('without aggregates are the distinct values', async () => {
      expect(await groups('$distinct=rank&$order=-rank')).toEqual([{ rank: 9 }, { rank: 5 }, { rank: 2 }, { rank: 1 }]);
      expect(await groups({ distinct: ['customer.country'] })).toEqual([
        { 'customer.country': 'DE' },
        { 'customer.country': 'FR' },
        { 'customer.country': 'US' },
      ]);
      expect(await refused('$distinct=rank&$group=rank')).toMatchObject({ errors: [{ parameter: '$distinct' }] });
    });
  });
});
