/** Values taken from other records, whose fields are wider than those they are taken for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { sessionOf } from '#engine/db/database.ts';
import { parseUrlQuery } from '#engine/records/query/url.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { type Lab, makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { refusal } from '#tests/support/refusal.ts';

type Data = Readonly<Record<string, unknown>>;

const COLOURS = ['red', 'green', 'blue'].map((key) => ({ key, label: key }));
const taken = (key: string, type: string, more: Data = {}) => ({
  key,
  type,
  label: `Own ${key}`,
  ...more,
  fill: { from: 'tool', field: key, match: { id: 'tool' } },
});

const database = await testDatabase();
let lab: Lab;
let writer: Writer;
let chief: Scope;
/** Sees of tools nothing but the name and the weight. */
let porter: Scope;

beforeAll(async () => {
  const everything = ['create', 'read', 'update', 'delete', 'import'];
  lab = await makeLab(database, {
    documents: [
      ...['chief', 'porter', 'scribe'].map((key) => ({ kind: 'role', key, label: key, inherits: ['member'] })),
      {
        kind: 'entity',
        key: 'tool',
        plural: 'tools',
        label: 'Tool',
        pluralLabel: 'Tools',
        fields: [
          { key: 'name', type: 'text', required: true },
          { key: 'note', type: 'text', label: 'Note' },
          { key: 'weight', type: 'decimal', scale: 4, label: 'Weight' },
          { key: 'fee', type: 'money', label: 'Fee' },
          { key: 'colour', type: 'choice', label: 'Colour', choices: COLOURS },
          { key: 'colours', type: 'multiple_choice', label: 'Colours', choices: COLOURS },
        ],
      },
      {
        kind: 'entity',
        key: 'loan',
        plural: 'loans',
        label: 'Loan',
        fields: [
          { key: 'name', type: 'text' },
          { key: 'lines', type: 'children', of: 'lab.line' },
        ],
      },
      {
        kind: 'entity',
        key: 'line',
        plural: 'lines',
        label: 'Line',
        parent: 'loan',
        fields: [
          { key: 'loan', type: 'reference', to: 'lab.loan', required: true, onDelete: 'cascade' },
          { key: 'tool', type: 'reference', to: 'lab.tool' },
          taken('note', 'text', { max: 10, min: 2, pattern: '^[a-z ]+$' }),
          taken('weight', 'decimal', { scale: 2, precision: 5 }),
          taken('fee', 'money', { required: true, min: '1', max: '100' }),
          taken('colour', 'choice', { choices: COLOURS.slice(0, 2) }),
          taken('colours', 'multiple_choice', { choices: COLOURS, min: 2, max: 2 }),
        ],
      },
      {
        kind: 'lifecycle',
        key: 'progress',
        label: 'Progress',
        initial: 'planned',
        states: [{ key: 'planned' }, { key: 'out' }],
        transitions: [{ key: 'lend', label: 'Lend', from: ['planned'], to: 'out' }],
      },
      {
        kind: 'entity',
        key: 'hire',
        plural: 'hires',
        label: 'Hire',
        fields: [
          { key: 'code', type: 'text', unique: true },
          { key: 'stage', type: 'state', lifecycle: 'lab.progress' },
          { key: 'tool', type: 'reference', to: 'lab.tool' },
          taken('note', 'text'),
          taken('fee', 'money'),
        ],
      },
      { kind: 'permission', role: 'chief', entity: 'hire', actions: everything },
      { kind: 'permission', role: 'scribe', entity: 'tool', actions: ['read'] },
      {
        kind: 'permission',
        role: 'scribe',
        entity: 'hire',
        actions: everything,
        fields: { read: { except: ['note', 'fee'] } },
      },
      { kind: 'permission', role: 'chief', entity: 'tool', actions: everything },
      { kind: 'permission', role: 'chief', entity: 'loan', actions: everything },
      {
        kind: 'permission',
        role: 'porter',
        entity: 'tool',
        actions: ['read'],
        fields: { read: { only: ['name', 'weight'] } },
      },
      { kind: 'permission', role: 'porter', entity: 'loan', actions: everything },
    ],
  });
  writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
  chief = await lab.person('chief');
  porter = await lab.person('porter');
});
afterAll(() => lab.close());

