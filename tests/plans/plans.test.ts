/**
 * A filter on an indexed field is answered by an index: as the application asks it, in the role of somebody who sees
 * everything and of somebody who sees their own records and those shared with them, on a million of them. Where that cannot be, the reason stands
 * here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offeredOperators } from '#engine/condition/offered.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { excused, REASONS } from './reasons.ts';
import { asked, indexedFields, type Shape, shapesOf } from './shapes.ts';
import { idOf, type Planned, READERS, ROWS, Warehouse } from './warehouse.ts';

const database = await testDatabase();
let warehouse: Warehouse;

const PATTERN = 'looks inside of texts, letter by letter; `search` and `$search` have an index';
const BARRIER =
  'fits the page so narrowly that walking the newest looks cheaper; behind a row policy, even one that is true, Postgres has no statistics for numeric, which it does not trust, and takes what has one end for a third of the records. No index tells it otherwise';
const EVERY = 'is about all records there are';

/** Shapes that read the whole table, and why; for whoever sees everything, who sees their own, or both. */
const REASONS_OF: Readonly<Record<string, { readonly role?: 'keeper' | 'owner'; readonly why: string }>> = {
  'code[contains]=99999': { role: 'keeper', why: PATTERN },
  'amount[gt]=142800.00': { role: 'keeper', why: BARRIER },
  'code[icontains]=C99999': { role: 'keeper', why: PATTERN },
  'code[istarts]=C99999': { role: 'keeper', why: 'compares in lower case, and the index has the texts as they are' },
  'code[ends]=999999': { role: 'keeper', why: PATTERN },
  'code[ilike]=C99999%25': { role: 'keeper', why: PATTERN },
  '$group=kind': { role: 'keeper', why: EVERY },
  '$group=month(seen_at)&$agg=n:count(),s:sum(amount)&$having=n[gte]:5': { role: 'keeper', why: EVERY },
  '$distinct=kind': { role: 'keeper', why: EVERY },
  '$count=exact': { role: 'keeper', why: EVERY },
};

const written: readonly (string | object)[] = [
  '',
  'code=c777777',
  'code[in]=c7,c77,c777',
  'code[starts]=c77777',
  'code[like]=c77777%25',
  'code[contains]=99999',
  'code[icontains]=C99999',
  'code[istarts]=C99999',
  'code[ends]=999999',
  'code[ilike]=C99999%25',
  'name[search]=a87ff679a2f3',
  'rank=777',
  'rank[in]=7,77,777',
  'rank[lt]=50',
  'rank[between]=500,600',
  'rank[ne]=5',
  'amount[between]=100.00,105.00',
  'amount[gt]=142800.00',
  'amount=100.00',
  'weight[between]=100,101',
  'due=2005-05-05',
  'due[within]=last_30_days',
  'seen_at[within]=this_month',
  'kind=used',
  'kind[nin]=used,broken',
  'code[null]=true',
  'tags[has]=t777',
  'tags[hasAny]=t777,t778',
  'tags[hasAll]=t777,u0',
  `shelf=${idOf('222', 777)}`,
  `shelf[under]=${idOf('222', 77)}`,
  'shelf.name=Shelf 777',
  `about_id=${idOf('444', 777)}`,
  `about_id[in]=${idOf('444', 777)},${idOf('222', 778)}`,
  `about_box=${idOf('444', 777)}`,
  `about.id=${idOf('222', 778)}&$order=-rank`,
  'about_entity=depot.box',
  { where: { parts: { some: { quantity: 777 } } } },
  { where: { parts: { some: { quantity: { between: [500, 520] } } }, kind: 'new' } },
  { where: { rank: { lt: 50 }, parts: { none: { quantity: { gte: 5 } } } } },
  { where: { rank: { lt: 50 }, parts: { count: { gte: 1 } } } },
  '$search=a87ff679a2f3',
  '$search=a87ff679a2f3&$order=-rank',
  '$search=a87ff679a2f3&$count=exact',
  '$search=artcle a87ff679',
  '$order=rank',
  '$order=-amount',
  '$order=name&$last=20',
  'kind=used&$order=-rank&$first=20',
  '$group=kind',
  'rank[lt]=500&$group=kind&$agg=n:count(),s:sum(amount)',
  '$group=month(seen_at)&$agg=n:count(),s:sum(amount)&$having=n[gte]:5',
  '$distinct=kind',
  'rank[lt]=500&$distinct=kind',
  '$count=exact',
  '$count=capped',
  'rank[lt]=500&$count=exact',
];

