/** Deadlines: business time as Postgres counts it is that of a slow twin in JavaScript; columns follow their inputs. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusinessHours } from '#engine/model/tenant.ts';
import { DAY, MINUTE, PROMISE, setCalendar } from '#tests/support/deadlines.ts';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { stopwatch } from '#tests/support/stopwatch.ts';

const database = await testDatabase();
let lab: FieldLab;

beforeAll(async () => {
  const choices = ['low', 'high'].map((key) => ({ key, label: key }));
  lab = await makeFieldLab(
    database,
    [
      { key: 'begun', type: 'datetime' },
      { key: 'level', type: 'choice', choices },
      { key: 'promise', type: 'reference', to: 'lab.promise', onDelete: 'clear' },
      {
        key: 'due',
        type: 'deadline',
        from: 'begun',
        minutes: { via: 'promise', by: 'level', fields: { low: 'slow', high: 'quick' } },
      },
      { key: 'late', type: 'formula', returns: 'boolean', expr: 'begun > due' },
    ],
    [PROMISE],
  );
});
afterAll(() => lab.close());

const calendar = (hours: BusinessHours, holidays?: readonly string[]) => setCalendar(lab.lab, hours, holidays);

async function added(since: number, minutes: number): Promise<number | null> {
  const [row] = await lab.lab.look(
    `select (extract(epoch from armature.add_business_time($1, $2::timestamptz, $3)) * 1000)::bigint::text as due`,
    [lab.lab.tenant.id, new Date(since).toISOString(), minutes],
  );
  return typeof row?.['due'] === 'string' ? Number(row['due']) : null;
}

const clock = (from: number, to: number) =>
  fc
    .tuple(fc.integer({ min: from, max: to }), fc.constantFrom('00', '15', '30'))
    .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);

describe('business time', () => {
  test('is what a slow count gives, over holidays and changes of the clocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland'),
          days: fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
          from: clock(5, 11),
          to: clock(12, 22),
        }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 365 * 24 * 60 }),
        fc.integer({ min: 0, max: 20_000 }),
        async (hours, free, start, minutes) => {
          const first = Date.UTC(2026, 0, 1);
          const holidays = free.map((days) => new Date(first + days * DAY).toISOString().slice(0, 10));
          await calendar(hours, holidays);
          const since = first + start * MINUTE;
          expect(await added(since, minutes)).toBe(stopwatch(hours, holidays, since, minutes));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('never ends where nobody ever works, and holds nonsense among the holidays out', async () => {
    const hours = { timeZone: 'UTC', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' };
    await calendar({ ...hours, days: [] }, []);
    expect(await added(Date.UTC(2026, 0, 1), 1)).toBeNull();
    await calendar(hours, ['never', '2026-02-30', '2026-01-05']);
    expect(await added(Date.UTC(2026, 0, 2, 16), 120)).toBe(Date.UTC(2026, 0, 6, 10));
    expect(await added(Date.UTC(2026, 0, 2, 16), -1)).toBeNull();
  });
});

test('no role learns of the calendar of another organisation', async () => {
  const sql = `select armature.add_business_time($1, '2026-01-05T09:00:00Z', 60) is null as nothing`;
  const as = async (tenant: string) => {
    await lab.lab.look('begin');
    try {
      await lab.lab.look(`set local role "${lab.chief.principal.dbRole}"`);
      return (await lab.lab.look(sql, [tenant]))[0]?.['nothing'];
    } finally {
      await lab.lab.look('rollback');
    }
  };
  await calendar({ timeZone: 'UTC', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }, []);
  expect(await as(lab.lab.tenant.id)).toBe(false);
  const other = '0197a000-0000-7000-8000-0000000000fe';
  await lab.lab.look(
    `insert into armature.tenant (id, key, name, country, currency, time_zone, locale, business_hours)
     select $1, 'other', 'other', country, currency, time_zone, locale, business_hours from armature.tenant where id = $2`,
    [other, lab.lab.tenant.id],
  );
  expect(await as(other)).toBe(true);
});

test('a deadline follows its inputs, is not written by people, and needs no right to the minutes', async () => {
  await calendar({ timeZone: 'UTC', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }, []);
  const table = `${lab.lab.tenant.names.schema}.lab_promises`;
  const [row] = await lab.lab.look(
    `insert into ${table} (id, name, slow, quick) values (gen_random_uuid(), 'p', 480, 60) returning id`,
  );
  const promise = row?.['id'];
  expect(await lab.refused(lab.create({ name: 'x', due: '2026-01-05T10:00:00Z' }))).toEqual(['read_only /due']);
  // The chief may not read promises, so nobody lets the chief name one: the database's own word for it.
  const made = await lab.create({ name: 'a', begun: '2026-01-02T16:00:00Z', level: 'high' });
  expect(made['due']).toBeNull();
  const things = `${lab.lab.tenant.names.schema}.lab_things`;
  await lab.lab.look(`update ${things} set promise = $1 where id = $2`, [promise, made.id]);
  const due = async () => {
    const [found] = await lab.lab.look(`select due from ${things} where id = $1`, [made.id]);
    return found?.['due'] instanceof Date ? found['due'].toISOString() : null;
  };
  expect(await due()).toBe('2026-01-02T17:00:00.000Z');
  await lab.update(made.id, { level: 'low' });
  expect(await due()).toBe('2026-01-05T16:00:00.000Z');
  await lab.lab.look(`update ${table} set slow = 1`);
  await lab.update(made.id, { name: 'b' });
  expect(await due()).toBe('2026-01-05T16:00:00.000Z');
});