async function tool(values: Data): Promise<string> {
  const { id } = await writer.create(chief, lab.entity('tool'), { name: 'Saw', fee: '5', ...values });
  return id ?? '';
}

const loan = (tools: readonly string[], more: Data = {}, scope = chief) =>
  writer.create(scope, lab.entity('loan'), { lines: tools.map((id) => ({ tool: id, ...more })) });

async function faults(work: Promise<unknown>): Promise<readonly string[]> {
  return (await refusal(work)).errors.map(({ code, pointer, message }) => `${code} ${pointer ?? ''} ${message}`);
}

const unfit = (field: string, index = 0) =>
  `unfit /lines/${index}/${field} Own ${field} is taken from “${field.charAt(0).toUpperCase()}${field.slice(1)}” of a record of Tools, and the value found there is not allowed here. Send a value.`;

/** The lines of a loan, as they stand in the database; of all loans without one. */
const linesOf = (id: string | null) =>
  lab.look(
    `select id, note, weight::text, fee::text, colour, colours from ${lab.tenant.names.schema}.lab_lines where loan = coalesce($1, loan) order by id`,
    [id],
  );

describe('a value that breaks a rule of the field it is taken for', () => {
  test.each<[string, string, unknown]>([
    ['longer than it may be', 'note', 'eleven char'],
    ['shorter', 'note', 'x'],
    ['not of its pattern', 'note', 'X 1'],
    ['with more decimals than are kept', 'weight', '1.0050'],
    ['with more digits than there is room for', 'weight', '1000'],
    ['above the largest', 'fee', '100.01'],
    ['below the smallest', 'fee', '0.99'],
    ['not one of its choices', 'colour', 'blue'],
    ['more of them than may be', 'colours', ['red', 'green', 'blue']],
    ['fewer of them', 'colours', ['red']],
  ])('is refused by name: %s', async (_, field, value) => {
    const good = await tool({});
    const bad = await tool({ [field]: value });
    const before = await linesOf(null);
    expect(await faults(loan([good, bad]))).toEqual([unfit(field, 1)]);
    expect(await linesOf(null)).toEqual(before);
  });

  test('is stored as it stands over there when it fits', async () => {
    const fitting = { note: 'ten chars', weight: '999.9900', fee: '100', colour: 'green', colours: ['red', 'blue'] };
    const { id = '' } = await loan([await tool(fitting)]);
    expect(await linesOf(id)).toMatchObject([
      { note: 'ten chars', weight: '999.99', fee: '100.00', colour: 'green', colours: ['red', 'blue'] },
    ]);
  });

  test('is not taken where another is sent', async () => {
    const { id = '' } = await loan([await tool({ fee: '100.01' })], { fee: '7', fee_currency: 'EUR' });
    expect(await linesOf(id)).toMatchObject([{ fee: '7.00' }]);
  });

  test('is refused where it would be looked up anew, and what was there stays', async () => {
    const [fine, dear] = [await tool({ weight: '2' }), await tool({ weight: '2.0050' })];
    const { id = '' } = await loan([fine]);
    const [line] = await linesOf(id);
    const part = line?.['id'];
    const change = { lines: { update: [{ id: part, tool: dear }] } };
    expect(await faults(writer.update(chief, lab.entity('loan'), id, change))).toEqual([
      unfit('weight').replace('/lines/0', '/lines/update/0'),
    ]);
    expect(await faults(writer.update(chief, lab.entity('line'), String(part), { tool: dear }))).toEqual([
      unfit('weight').replace('/lines/0', ''),
    ]);
    expect(await linesOf(id)).toEqual([{ ...line, weight: '2.00' }]);
  });

  test('says nothing of a value that may not be seen', async () => {
    const hidden = await tool({ note: 'eleven char', weight: '1.0050' });
    // A note that is too long is no note at all for them.
    const { id = '' } = await loan([hidden], { fee: '7', weight: '1' }, porter);
    expect(await linesOf(id)).toMatchObject([{ note: null, weight: '1.00' }]);
    expect(await faults(loan([hidden], { fee: '7' }, porter))).toEqual([unfit('weight')]);
  });

  test('is refused by Postgres too, whoever writes around the engine', async () => {
    const { id = null } = await loan([]);
    const bad = await tool({ weight: '1.0050' });
    const insert = lab.database.batch(sessionOf(chief.principal), [
      {
        text: `insert into ${lab.tenant.names.schema}.lab_lines (id, loan, tool) values (gen_random_uuid(), $1, $2)`,
        values: [id, bad],
      },
    ]);
    await expect(insert).rejects.toMatchObject({ code: 'AR002' });
  });
});