/** Of the grammar as a whole, without values: links, references to one of several entities, and what is asked of many records. */
const FURTHER: readonly (string | object)[] = [
  { where: { labels: { some: { name: 'Label 777' } } } },
  { where: { labels: { some: { id: idOf('666', 777) } }, kind: 'new' } },
  { where: { rank: { lt: 50 }, labels: { none: {} } } },
  { where: { rank: { lt: 50 }, labels: { every: { name: 'Label 777' } } } },
  { where: { rank: { lt: 50 }, labels: { count: { gte: 1 } } } },
  { where: { not: { or: [{ rank: { lt: 999_950 } }, { kind: 'broken' }] } } },
  { where: { or: [{ rank: { lt: 50 } }, { and: [{ amount: '100.00' }, { kind: 'new' }] }] } },
  { where: { or: [{ about_shelf: idOf('222', 777) }, { about_box: idOf('444', 777) }] } },
  { where: { rank: { lt: 50 } }, group: ['kind'], aggregate: ['n:count()', 'd:countDistinct(shelf)'] },
  { where: { rank: { lt: 50 } }, aggregate: ['a:avg(amount)', 'l:min(due)', 'h:max(seen_at)', 's:sum(weight)'] },
  { where: { rank: { lt: 50 } }, group: ['shelf.name'], aggregate: ['n:count()'], having: { n: { gte: 1 } } },
  { where: { rank: { lt: 50 } }, distinct: ['shelf.name', 'year(due)'] },
  { where: { rank: { lt: 50 } }, order: ['shelf.name', '-amount'] },
  {
    where: { rank: { lt: 50 } },
    select: ['id', { parts: { where: { quantity: { gte: 2 } }, order: ['-quantity'], first: 3 } }],
  },
  {
    select: ['id', { labels: { select: ['name'], order: ['name'], first: 3 } }, { shelf: ['name'] }, 'about'],
    first: 50,
  },
];

const figures: string[] = [];

const counts = { index: 0, scan: 0 };
const FIELDS = [
  'id',
  'created_at',
  'owner',
  'name',
  'code',
  'rank',
  'amount',
  'weight',
  'due',
  'seen_at',
  'kind',
  'tags',
  'opens',
  'sold',
  'shelf',
  'about_box',
  'about_shelf',
];

function shapesOfField(key: string): Shape[] {
  const article = warehouse.entity('article');
  const field = article.fields.get(key);
  if (field === undefined) throw new TypeError(`the article has no ${key}`);
  return shapesOf(
    field,
    offeredOperators(field, article, (name) => warehouse.entity(name)),
  );
}

function told(role: string, name: string, { milliseconds, nodes }: Planned): void {
  figures.push(`${milliseconds.toFixed(1).padStart(9)} ms  ${role.padEnd(6)}  ${name.padEnd(72)} ${nodes.join(', ')}`);
}

describe(`of ${ROWS.toLocaleString('en')} records`, () => {
  beforeAll(async () => {
    warehouse = await Warehouse.open(database, database.superuser);
  }, 600_000);
  afterAll(async () => {
    await warehouse.close();
    process.stdout.write(
      `${counts.index + counts.scan} shapes that the grammar makes were planned: ${counts.index} with an index\n`,
    );
    process.stdout.write(`${figures.join('\n')}\n`);
  });

  /** Fields and operators are told by the model, so a field type or an operator that comes is asked as well. */
  describe.each(READERS)('whatever the grammar makes of an indexed field, for the %s,', (reader) => {
    it.each(FIELDS)('%s: an index serves, or a reason is written down', { timeout: 120_000 }, async (key) => {
      const scans: string[] = [];
      for (const shape of shapesOfField(key)) {
        if (!asked(shape, reader) || excused(shape, reader)) continue;
        const scan = await warehouse.scanOf(reader, shape.query, shape.entity);
        counts[scan === null ? 'index' : 'scan'] += 1;
        if (scan !== null) scans.push(`${shape.test}, ${shape.around}: ${scan}`);
      }
      expect(scans).toEqual([]);
    });
  });

  it('has asked for every indexed field', () => {
    expect(indexedFields(warehouse.entity('article')).map(({ key }) => key)).toEqual(FIELDS);
  });

  it.each(REASONS)('needs the reason: it $why', { timeout: 60_000 }, async ({ example: [reader, around, test] }) => {
    const shape = shapesOfField(test.split(' ')[0] ?? '').find((one) => one.test === test && one.around === around);
    expect(await warehouse.scanOf(reader, shape?.query ?? {}, shape?.entity ?? 'article')).not.toBeNull();
  });

  describe.each(['keeper', 'owner'] as const)('the %s', (role) => {
    it.each(
      [...written, ...FURTHER].map((shape) => ({
        shape,
        name: typeof shape === 'string' ? shape : JSON.stringify(shape),
      })),
    )('finds $name', { timeout: 60_000 }, async ({ shape, name }) => {
      const planned = await warehouse.plan(role, shape);
      told(role, name, planned);
      const reason = REASONS_OF[name];
      const excused = reason !== undefined && (reason.role ?? role) === role;
      // A reason that is none any more goes.
      expect({ plan: planned.nodes, scansAll: planned.scansAll }).toEqual({ plan: planned.nodes, scansAll: excused });
    });

    it.each(['$order=rank', '$order=-amount', '$order=code', 'kind=new', ''])(
      'turns the pages of %s',
      { timeout: 60_000 },
      async (query) => {
        const separator = query === '' ? '' : '&';
        const cursor = await warehouse.next(role, `${query}${separator}$first=20`);
        const planned = await warehouse.plan(role, `${query}${separator}$first=20&$after=${cursor}`);
        told(role, `${query} $after`, planned);
        expect({ plan: planned.nodes, scansAll: planned.scansAll }).toEqual({ plan: planned.nodes, scansAll: false });
      },
    );
  });
});
