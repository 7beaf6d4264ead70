/** Prices of lines: taken from the price book that the quote or the opportunity names, as its reader may see it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionOf } from '#engine/db/database.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '#engine/records/scope.ts';
import type { WriteOptions } from '#engine/records/write/run.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { systemClock, systemIds } from '#engine/clock.ts';
import { type Lab, makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

type Data = Readonly<Record<string, unknown>>;

const database = await testDatabase();
let lab: Lab;
let writer: Writer;
let chief: Scope;
let seller: Scope;
const ids: Record<string, string> = {};

beforeAll(async () => {
  lab = await makeLab(database, {
    packs: ['crm'],
    documents: [
      { kind: 'role', key: 'chief', label: 'Chief', inherits: ['member'] },
      { kind: 'role', key: 'seller', label: 'Seller', inherits: ['member'] },
      { kind: 'role', key: 'blind', label: 'Blind', inherits: ['member'] },
      ...['account', 'product', 'price_book', 'quote', 'opportunity'].flatMap((entity) => [
        {
          kind: 'permission',
          role: 'chief',
          entity: `crm.${entity}`,
          actions: ['create', 'read', 'update', 'delete', 'import', 'export'],
        },
        {
          kind: 'permission',
          role: 'seller',
          entity: `crm.${entity}`,
          actions: entity === 'quote' || entity === 'opportunity' ? ['create', 'read', 'update'] : ['read'],
          // Names of price books, and the prices of those in euros.
          ...(entity === 'price_book' && { condition: { currency: 'EUR' } }),
        },
        {
          kind: 'permission',
          role: 'blind',
          entity: `crm.${entity}`,
          actions: entity === 'quote' ? ['create', 'read', 'update'] : ['read'],
          ...(entity === 'price_book' && { fields: { read: { except: ['entries'] } } }),
        },
      ]),
    ],
  });
  writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
  chief = await lab.person('chief');
  seller = await lab.person('seller');
  const add = async (name: string, entity: string, body: Data) => {
    ids[name] = (await made(chief, entity, body)).id;
  };
  await add('account', 'account', { name: 'Fictional Ferries' });
  for (const name of ['bolt', 'nut', 'cog']) await add(name, 'product', { name });
  const prices = (currency: string, ...all: readonly (readonly [string, string, Data?])[]) =>
    all.map(([product, price, more]) => ({ product: ids[product], price, price_currency: currency, ...more }));
  await add('book', 'price_book', {
    name: 'Euro',
    currency: 'EUR',
    valid_from: '2020-01-01',
    entries: [
      ...prices('EUR', ['bolt', '12.50'], ['nut', '3.20'], ['cog', '99', { active: false }]),
      // An entry in a currency that is not the book's counts for nothing, however new it is.
      ...prices('USD', ['bolt', '1.00']),
    ],
  });
  await add('dollars', 'price_book', { name: 'Dollar', currency: 'USD', entries: prices('USD', ['bolt', '14.00']) });
  await add('over', 'price_book', {
    name: 'Over',
    currency: 'EUR',
    valid_to: '2020-12-31',
    entries: prices('EUR', ['bolt', '8']),
  });
  await add('coming', 'price_book', {
    name: 'Coming',
    currency: 'EUR',
    valid_from: '2099-01-01',
    entries: prices('EUR', ['bolt', '20']),
  });
  await add('off', 'price_book', {
    name: 'Off',
    currency: 'EUR',
    active: false,
    entries: prices('EUR', ['bolt', '21']),
  });
});
afterAll(() => lab.close());

function entity(name: string) {
  const found = lab.model.entities.get(`crm.${name}`);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

async function made(scope: Scope, name: string, body: unknown, options: WriteOptions = {}): Promise<{ id: string }> {
  const { id } = await writer.create(scope, entity(name), body, options);
  return { id: id ?? '' };
}

const line = (product: string, more: Data = {}) => ({ product: ids[product], description: product, ...more });
const quote = (book: string | null, ...lines: readonly Data[]) => ({
  name: 'Offer',
  account: ids['account'],
  ...(book !== null && { price_book: ids[book] }),
  lines,
});

/** `12.50 EUR` of each line of a quote, by the lines' descriptions. */
async function prices(id: string, table = 'crm_quote_lines', by = 'quote'): Promise<readonly string[]> {
  const rows = await lab.look(
    `select unit_price || ' ' || unit_price_currency as price from ${lab.tenant.names.schema}.${table} where ${by} = $1 order by description`,
    [id],
  );
  return rows.map(({ price }) => String(price));
}

