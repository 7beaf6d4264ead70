/** What each kind of request costs the database: round trips and statements, counted on the wire. `docs/performance.md` shows the same table. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { parseSelect } from '#engine/records/query/terms.ts';
import { parseUrlQuery } from '#engine/records/query/url.ts';
import { Reader } from '#engine/records/read/reader.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { type Lab, makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { countingWire, type Sent, type Wire } from '#tests/support/wire.ts';

const database = await testDatabase();
let wire: Wire;
let lab: Lab;
let reader: Reader;
let writer: Writer;
let chief: Scope;
let worker: Scope;
let site = '';
let id = '';
let count = 0;

beforeAll(async () => {
  wire = await countingWire(database.address);
  lab = await makeLab({ ...database, address: wire.address });
  const services = { database: lab.database, clock: systemClock };
  reader = new Reader({ ...services, secret: 'not a secret' });
  writer = new Writer({ ...services, ids: systemIds });
  chief = await lab.person('chief');
  worker = await lab.person('worker');
  site = (await writer.create(chief, lab.entity('site'), { name: 'North' })).id ?? '';
  id = await made(worker);
});
afterAll(async () => {
  await lab.close();
  await wire.close();
});

const project = () => lab.entity('project');
const next = (): string => `Project ${(count += 1)}`;
const made = async (scope: Scope): Promise<string> =>
  (await writer.create(scope, project(), { name: next() })).id ?? '';
const list = (query: string) => reader.list(worker, project(), parseUrlQuery(query));

interface Kind {
  readonly name: string;
  /** What is to be there beforehand, uncounted. */
  readonly before?: () => Promise<string>;
  readonly work: (given: string) => Promise<unknown>;
  readonly sent: Sent;
}

/** The context is one statement of every batch; a transaction with decisions adds `begin` and `commit`. */
const KINDS: readonly Kind[] = [
  {
    name: 'read one',
    work: () => reader.one(worker, project(), id, parseSelect('id,name,budget')),
    sent: { trips: 1, statements: 2 },
  },
  { name: 'list', work: () => list('stage=planned&$order=-name&$first=50'), sent: { trips: 1, statements: 2 } },
  {
    name: 'list with two embeds and parts',
    work: () => list('$select=id,name,site(id,name),leader(id,name),items(id,label)'),
    sent: { trips: 1, statements: 2 },
  },
  { name: 'list with a count', work: () => list('$count=exact'), sent: { trips: 1, statements: 3 } },
  { name: 'groups', work: () => list('$group=stage&$agg=n:count()'), sent: { trips: 1, statements: 2 } },
  { name: 'create', work: () => made(worker), sent: { trips: 1, statements: 3 } },
  {
    name: 'create with a reference',
    work: () => writer.create(chief, project(), { name: next(), site }),
    sent: { trips: 1, statements: 4 },
  },
  {
    name: 'create with ten parts',
    work: () =>
      writer.create(chief, project(), {
        name: next(),
        items: Array.from({ length: 10 }, (_, index) => ({ label: `Item ${index}` })),
      }),
    sent: { trips: 1, statements: 4 },
  },
  {
    name: 'update',
    work: () => writer.update(worker, project(), id, { name: next() }, { ifMatch: null }),
    sent: { trips: 1, statements: 3 },
  },
  {
    name: 'transition',
    before: () => made(worker),
    work: (record) => writer.transition(worker, project(), record, 'begin', {}),
    sent: { trips: 1, statements: 3 },
  },
  {
    name: 'delete',
    before: () => made(worker),
    work: (record) => writer.remove(worker, project(), record),
    sent: { trips: 1, statements: 2 },
  },
  {
    name: 'upsert',
    work: () => writer.upsert(chief, project(), ['code'], { code: `C${next()}`.replaceAll(' ', ''), name: next() }),
    sent: { trips: 2, statements: 5 },
  },
  {
    name: 'create 1,000 at once',
    work: () =>
      writer.create(
        chief,
        project(),
        Array.from({ length: 1000 }, () => ({ name: next(), site })),
      ),
    sent: { trips: 1, statements: 3 },
  },
  {
    name: 'upsert 1,000 at once',
    work: () =>
      writer.upsert(
        chief,
        project(),
        ['code'],
        Array.from({ length: 1000 }, (_, index) => ({ code: `K${index}`, name: next() })),
      ),
    sent: { trips: 3, statements: 5 },
  },
  {
    name: 'batch of ten updates',
    work: () =>
      writer.together(worker, {}, async (inside) => {
        for (let part = 0; part < 10; part += 1) await inside.update(worker, project(), id, { name: next() });
        return '';
      }),
    sent: { trips: 11, statements: 43 },
  },
];

test.each(KINDS)('$name', async ({ before, work, sent }) => {
  const given = (await before?.()) ?? '';
  expect(await wire.count(() => work(given))).toEqual(sent);
});

test('the table of the documentation says the same', async () => {
  const page = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| (\S.*?) +\| +(\d+) +\| +(\d+) +\|$/gm);
  expect(Array.from(rows, ([, name, trips, statements]) => [name, Number(trips), Number(statements)])).toEqual(
    KINDS.map(({ name, sent }) => [name, sent.trips, sent.statements]),
  );
});
