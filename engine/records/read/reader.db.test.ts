import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { Problem } from '../../problem.ts';
import { ANNA, BEN, id, World } from './testing/world.ts';

/** The compiler and the row policies are made from the same conditions: tests run with either and with both. */
const worlds = [
  { title: 'with row policies', published: true },
  { title: 'without row policies', published: false },
];
const databases = await Promise.all(worlds.map(() => testDatabase()));

let world: World;

describe.each(worlds.map((each, index) => ({ ...each, index })))('reading $title', ({ published, index }) => {
  beforeAll(async () => {
    const test = databases[index];
    if (test === undefined) throw new TypeError('there is a database for each world');
    world = await World.open(test, published);
    await world.insert('core.user', ANNA, { name: 'Anna Berg', email: 'anna@example.com', active: 't' });
    await world.insert('core.user', BEN, { name: 'Ben Cole', email: 'ben@example.com', active: 't' });
    await world.insert('trade.product', id(201), { name: 'Bolt', price: '1.50', price_currency: 'EUR' });
    await world.insert('trade.product', id(202), { name: 'Nut', price: '0.25', price_currency: 'EUR' });
    await world.insert('trade.customer', id(301), {
      name: 'Acme',
      country: 'DE',
      credit: '1000.00',
      credit_currency: 'EUR',
      owner: ANNA,
      secret: 'a',
    });
    await world.insert('trade.customer', id(302), {
      name: 'Bolton',
      country: 'FR',
      credit: '2000.00',
      credit_currency: 'EUR',
      owner: ANNA,
      secret: 'b',
    });
    await world.insert('trade.customer', id(303), {
      name: 'Cobra',
      country: 'US',
      credit: '3000.00',
      credit_currency: 'USD',
      owner: BEN,
      secret: 'c',
    });
    await world.insert('trade.customer', id(304), {
      name: 'Gone',
      country: 'DE',
      owner: ANNA,
      deleted_at: '2026-01-01T00:00:00Z',
    });
    const deals: Record<string, string | null>[] = [
      {
        number: 'D-0001',
        name: 'Alpha',
        note: 'first, "big"',
        email: 'a@x.de',
        phone: '+4930123',
        url: 'https://a.de',
        rank: '1',
        weight: '1.500',
        amount: '10.00',
        chance: '50.00',
        hot: 't',
        closed_on: '2026-01-15',
        seen_at: '2026-01-31T23:30:00Z',
        priority: 'high',
        stage: 'open',
        customer: id(301),
        helper: BEN,
        tags: '{red,blue}',
        margin: '5.00',
        owner: ANNA,
      },
      {
        number: 'D-0002',
        name: 'Beta',
        rank: '2',
        weight: '2.000',
        amount: '20.00',
        chance: '10.00',
        hot: 'f',
        closed_on: '2026-02-01',
        seen_at: '2026-02-01T00:30:00Z',
        priority: 'low',
        stage: 'won',
        customer: id(302),
        tags: '{red}',
        margin: '6.00',
        owner: BEN,
      },
      {
        number: 'D-0003',
        name: 'gamma 100%',
        rank: '2',
        amount: '0.00',
        stage: 'open',
        customer: id(303),
        margin: '7.00',
        owner: ANNA,
      },
      {
        number: 'D-0004',
        name: 'Delta',
        amount: '4514.00',
        stage: 'lost',
        priority: 'high',
        customer: null,
        owner: BEN,
        note: 'x',
      },
      { number: 'D-0005', name: 'Epsilon', rank: '5', amount: '20.00', stage: 'open', customer: id(304), owner: ANNA },
      {
        number: 'D-0006',
        name: 'Deleted',
        amount: '1.00',
        stage: 'open',
        customer: id(301),
        owner: ANNA,
        deleted_at: '2026-03-01T00:00:00Z',
      },
    ];
    for (const [index, deal] of deals.entries())
      await world.insert('trade.deal', id(index + 1), { amount_currency: 'EUR', ...deal });
    await world.insert('trade.line', id(401), { deal: id(1), product: id(201), quantity: '3' });
    await world.insert('trade.line', id(402), { deal: id(1), product: id(202), quantity: '9' });
    await world.insert('trade.line', id(403), { deal: id(2), product: null, quantity: '1' });
  });

  afterAll(() => world.close());
  beforeEach(() => {
    world.database.batches = [];
  });

  async function names(role: string, query: string | object, user = ANNA): Promise<unknown[]> {
    const { data } = await world.list(world.as(role, user), 'trade.deal', query);
    return data.map((record) => record.name);
  }

  async function problem(work: Promise<unknown>): Promise<Problem> {
    try {
      await work;
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error('it was not refused');
  }

  describe('reading a list', () => {
    it('answers every readable field, live records only, the newest first', async () => {
      const { data, page, count } = await world.list(world.as('boss'), 'trade.deal', '');
      expect(data.map((record) => record.number)).toEqual(['D-0005', 'D-0004', 'D-0003', 'D-0002', 'D-0001']);
      expect(data[4]).toEqual({
        id: id(1),
        version: 1,
        created_at: expect.stringMatching(/\+00:00$/),
        created_by: null,
        updated_at: expect.any(String),
        updated_by: null,
        owner: ANNA,
        number: 'D-0001',
        name: 'Alpha',
        note: 'first, "big"',
        email: 'a@x.de',
        phone: '+4930123',
        url: 'https://a.de',
        rank: 1,
        weight: '1.500',
        amount: '10.00',
        amount_currency: 'EUR',
        chance: '50.00',
        hot: true,
        closed_on: '2026-01-15',
        seen_at: '2026-01-31T23:30:00+00:00',
        priority: 'high',
        stage: 'open',
        customer: id(301),
        helper: BEN,
        tags: ['red', 'blue'],
        margin: '5.00',
        margin_currency: 'EUR',
      });
      expect(page).toEqual({ next: null, prev: null });
      expect(count).toBeNull();
    });

    it('is one round trip with one statement, two when records are counted', async () => {
      await world.list(
        world.as('boss'),
        'trade.deal',
        'stage=open&$select=name,customer(name),lines(quantity,product(name))&$order=customer.name',
      );
      await world.list(world.as('boss'), 'trade.deal', '$count=exact');
      expect(world.database.batches.map((batch) => batch.length)).toEqual([1, 2]);
      expect(world.database.batches.flat().every(({ text }) => /^(select|with)\b/.test(text))).toBe(true);
    });

    it('sends the same text for other values', async () => {
      await names('boss', 'amount[gte]=10.00&customer.country=DE');
      await names('boss', 'amount[gte]=20.00&customer.country=FR');
      const [a, b] = world.database.batches.map(([statement]) => statement);
      expect(a?.text).toBe(b?.text);
      expect(a?.values).not.toEqual(b?.values);
    });

    it('puts other values into a known shape, and still refuses what is not of the type', async () => {
      const scope = world.as('rep');
      const find = async (country: string, rank: string) =>
        (
          await world.list(
            scope,
            'trade.deal',
            `customer.country=${country}&rank[in]=${rank}&stage[ne]=lost&$select=name`,
          )
        ).data;
      expect(await find('FR', '1,2')).toEqual([{ name: 'Beta' }]);
      expect(await find('DE', '1,5')).toEqual([{ name: 'Alpha' }]);
      expect(await find('DE', '2,5')).toEqual([]);
      expect((await problem(find('DE', '1,x'))).errors[0]?.parameter).toBe('rank[in]');
      const texts = new Set(world.database.batches.map(([statement]) => statement?.text));
      expect(texts.size).toBe(1);
    });

    it('embeds records and children, with titles', async () => {
      const { data } = await world.list(
        world.as('boss'),
        'trade.deal',
        'name=Alpha&$select=_title,customer(id,name,_title),helper(name),lines(_title,quantity,product(name,price))',
      );
      expect(data).toEqual([
        {
          _title: 'D-0001 Alpha',
          customer: { id: id(301), name: 'Acme', _title: 'Acme' },
          helper: { name: 'Ben Cole' },
          lines: [
            { _title: 'Bolt 3', quantity: 3, product: { name: 'Bolt', price: '1.50' } },
            { _title: 'Nut 9', quantity: 9, product: { name: 'Nut', price: '0.25' } },
          ],
        },
      ]);
    });

    it('orders and cuts children', async () => {
      const { data } = await world.list(world.as('boss'), 'trade.deal', {
        where: { name: 'Alpha' },
        select: [{ lines: { select: ['quantity'], order: ['-quantity'], first: 1 } }],
      });
      expect(data).toEqual([{ lines: [{ quantity: 9 }] }]);
    });

    it('shows a deleted record neither embedded nor through a filter, and lists the bin on its own', async () => {
      expect(await world.list(world.as('boss'), 'trade.deal', 'name=Epsilon&$select=customer(name)')).toMatchObject({
        data: [{ customer: null }],
      });
      expect(await names('boss', 'customer.name=Gone')).toEqual([]);
      expect(await names('boss', '$deleted=only')).toEqual(['Deleted']);
      expect((await problem(names('boss', '$deleted=some'))).code).toBe('invalid_parameter');
      expect((await problem(world.list(world.as('boss'), 'trade.product', '$deleted=only'))).code).toBe(
        'invalid_parameter',
      );
    });

    it('takes filter and order from a view', async () => {
      expect(await names('boss', '$view=open_deals')).toEqual(['Epsilon', 'Alpha', 'gamma 100%']);
      expect(await names('boss', '$view=open_deals&$order=name&rank[gt]=1')).toEqual(['Epsilon', 'gamma 100%']);
      expect((await problem(names('boss', '$view=opn_deals'))).errors[0]).toMatchObject({
        parameter: '$view',
        params: { nearest: 'open_deals' },
      });
    });

    it('searches names, whatever their case, and takes % for punctuation', async () => {
      expect(await names('boss', '$search=ALPH')).toEqual(['Alpha']);
      expect(await names('boss', '$search=100%25')).toEqual(['gamma 100%']);
      // Nothing is looked for yet.
      expect(await names('boss', '$search=%25')).toHaveLength(5);
      expect(await names('boss', '$search=_xyz')).toEqual([]);
      // A representative does not see notes, so a search does not look into them either.
      expect(await names('rep', '$search=first')).toEqual([]);
    });
  });

  describe('filters', () => {
    const cases: readonly [string, readonly string[]][] = [
      ['name=Alpha', ['Alpha']],
      ['name[ne]=Alpha', ['Beta', 'gamma 100%', 'Delta', 'Epsilon']],
      ['name[in]=Alpha,Beta', ['Alpha', 'Beta']],
      ['name[in]="Alpha","a ""b"", c",Beta', ['Alpha', 'Beta']],
      ['name[nin]=Alpha,Beta', ['gamma 100%', 'Delta', 'Epsilon']],
      ['note[null]=true', ['Beta', 'gamma 100%', 'Epsilon']],
      ['note[null]=false', ['Alpha', 'Delta']],
      ['note[ne]=x', ['Alpha', 'Beta', 'gamma 100%', 'Epsilon']],
      ['name[contains]=lta', ['Delta']],
      ['name[icontains]=BET', ['Beta']],
      ['name[starts]=De', ['Delta']],
      ['name[istarts]=de', ['Delta']],
      ['name[ends]=ta', ['Beta', 'Delta']],
      ['email[eq]=a@x.de', ['Alpha']],
      ['phone=%2B4930123', ['Alpha']],
      ['url[starts]=https', ['Alpha']],
      ['number[in]=D-0001,D-0002', ['Alpha', 'Beta']],
      ['rank=2', ['Beta', 'gamma 100%']],
      ['rank[lt]=2', ['Alpha']],
      ['rank[lte]=2', ['Alpha', 'Beta', 'gamma 100%']],
      ['rank[gt]=2', ['Epsilon']],
      ['rank[between]=2,5', ['Beta', 'gamma 100%', 'Epsilon']],
      ['rank[null]=true', ['Delta']],
      ['rank[nin]=1,2', ['Delta', 'Epsilon']],
      ['weight[gte]=1.5', ['Alpha', 'Beta']],
      ['weight=2', ['Beta']],
      ['amount[gt]=10.00', ['Beta', 'Delta', 'Epsilon']],
      ['amount[between]=10,20', ['Alpha', 'Beta', 'Epsilon']],
      ['amount_currency=EUR', ['Alpha', 'Beta', 'gamma 100%', 'Delta', 'Epsilon']],
      ['chance[lt]=50', ['Beta']],
      ['hot=true', ['Alpha']],
      ['hot[ne]=true', ['Beta', 'gamma 100%', 'Delta', 'Epsilon']],
      ['closed_on=2026-01-15', ['Alpha']],
      ['closed_on[gte]=2026-02-01', ['Beta']],
      ['closed_on[between]=2026-01-01,2026-01-31', ['Alpha']],
      ['seen_at[lt]=2026-02-01T00:00:00Z', ['Alpha']],
      ['seen_at[gt]=2026-02-01T00:00:00%2B01:00', ['Alpha', 'Beta']],
      ['priority=high', ['Alpha', 'Delta']],
      ['priority[nin]=high', ['Beta', 'gamma 100%', 'Epsilon']],
      ['stage[in]=won,lost', ['Beta', 'Delta']],
      [`customer=${id(301)}`, ['Alpha']],
      [`customer[in]=${id(301)},${id(302)}`, ['Alpha', 'Beta']],
      ['customer[null]=true', ['Delta']],
      [`helper[ne]=${BEN}`, ['Beta', 'gamma 100%', 'Delta', 'Epsilon']],
      ['owner=@me', ['Alpha', 'gamma 100%', 'Epsilon']],
      [`id=${id(3)}`, ['gamma 100%']],
      ['tags[has]=blue', ['Alpha']],
      ['tags[hasAny]=blue,red', ['Alpha', 'Beta']],
      ['tags[hasAll]=blue,red', ['Alpha']],
      ['tags[null]=true', ['gamma 100%', 'Delta', 'Epsilon']],
      ['customer.country=DE', ['Alpha']],
      ['customer.country[ne]=DE', ['Beta', 'gamma 100%', 'Delta', 'Epsilon']],
      ['customer.owner.name=Anna Berg', ['Alpha', 'Beta']],
      ['customer.country=DE&customer.name=Acme&rank=1', ['Alpha']],
      ['rank=2&rank[gt]=2', []],
    ];
    it.each(cases)('%s', async (query, expected) => {
      expect(
        await names(
          'boss',
          `$order=id&${query.replaceAll('%', (match, at: number) => (/^%[0-9A-F]{2}/.test(query.slice(at)) ? match : '%25'))}`,
        ),
      ).toEqual(expected);
    });

    it('knows or, and, not in JSON', async () => {
      const where = {
        or: [{ stage: 'won' }, { not: { customer: { country: { in: ['DE', 'US'] } } } }],
        and: [{ amount: { gt: '10' } }],
      };
      expect(await names('boss', { where, order: ['name'] })).toEqual(['Beta', 'Delta', 'Epsilon']);
    });

    it('refuses values that are not of the type, by the name of the parameter', async () => {
      for (const query of [
        'rank=two',
        'amount[gte]=1e5',
        'hot=yes',
        'closed_on=2026-02-30',
        'customer=me',
        'stage=opne',
        'seen_at=2026-01-01',
      ]) {
        const { code, errors } = await problem(names('boss', query));
        expect([query, code]).toEqual([query, 'invalid_parameter']);
        expect(errors[0]?.parameter).toBe(query.split('=')[0]);
      }
      expect((await problem(names('boss', 'hot[gt]=true'))).code).toBe('unknown_operator');
    });
  });

  describe('counts', () => {
    it('counts what the filter leaves, beyond the page', async () => {
      const { data, count } = await world.list(
        world.as('boss'),
        'trade.deal',
        'customer.country[null]=false&$first=1&$count=exact',
      );
      expect(data).toHaveLength(1);
      expect(count).toEqual({ value: 3, mode: 'exact' });
      expect((await world.list(world.as('clerk'), 'trade.deal', '$count=capped')).count).toEqual({
        value: 2,
        mode: 'exact',
      });
    });
  });

  describe('groups', () => {
    it('groups, sums and counts; decimals are texts', async () => {
      const { data, count } = await world.list(
        world.as('boss'),
        'trade.deal',
        '$group=stage&$agg=n:count(),total:sum(amount),avg(amount),most:max(rank),customers:countDistinct(customer)&$order=-total',
      );
      expect(data).toEqual([
        {
          stage: 'lost',
          n: 1,
          total: '4514.00',
          total_currency: 'EUR',
          'avg(amount)': '4514.0000',
          'avg(amount)_currency': 'EUR',
          most: null,
          customers: 0,
        },
        {
          stage: 'open',
          n: 3,
          total: '30.00',
          total_currency: 'EUR',
          'avg(amount)': '10.0000',
          'avg(amount)_currency': 'EUR',
          most: 5,
          customers: 3,
        },
        {
          stage: 'won',
          n: 1,
          total: '20.00',
          total_currency: 'EUR',
          'avg(amount)': '20.0000',
          'avg(amount)_currency': 'EUR',
          most: 2,
          customers: 1,
        },
      ]);
      expect(count).toEqual({ value: 3, mode: 'exact' });
    });

    it('finds the month of a moment in the time zone of the reader', async () => {
      const query = '$group=month(seen_at)&seen_at[null]=false';
      expect((await world.list(world.as('boss'), 'trade.deal', query)).data).toEqual([
        { 'month(seen_at)': '2026-02-01', count: 2 },
      ]);
      const { principal, ...scope } = world.as('boss');
      const elsewhere = { ...scope, principal: { ...principal, timeZone: 'UTC' } };
      expect((await world.list(elsewhere, 'trade.deal', query)).data).toEqual([
        { 'month(seen_at)': '2026-01-01', count: 1 },
        { 'month(seen_at)': '2026-02-01', count: 1 },
      ]);
    });

    it('groups through references and by days, and answers one row without groups', async () => {
      expect(
        (
          await world.list(
            world.as('boss'),
            'trade.deal',
            '$group=customer.country,q:quarter(closed_on)&customer[null]=false&$order=customer.country',
          )
        ).data,
      ).toEqual([
        { 'customer.country': 'DE', q: '2026-01-01', count: 1 },
        { 'customer.country': 'FR', q: '2026-01-01', count: 1 },
        { 'customer.country': 'US', q: null, count: 1 },
        { 'customer.country': null, q: null, count: 1 },
      ]);
      expect(
        (
          await world.list(world.as('boss'), 'trade.deal', {
            where: { stage: 'open' },
            aggregate: ['first:min(closed_on)', 'n:count()'],
          })
        ).data,
      ).toEqual([{ first: '2026-01-15', n: 3 }]);
    });

    it('answers the first groups, and says that there are more', async () => {
      const { data, count } = await world.list(
        world.as('boss'),
        'trade.deal',
        '$group=stage&$agg=n:count()&$order=-n&$first=1',
      );
      expect(data).toEqual([{ stage: 'open', n: 3 }]);
      expect(count).toEqual({ value: 1, mode: 'atLeast' });
    });

    it('refuses what has no meaning', async () => {
      for (const query of [
        '$group=tags',
        '$group=month(name)',
        '$agg=sum(name)',
        '$group=stage&$order=amount',
        '$agg=n:count(),n:count()',
        '$group=stage&$select=name',
      ]) {
        expect([query, (await problem(names('boss', query))).code]).toEqual([query, 'invalid_parameter']);
      }
    });
  });

  describe('rights', () => {
    it('shows the records of the grants and hides the fields of none', async () => {
      // Epsilon's customer is in the bin. A permission looks at the record all the same, as the row policy does.
      expect(await names('clerk', '$order=name')).toEqual(['Alpha', 'Epsilon']);
      const { data } = await world.list(world.as('clerk'), 'trade.deal', '');
      expect(
        Object.keys(data[0] ?? {}).filter((key) => ['name', 'amount', 'note', 'stage', 'lines'].includes(key)),
      ).toEqual(['name', 'stage']);
      expect(await world.list(world.as('clerk'), 'trade.deal', 'name=Alpha&$select=lines(quantity)')).toMatchObject({
        data: [{ lines: [{ quantity: 3 }, { quantity: 9 }] }],
      });
    });

    it('a part is read with its parent', async () => {
      const { data } = await world.list(world.as('clerk'), 'trade.line', '$order=quantity&$select=quantity,deal(name)');
      expect(data).toEqual([
        { quantity: 3, deal: { name: 'Alpha' } },
        { quantity: 9, deal: { name: 'Alpha' } },
      ]);
    });

    it('answers the same for a hidden field as for one that does not exist, wherever it is named', async () => {
      for (const use of [
        'FIELD=x',
        '$select=FIELD',
        '$order=FIELD',
        '$group=FIELD',
        '$agg=count(FIELD)',
        '$agg=max(FIELD)',
        '$select=FIELD(id)',
        'customer.FIELD=x',
        '$order=customer.FIELD',
        '$select=customer(FIELD)',
        'FIELD.name=x',
      ]) {
        const hidden = await problem(names('rep', use.replace('FIELD', use.includes('customer') ? 'secret' : 'note')));
        const missing = await problem(names('rep', use.replace('FIELD', 'zzzzzz')));
        expect([use, hidden.code]).toEqual([use, 'unknown_field']);
        const text = (found: Problem): string =>
          JSON.stringify([found.code, found.message, found.errors])
            .replaceAll(/note|secret|zzzzzz/g, 'FIELD')
            .replaceAll(/ Did you mean [^?]*\?|,"nearest":"\w+"/g, '')
            .replaceAll(/\\"nearest\\".*?,/g, '');
        expect(text(hidden)).toBe(text(missing));
      }
    });

    it('an entity without a right to it is not there', async () => {
      expect((await problem(world.list(world.as('clerk'), 'trade.product', ''))).code).toBe('not_found');
      expect((await problem(world.one(world.as('clerk'), 'trade.product', id(201)))).code).toBe('not_found');
      expect((await problem(names('clerk', '$select=lines(product(name))'))).code).toBe('unknown_field');
    });

    it('masks a field where only another grant shows it: in the answer, the filter, the order, the aggregate, the cursor', async () => {
      const scope = world.as('rep');
      const { data } = await world.list(scope, 'trade.deal', '$select=name,margin&$order=name');
      expect(data.map((record) => record.margin)).toEqual(['5.00', null, null, null, '7.00']);
      expect(await names('rep', 'margin[gte]=0&$order=name')).toEqual(['Alpha', 'gamma 100%']);
      expect(await names('rep', 'margin=6.00')).toEqual([]);
      expect((await names('rep', '$order=margin')).slice(0, 2)).toEqual(['Alpha', 'gamma 100%']);
      expect((await world.list(scope, 'trade.deal', '$agg=sum(margin),n:count(margin)')).data).toEqual([
        { 'sum(margin)': '12.00', 'sum(margin)_currency': 'EUR', n: 2 },
      ]);
      expect((await world.list(scope, 'trade.deal', '$group=stage&$agg=max(margin)&stage=won')).data).toEqual([
        { stage: 'won', 'max(margin)': null, 'max(margin)_currency': null },
      ]);
      expect(await names('rep', '$view=with_margin')).toEqual(['Alpha', 'gamma 100%']);
      expect(await world.one(scope, 'trade.deal', id(2), 'name,margin')).toEqual({ name: 'Beta', margin: null });
      const { page } = await world.list(scope, 'trade.deal', '$order=-margin&$first=1');
      expect(Buffer.from(page.next ?? '', 'base64url').toString('latin1')).not.toContain('6.00');
    });

    it('a view over a hidden field sees nothing in it', async () => {
      expect(await names('clerk', '$view=with_margin')).toEqual([]);
    });

    it('looks at other records through their own rights: rows, masks, fields', async () => {
      // Anna sees Acme (own, German) and Bolton (own), but not Cobra, which is Ben's.
      const { data } = await world.list(
        world.as('rep'),
        'trade.deal',
        '$select=name,customer(name,credit)&$order=name',
      );
      expect(data.map((record) => record.customer)).toEqual([
        { name: 'Acme', credit: '1000.00' },
        { name: 'Bolton', credit: null },
        null,
        null,
        null,
      ]);
      expect(await names('rep', 'customer.name=Cobra')).toEqual([]);
      expect(await names('rep', 'customer.name[null]=true&$order=name')).toEqual(['Delta', 'Epsilon', 'gamma 100%']);
      expect(await names('rep', 'customer.credit[gt]=0')).toEqual(['Alpha']);
      expect((await names('rep', '$order=customer.name')).slice(0, 2)).toEqual(['Alpha', 'Beta']);
      expect(
        (await world.list(world.as('rep'), 'trade.deal', '$group=customer.name&customer[null]=false')).data,
      ).toEqual([
        { 'customer.name': 'Acme', count: 1 },
        { 'customer.name': 'Bolton', count: 1 },
        { 'customer.name': null, count: 2 },
      ]);
    });
  });

  describe('row policies and the compiler', () => {
    it.runIf(published)('let the same records through', async () => {
      for (const role of ['boss', 'rep', 'clerk']) {
        for (const user of [ANNA, BEN]) {
          for (const entity of ['trade.deal', 'trade.customer', 'trade.line']) {
            const scope = world.as(role, user);
            const read = async (predicates: boolean) =>
              (await world.list({ ...scope, predicates }, entity, '$select=id,_title&$order=id')).data;
            expect([role, entity, await read(false)]).toEqual([role, entity, await read(true)]);
          }
        }
      }
    });
  });

  describe('reading one record', () => {
    it('answers it with its version, or nothing', async () => {
      expect(await world.reader.one(world.as('boss'), world.entity('trade.deal'), id(2), null)).toMatchObject({
        version: 1,
      });
      expect(await world.one(world.as('boss'), 'trade.deal', id(2), 'id,name')).toEqual({ id: id(2), name: 'Beta' });
      expect(await world.one(world.as('boss'), 'trade.deal', id(6))).toBeNull();
      expect(await world.one(world.as('boss'), 'trade.deal', id(99))).toBeNull();
      expect(await world.one(world.as('boss'), 'trade.deal', "1' or 1=1")).toBeNull();
      expect(await world.one(world.as('clerk'), 'trade.deal', id(2))).toBeNull();
    });

    it('says which transitions are possible now', async () => {
      const actions = async (role: string, record: number, user = ANNA) =>
        (await world.one(world.as(role, user), 'trade.deal', id(record), '_actions'))?._actions;
      expect(await actions('boss', 1)).toEqual(['win', 'lose']);
      expect(await actions('boss', 2)).toEqual(['reopen']);
      // Nothing to win where the amount is nothing.
      expect(await actions('boss', 3)).toEqual(['lose']);
      expect(await actions('rep', 1)).toEqual(['win', 'lose']);
      expect(await actions('rep', 1, BEN)).toEqual([]);
      expect(await actions('clerk', 1)).toEqual([]);
    });

    it('says whether this very record may be changed or deleted', async () => {
      const may = async (role: string, user = ANNA) =>
        (await world.one(world.as(role, user), 'trade.deal', id(1), '_may'))?._may;
      expect(await may('boss')).toContain('update');
      expect(await may('rep')).toContain('update');
      expect(await may('rep', BEN)).toEqual([]);
      expect(await may('clerk')).toEqual([]);
    });
  });

  describe('history', () => {
    it('tells who changed what, of the fields that may be read', async () => {
      const fieldId = (key: string) => world.entity('trade.deal').fields.get(key)?.id ?? '';
      const rows = [
        [1, 'name', '"A"', '"Alpha"', '2026-01-01T00:00:00Z', ANNA],
        [2, 'amount', '"5.00"', '"10.00"', '2026-01-02T00:00:00Z', BEN],
        [2, 'note', 'null', '"first"', '2026-01-02T00:00:00Z', BEN],
        [3, 'margin', 'null', '"5.00"', '2026-01-03T00:00:00Z', null],
      ] as const;
      for (const [version, key, old, now, at, actor] of rows) {
        await world.query(
          `insert into ${world.tenant.names.schema}.h_trade_deals (record_id, version, field_id, old, new, at, actor) values ('${id(1)}', ${version}, '${fieldId(key)}', '${old}', '${now}', '${at}', ${actor === null ? 'null' : `'${actor}'`})`,
        );
      }
      const read = async (role: string, user = ANNA) =>
        JSON.parse((await world.reader.history(world.as(role, user), world.entity('trade.deal'), id(1))).body) as {
          data: unknown;
        };
      expect((await read('boss')).data).toEqual([
        {
          at: '2026-01-03T00:00:00+00:00',
          version: 3,
          actor: null,
          changes: [{ field: 'margin', label: 'Margin', old: null, new: '5.00' }],
        },
        {
          at: '2026-01-02T00:00:00+00:00',
          version: 2,
          actor: { id: BEN, name: 'Ben Cole' },
          changes: [
            { field: 'amount', label: 'Amount', old: '5.00', new: '10.00' },
            { field: 'note', label: 'Note', old: null, new: 'first' },
          ],
        },
        {
          at: '2026-01-01T00:00:00+00:00',
          version: 1,
          actor: { id: ANNA, name: 'Anna Berg' },
          changes: [{ field: 'name', label: 'Name', old: 'A', new: 'Alpha' }],
        },
      ]);
      const fields = ({ data }: { data: unknown }): unknown =>
        (data as { changes: { field: string }[] }[]).flatMap(({ changes }) => changes.map(({ field }) => field));
      expect(fields(await read('rep'))).toEqual(['margin', 'amount', 'name']);
      expect(fields(await read('rep', BEN))).toEqual(['amount', 'name']);
      expect((await problem(world.reader.history(world.as('clerk'), world.entity('trade.deal'), id(2)))).code).toBe(
        'not_found',
      );
      expect(
        (await problem(world.reader.history(world.as('boss'), world.entity('trade.customer'), id(301)))).code,
      ).toBe('not_found');
    });

    it('ends with a whole version', async () => {
      const keys = ['name', 'amount', 'note'];
      const ids = keys.map((key) => `'${world.entity('trade.deal').fields.get(key)?.id}'`);
      const table = `${world.tenant.names.schema}.h_trade_deals`;
      await world.query(
        `insert into ${table} (record_id, version, field_id, at) select '${id(5)}', v, f, now() from generate_series(2, 101) v, unnest(array[${ids.join(', ')}]) f`,
      );
      const { body } = await world.reader.history(world.as('boss'), world.entity('trade.deal'), id(5));
      const { data }: { data: { version: number; changes: unknown[] }[] } = JSON.parse(body);
      expect(data.map(({ version }) => version)).toEqual(Array.from({ length: 67 }, (_, index) => 101 - index));
      expect(data.every(({ changes }) => changes.length === 3)).toBe(true);
      await world.query(`delete from ${table} where record_id = '${id(5)}'`);
    });
  });

  describe('what is not a query', () => {
    const attack = `x') or 1=1; drop table t_trade.trade_deals; --`;
    const places = [
      `name=${attack}`,
      `name[in]=${attack},"${attack}"`,
      `name[contains]=${attack}`,
      `$search=${attack}`,
      `rank=${attack}`,
      `amount[between]=1,${attack}`,
      `customer.country=${attack}`,
      `tags[has]=${attack}`,
      `$select=${attack}`,
      `$select=name"`,
      `$order=${attack}`,
      `$order=name desc`,
      `$first=1;select`,
      `$first=-1`,
      `$offset=1e9`,
      `$after=${attack}`,
      `$before=${attack}`,
      `$count=${attack}`,
      `$view=${attack}`,
      `$group=${attack}`,
      `$group=month(seen_at'))`,
      `$agg=${attack}`,
      `$agg=n":count()`,
      `$agg=pg_sleep(name)`,
      `$deleted=${attack}`,
      `${attack}=1`,
      `name[${attack}]=1`,
      `name"=1`,
      `__proto__=1`,
      `constructor=1`,
      `name.constructor=1`,
      `$select=constructor`,
      `$order=__proto__`,
      `name=%00`,
      `name[in]=%00`,
      `$search=%00`,
      `$search=%ED%A0%80`,
      `closed_on='infinity'`,
      `customer={}`,
    ];
    it.each(places)('%s is refused or finds nothing', async (place) => {
      const query = new URLSearchParams();
      const equals = place.indexOf('=');
      query.append(place.slice(0, equals).replaceAll('%00', '\0'), place.slice(equals + 1).replaceAll('%00', '\0'));
      const outcome = await world.list(world.as('boss'), 'trade.deal', query.toString()).then(
        ({ data }) => data,
        (error: unknown) => error,
      );
      const refused =
        outcome instanceof Problem && outcome.status === 400 && typeof outcome.errors[0]?.parameter === 'string';
      expect(refused ? [] : outcome).toEqual([]);
    });

    it('the records are still there', async () => {
      expect(await names('boss', '')).toHaveLength(5);
    });
  });
});
