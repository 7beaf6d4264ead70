/** `$search`: words, typing errors, other scripts, weights, and nothing that the reader may not see. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { ANNA, BEN, id, World } from './testing/world.ts';

const modes = [
  { title: 'with compiler and policies', published: true, predicates: true },
  { title: 'with the policies alone', published: true, predicates: false },
  { title: 'with the compiler alone', published: false, predicates: true },
];
const databases = await Promise.all(modes.map(() => testDatabase()));

/** Of other people's customers, more than there are candidates. */
const OTHERS = 2500;

describe.each(modes.map((each, index) => ({ ...each, index })))(
  'searching $title',
  ({ published, predicates, index }) => {
    let world: World;
    beforeAll(async () => {
      const test = databases[index];
      if (test === undefined) throw new TypeError('there is a database for each mode');
      world = await World.open(test, published);
      await world.insert('core.user', ANNA, { name: 'Anna', email: 'anna@example.com', active: 't' });
      const customers: [string, string, string][] = [
        ['Schmidt Präzision GmbH', 'DE', ANNA],
        ['Straßenbau Weiß', 'DE', ANNA],
        ['شركة محمد للتجارة', 'DE', ANNA],
        ['Ocean Bakery', 'FR', ANNA],
        ['Bakery of the Ocean', 'US', BEN],
        ['Oceanside', 'FR', ANNA],
        ['Old Ocean', 'FR', ANNA],
      ];
      for (const [at, [name, country, owner]] of customers.entries()) {
        await world.insert('trade.customer', id(301 + at), { name, country, owner, secret: 'treasure' });
      }
      await world.query(`insert into ${`"${world.tenant.names.schema}"`}.trade_customers
      (id, version, created_at, updated_at, name, country, owner)
      select gen_random_uuid(), 1, now(), now(), 'Mass of Water ' || n, 'US', '${BEN}' from generate_series(1, ${OTHERS}) n`);
      await world.insert('trade.customer', id(399), { name: 'Still Water', country: 'FR', owner: ANNA });
    }, 300_000);
    afterAll(() => world.close());

    const as = (role: string) => ({ ...world.as(role), predicates });
    async function names(search: string, role = 'boss', more = ''): Promise<unknown[]> {
      const query = `$search=${encodeURIComponent(search)}&$select=name&$first=10${more}`;
      const { data } = await world.list(as(role), 'trade.customer', query);
      return data.map((record) => record.name);
    }

    it.each([
      ['schmidt', ['Schmidt Präzision GmbH']],
      ['PRAZISION', ['Schmidt Präzision GmbH']],
      ['strassenbau weiss', ['Straßenbau Weiß']],
      ['Straß', ['Straßenbau Weiß']],
      ['bau', ['Straßenbau Weiß']],
      ['محمد', ['شركة محمد للتجارة']],
      ['مُحَمَّد', ['شركة محمد للتجارة']],
      ['تجار', ['شركة محمد للتجارة']],
      ['st', ['Still Water', 'Straßenbau Weiß']],
      ['gmbh schmidt', ['Schmidt Präzision GmbH']],
      ['schmidt bakery', []],
    ])('%s', async (search, expected) => {
      for (const role of ['boss', 'rep']) expect([role, await names(search, role)]).toEqual([role, expected]);
    });

    it('forgives typing errors', async () => {
      expect(await names('shmidt')).toEqual(['Schmidt Präzision GmbH']);
      expect(await names('Schmitt prezision', 'rep')).toEqual(['Schmidt Präzision GmbH']);
      expect(await names('strasenbau')).toEqual(['Straßenbau Weiß']);
      // Another number is another thing.
      expect(await names('water 10000')).toEqual([]);
    });

    it('shows the best hits first, the newest of equals, or the order that is asked for', async () => {
      expect(await names('ocean')).toEqual(['Old Ocean', 'Bakery of the Ocean', 'Ocean Bakery', 'Oceanside']);
      expect(await names('ocean', 'boss', '&$order=name')).toEqual([
        'Bakery of the Ocean',
        'Ocean Bakery',
        'Oceanside',
        'Old Ocean',
      ]);
    });

    it('has pages, forwards and backwards', async () => {
      const page = async (more: string) => {
        const { data, page: links } = await world.list(
          as('boss'),
          'trade.customer',
          `$search=ocean&$select=name${more}`,
        );
        return { names: data.map((record) => record.name), links };
      };
      const first = await page('&$first=3');
      const second = await page(`&$first=3&$after=${first.links.next}`);
      expect([first.names, second.names]).toEqual([
        ['Old Ocean', 'Bakery of the Ocean', 'Ocean Bakery'],
        ['Oceanside'],
      ]);
      expect((await page(`&$first=3&$before=${second.links.prev}`)).names).toEqual(first.names);
      expect((await page('&$last=1')).names).toEqual(['Oceanside']);
    });

    it('finds the reader’s own records, however many there are of others', async () => {
      expect(await names('water', 'rep')).toEqual(['Still Water']);
      const { count } = await world.list(as('rep'), 'trade.customer', '$search=water&$count=exact');
      expect(count).toEqual({ value: 1, mode: 'exact' });
      const all = await world.list(as('boss'), 'trade.customer', '$search=water&$count=exact');
      expect(all.count).toEqual({ value: OTHERS + 1, mode: 'exact' });
    });

    it('does not look where the reader may not', async () => {
      expect(await names('treasure')).toEqual([]);
      expect(await names('ocean', 'rep')).toEqual(['Old Ocean', 'Ocean Bakery', 'Oceanside']);
      // In the name alone: the country is not searched.
      expect(await names('DE', 'rep')).toEqual([]);
    });

    it('narrows groups and lists with a filter as well', async () => {
      expect(await names('ocean', 'boss', '&country=US')).toEqual(['Bakery of the Ocean']);
      const { data } = await world.list(as('rep'), 'trade.customer', '$search=ocean&$group=country');
      expect(data).toEqual([{ country: 'FR', count: 3 }]);
    });
  },
);