async function faults(work: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
  return error.errors.map(({ code, pointer, message }) => `${code} ${pointer ?? ''} ${message}`);
}

const missing = (index: number) =>
  `required /lines/${index}/unit_price Unit price is required: no value was found for it that you may see.`;

describe('a line of a quote', () => {
  test('takes price and currency of its product out of the quote’s price book', async () => {
    const { id } = await made(seller, 'quote', quote('book', line('bolt'), line('nut', { unit_price: null })));
    expect(await prices(id)).toEqual(['12.50 EUR', '3.20 EUR']);
    const { id: dollars } = await made(chief, 'quote', quote('dollars', line('bolt')));
    expect(await prices(dollars)).toEqual(['14.00 USD']);
  });

  test('keeps a price that was given, zero as well', async () => {
    const given = [line('bolt', { unit_price: '0' }), line('nut', { unit_price: '7', unit_price_currency: 'USD' })];
    expect(await prices((await made(seller, 'quote', quote('book', ...given))).id)).toEqual(['0.00 EUR', '7.00 USD']);
  });

  test('takes only a price in the currency that was asked for', async () => {
    const asked = (currency: string) => quote('book', line('bolt', { unit_price_currency: currency }));
    expect(await prices((await made(seller, 'quote', asked('EUR'))).id)).toEqual(['12.50 EUR']);
    expect(await faults(made(seller, 'quote', asked('USD')))).toEqual([missing(0)]);
  });

  test('finds nothing in a book that is over, not yet valid or switched off, nor an entry that is off', async () => {
    for (const book of ['over', 'coming', 'off'])
      expect(await faults(made(seller, 'quote', quote(book, line('bolt'))))).toEqual([missing(0)]);
    expect(await faults(made(seller, 'quote', quote('book', line('nut'), line('cog'))))).toEqual([missing(1)]);
    expect(await faults(made(seller, 'quote', quote(null, line('bolt'))))).toEqual([missing(0)]);
    expect(await faults(made(seller, 'quote', quote('book', { description: 'no product' })))).toEqual([missing(0)]);
  });

  test('says the same of a price that may not be seen and of one that is not there', async () => {
    const blind = await lab.person('blind');
    expect(await faults(made(blind, 'quote', quote('book', line('bolt'))))).toEqual([missing(0)]);
    expect(await faults(made(blind, 'quote', quote('over', line('bolt'))))).toEqual([missing(0)]);
    // The dollars are out of the seller's sight: naming that book is refused, and a quote of others gives nothing away.
    expect(await faults(made(seller, 'quote', quote('dollars', line('bolt'))))).toEqual([
      'reference /price_book This refers to a record that does not exist or that you may not see.',
    ]);
    const { id } = await made(chief, 'quote', quote('dollars'));
    expect(await faults(made(seller, 'quote_line', { quote: id, ...line('bolt') }))).toEqual([
      'required /unit_price Unit price is required: no value was found for it that you may see.',
    ]);
    expect((await made(chief, 'quote_line', { quote: id, ...line('bolt') })).id).not.toBe('');
    expect(await prices(id)).toEqual(['14.00 USD']);
  });

  test('a role of Postgres finds no more by calling the function itself', async () => {
    const field = entity('quote_line').fields.get('unit_price');
    const { id } = await made(chief, 'quote', quote('dollars'));
    const ask = async (scope: Scope) => {
      const [result] = await lab.database.batch(sessionOf(scope.principal), [
        {
          text: `select value::text from ${lab.tenant.names.schema}."fill_${field?.id}_2_decimal_of"(null, $1::uuid, $2::uuid, null)`,
          values: [ids['bolt'] ?? null, id],
        },
      ]);
      return result?.rows;
    };
    expect(await ask(seller)).toEqual([]);
    expect(await ask(chief)).toEqual([['14.00']]);
  });
});

