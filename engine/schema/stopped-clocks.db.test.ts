/** Deadlines whose clock stands while a record waits: worked figures, and a stopwatch in JavaScript that agrees. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BusinessHours } from '#engine/model/tenant.ts';
import { DAY, MINUTE, PROMISE, setCalendar } from '#tests/support/deadlines.ts';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { stopwatch } from '#tests/support/stopwatch.ts';

const database = await testDatabase();
let now = 0;
let lab: FieldLab;
let promise: unknown;

beforeAll(async () => {
  const choice = (key: string, ...keys: readonly string[]) => ({
    key,
    type: 'choice',
    choices: keys.map((one) => ({ key: one, label: one })),
  });
  lab = await makeFieldLab(
    database,
    [
      { key: 'begun', type: 'datetime' },
      choice('level', 'low', 'high'),
      choice('status', 'busy', 'waiting', 'done'),
      { key: 'promise', type: 'reference', to: 'lab.promise', onDelete: 'clear' },
      {
        key: 'due',
        type: 'deadline',
        from: 'begun',
        minutes: { via: 'promise', by: 'level', fields: { low: 'slow', high: 'quick' } },
        pause: { status: 'waiting' },
      },
      { key: 'ended', type: 'datetime' },
      { key: 'late', type: 'formula', returns: 'boolean', expr: 'ended > due' },
    ],
    [PROMISE, { kind: 'permission', role: 'chief', entity: 'promise', actions: ['create', 'read', 'update'] }],
    { now: () => now },
  );
  const [row] = await lab.lab.look(
    `insert into ${lab.lab.tenant.names.schema}.lab_promises (id, name, slow, quick) values (gen_random_uuid(), 'p', 480, 60) returning id`,
  );
  promise = row?.['id'];
});
afterAll(() => lab.close());

const BERLIN: BusinessHours = { timeZone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' };

const calendar = (hours: BusinessHours, holidays?: readonly string[]) => setCalendar(lab.lab, hours, holidays);

const at = (moment: string): number => Date.parse(moment);

/** A record that began and was stored at a moment. */
async function begin(moment: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  now = at(moment);
  return (await lab.create({ name: 'x', promise, level: 'high', status: 'busy', begun: moment, ...more })).id;
}

/** Changes it at a moment. @returns when it is due then */
async function turn(id: string, moment: string, body: Readonly<Record<string, unknown>>): Promise<unknown> {
  now = at(moment);
  return iso((await lab.update(id, body))['due']);
}

const iso = (moment: unknown): unknown => (typeof moment === 'string' ? new Date(moment).toISOString() : moment);

const wait = (id: string, moment: string) => turn(id, moment, { status: 'waiting' });
const resume = (id: string, moment: string) => turn(id, moment, { status: 'busy' });
const due = async (id: string) => iso((await lab.one(id))?.['due']);