describe('on a record that exists', () => {
  const hires = () => lab.entity('hire');
  const look = async (id: string) =>
    (
      await lab.look(`select note, fee::text, fee_currency from ${lab.tenant.names.schema}.lab_hires where id = $1`, [
        id,
      ])
    )[0];
  const saw = { note: 'saw', fee: '5.00', fee_currency: 'EUR' };
  const axe = { note: 'axe', fee: '9.00', fee_currency: 'USD' };
  const begun = async () => {
    const [first, second] = [await tool(saw), await tool(axe)];
    const code = crypto.randomUUID();
    const { id = '' } = await writer.create(chief, hires(), { code, tool: first });
    expect(await look(id)).toEqual(saw);
    return { id, code, first, second };
  };

  test('a value of its own stays while the reference is the same, whoever sends it once more', async () => {
    const { id, code, first, second } = await begun();
    const own = { note: 'bent', fee: '4.00', fee_currency: 'EUR' };
    await writer.update(chief, hires(), id, own);
    const version = async () => (await writer.update(chief, hires(), id, { tool: first })).version;
    const before = await version();
    expect([await look(id), await version()]).toEqual([own, before]);
    await writer.upsert(chief, hires(), ['code'], { code, tool: first });
    await writer.upsert(chief, hires(), ['code'], [{ code, tool: first }]);
    expect(await look(id)).toEqual(own);
    await writer.update(chief, hires(), id, { tool: second });
    expect(await look(id)).toEqual(axe);
  });

  test('is looked up anew by a list of records by key', async () => {
    const { id, code, second } = await begun();
    const { body } = await writer.upsert(chief, hires(), ['code'], [{ code, tool: second }]);
    expect(body).toContain('updated');
    expect(await look(id)).toEqual(axe);
  });

  test('is looked up anew by a step that brings another reference, for one and for many', async () => {
    const [one, other] = [await begun(), await begun()];
    await writer.transition(chief, hires(), one.id, 'lend', { tool: one.second });
    expect(await look(one.id)).toEqual(axe);
    const matching = parseUrlQuery(`code=${other.code}`);
    await writer.transitionMany(chief, hires(), matching, 'lend', { tool: other.second, note: 'given' });
    expect(await look(other.id)).toEqual({ ...axe, note: 'given' });
  });

  test('stays for who may write and not read it: what it is to stay as cannot be looked at', async () => {
    const { id, code, first, second } = await begun();
    const scribe = await lab.person('scribe');
    expect((await writer.update(scribe, hires(), id, { tool: second })).version).toBe(2);
    await writer.upsert(scribe, hires(), ['code'], [{ code, tool: first }]);
    await writer.transition(scribe, hires(), id, 'lend', { tool: second, note: 'blind' });
    expect(await look(id)).toEqual({ ...saw, note: 'blind' });
  });
});