describe('every way of writing', () => {
  test('many at once, each by its own quote', async () => {
    const { id: euros } = await made(chief, 'quote', quote('book'));
    const { id: dollars } = await made(chief, 'quote', quote('dollars'));
    await writer.create(chief, entity('quote_line'), [
      { quote: euros, ...line('bolt') },
      { quote: dollars, ...line('bolt') },
      { quote: euros, ...line('nut', { unit_price: '5' }) },
    ]);
    expect([await prices(euros), await prices(dollars)]).toEqual([['12.50 EUR', '5.00 EUR'], ['14.00 USD']]);
    const bad = [
      { quote: euros, ...line('bolt') },
      { quote: euros, ...line('cog') },
    ];
    expect(await faults(writer.create(chief, entity('quote_line'), bad))).toEqual([
      'required /1/unit_price Unit price is required: no value was found for it that you may see.',
    ]);
    expect(await prices(euros)).toHaveLength(2);
  });

  test('a dry run answers the price and keeps nothing', async () => {
    const { id } = await made(chief, 'quote', quote('book'));
    const { body } = await writer.create(chief, entity('quote_line'), { quote: id, ...line('bolt') }, { dryRun: true });
    expect(JSON.parse(body ?? '')).toMatchObject({
      data: { unit_price: '12.50', unit_price_currency: 'EUR', net: '12.50' },
    });
    expect(await prices(id)).toEqual([]);
  });

  test('another product brings its own price, unless one is given with it or there is none', async () => {
    const { id } = await made(seller, 'quote', quote('book', line('bolt')));
    const [row] = await lab.look(`select id from ${lab.tenant.names.schema}.crm_quote_lines where quote = $1`, [id]);
    const part = String(row?.['id']);
    const change = (body: Data) =>
      writer.update(seller, entity('quote'), id, { lines: { update: [{ id: part, ...body }] } });
    await change({ product: ids['nut'] });
    expect(await prices(id)).toEqual(['3.20 EUR']);
    await change({ product: ids['bolt'], unit_price: '3.20' });
    expect(await prices(id)).toEqual(['3.20 EUR']);
    await change({ quantity: '2' });
    expect(await prices(id)).toEqual(['3.20 EUR']);
    await writer.update(seller, entity('quote_line'), part, { product: ids['bolt'] });
    await writer.update(seller, entity('quote_line'), part, { product: ids['nut'] });
    expect(await prices(id)).toEqual(['3.20 EUR']);
    await writer.update(seller, entity('quote_line'), part, { product: ids['cog'] });
    await writer.update(seller, entity('quote_line'), part, { product: null });
    expect(await prices(id)).toEqual(['3.20 EUR']);
  });
});

test('a line of an opportunity takes it from the opportunity’s price book', async () => {
  const body = { name: 'Harbour', price_book: ids['book'], lines: [line('bolt'), line('nut', { unit_price: '1' })] };
  const { id } = await made(seller, 'opportunity', body);
  expect(await prices(id, 'crm_opportunity_lines', 'opportunity')).toEqual(['12.50 EUR', '1.00 EUR']);
});

test('a required price is kept by Postgres too, whoever writes around the engine', async () => {
  const { id } = await made(chief, 'quote', quote('book'));
  const insert = (product: string | null) =>
    lab.database.batch(sessionOf(seller.principal), [
      {
        text: `insert into ${lab.tenant.names.schema}.crm_quote_lines (id, quote, product, description) values (gen_random_uuid(), $1, $2, 'raw')`,
        values: [id, product],
      },
    ]);
  await insert(ids['bolt'] ?? null);
  expect(await prices(id)).toEqual(['12.50 EUR']);
  await expect(insert(null)).rejects.toMatchObject({ code: 'AR002' });
});