describe('while a record waits its clock stands', () => {
  beforeEach(() => calendar(BERLIN));

  test('and what was left is left when it goes on', async () => {
    // Monday 10:00 in Berlin, an hour; 20 minutes of it gone when it stops, so 40 are left.
    const id = await begin('2026-01-05T09:00:00Z');
    expect(await due(id)).toBe('2026-01-05T10:00:00.000Z');
    expect(await wait(id, '2026-01-05T09:20:00Z')).toBeNull();
    expect(await resume(id, '2026-01-05T12:00:00Z')).toBe('2026-01-05T12:40:00.000Z');
    // And once more: ten minutes run, thirty are left, over the night.
    expect(await wait(id, '2026-01-05T12:10:00Z')).toBeNull();
    expect(await resume(id, '2026-01-05T15:45:00Z')).toBe('2026-01-06T08:15:00.000Z');
  });

  test('nights, weekends and holidays in between cost nothing and give nothing', async () => {
    await calendar(BERLIN, ['2026-01-12']);
    // Friday 16:30 to 17:00 runs half of the hour; it waits over the weekend and the holiday of Monday.
    const id = await begin('2026-01-09T15:30:00Z');
    expect(await due(id)).toBe('2026-01-13T08:30:00.000Z');
    expect(await wait(id, '2026-01-10T11:00:00Z')).toBeNull();
    expect(await resume(id, '2026-01-12T11:00:00Z')).toBe('2026-01-13T08:30:00.000Z');
    // Ten minutes of working time waited: due ten minutes later.
    expect(await wait(id, '2026-01-12T20:00:00Z')).toBeNull();
    expect(await resume(id, '2026-01-13T08:10:00Z')).toBe('2026-01-13T08:40:00.000Z');
  });

  test('a day on which the clocks change is as long as it is', async () => {
    await calendar({ ...BERLIN, days: [7], from: '00:00', to: '06:00' });
    // Sunday 29 March 2026 in Berlin: 02:00 is 03:00. Of eight hours one has run at 01:00; four of this day are left.
    const id = await begin('2026-03-28T23:00:00Z', { level: 'low' });
    expect(await due(id)).toBe('2026-04-05T01:00:00.000Z');
    await wait(id, '2026-03-29T00:00:00Z');
    // 04:00 in Berlin: two real hours waited.
    expect(await resume(id, '2026-03-29T02:00:00Z')).toBe('2026-04-05T03:00:00.000Z');
  });

  test('a deadline that had passed stays where it was', async () => {
    const id = await begin('2026-01-05T09:00:00Z');
    expect(await wait(id, '2026-01-05T10:30:00Z')).toBe('2026-01-05T10:00:00.000Z');
    expect(await resume(id, '2026-01-05T14:00:00Z')).toBe('2026-01-05T10:00:00.000Z');
    now = at('2026-01-05T14:30:00Z');
    expect(await lab.update(id, { ended: '2026-01-05T10:20:00Z' })).toMatchObject({ late: true });
  });

  test('ending a record out of a pause counts as going on', async () => {
    const id = await begin('2026-01-05T09:00:00Z');
    await wait(id, '2026-01-05T09:30:00Z');
    now = at('2026-01-05T15:00:00Z');
    const ended = await lab.update(id, { status: 'done', ended: '2026-01-05T15:00:00Z' });
    expect([iso(ended['due']), ended['late']]).toEqual(['2026-01-05T15:30:00.000Z', false]);
  });

  test('other hours for the same record count the pauses it has had', async () => {
    const id = await begin('2026-01-05T09:00:00Z');
    await wait(id, '2026-01-05T09:30:00Z');
    await resume(id, '2026-01-05T11:30:00Z');
    // Eight hours from 10:00 with two of pause: the working day ends at 17:00 after five, three are left.
    expect(await turn(id, '2026-01-05T11:40:00Z', { level: 'low' })).toBe('2026-01-06T11:00:00.000Z');
    await wait(id, '2026-01-05T12:00:00Z');
    expect(await turn(id, '2026-01-05T12:30:00Z', { level: 'high' })).toBe('2026-01-05T12:00:00.000Z');
    expect(await turn(id, '2026-01-05T12:40:00Z', { level: 'low' })).toBeNull();
    expect(await resume(id, '2026-01-05T13:00:00Z')).toBe('2026-01-06T12:00:00.000Z');
  });

  test('neither a changed service level nor other changes move what was promised', async () => {
    const id = await begin('2026-01-05T09:00:00Z');
    await wait(id, '2026-01-05T09:20:00Z');
    const table = `${lab.lab.tenant.names.schema}.lab_promises`;
    await lab.lab.look(`update ${table} set quick = 5`);
    expect(await turn(id, '2026-01-05T11:00:00Z', { name: 'y' })).toBeNull();
    expect(await resume(id, '2026-01-05T12:00:00Z')).toBe('2026-01-05T12:40:00.000Z');
    expect(await turn(id, '2026-01-05T12:10:00Z', { name: 'z' })).toBe('2026-01-05T12:40:00.000Z');
    await lab.lab.look(`update ${table} set quick = 60`);
  });

  test('a record that begins waiting begins to run when it goes on', async () => {
    const id = await begin('2026-01-05T09:00:00Z', { status: 'waiting' });
    expect(await due(id)).toBeNull();
    expect(await resume(id, '2026-01-05T10:00:00Z')).toBe('2026-01-05T11:00:00.000Z');
  });

  test('nobody writes what is remembered of the pauses', async () => {
    const id = await begin('2026-01-05T09:00:00Z');
    await lab.lab.look(
      `update ${lab.lab.tenant.names.schema}.lab_things set due = null, "due~kept" = now(), "due~pauses" = '{[2026-01-01,)}' where id = $1`,
      [id],
    );
    expect(await due(id)).toBe('2026-01-05T10:00:00.000Z');
  });
});

test('any sequence of pauses and changes leaves what a stopwatch says', async () => {
  const hour = fc.integer({ min: 5, max: 11 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland'),
        days: fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
        from: hour.map((value) => `${String(value).padStart(2, '0')}:30`),
        to: hour.map((value) => `${value + 8}:15`),
      }),
      fc.array(fc.integer({ min: 60, max: 120 }), { maxLength: 8 }),
      fc.integer({ min: 60 * 24 * 60, max: 110 * 24 * 60 }),
      fc.array(
        fc.tuple(
          fc.integer({ min: 1, max: 2500 }),
          fc.constantFrom('waiting', 'waiting', 'busy', 'busy', 'low', 'high'),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      async (hours, free, start, turns) => {
        const first = Date.UTC(2026, 0, 1);
        const holidays = free.map((days) => new Date(first + days * DAY).toISOString().slice(0, 10));
        await calendar(hours, holidays);
        const since = first + start * MINUTE;
        const id = await begin(new Date(since).toISOString());
        const pauses: [number, number][] = [];
        let minutes = 60;
        let moment = since;
        for (const [later, what] of turns) {
          moment += later * MINUTE;
          const open = pauses.at(-1)?.[1] === Infinity ? pauses.at(-1) : undefined;
          if (what === 'waiting' && !open) pauses.push([moment, Infinity]);
          if (what === 'busy' && open) open[1] = moment;
          if (what === 'low' || what === 'high') minutes = what === 'low' ? 480 : 60;
          const body = what === 'low' || what === 'high' ? { level: what } : { status: what };
          expect(await turn(id, new Date(moment).toISOString(), body)).toBe(
            isoOf(stopwatch(hours, holidays, since, minutes, pauses)),
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});

const isoOf = (moment: number | null): string | null => (moment === null ? null : new Date(moment).toISOString());
