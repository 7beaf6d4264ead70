/** Small functions that exist twice, here and in Postgres: periods, the beginning of a day, folded texts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { fold, LATIN, LETTERS } from './fold.ts';
import { startOfDay } from './moment.ts';
import { isPeriod, periodEdge, PERIODS } from './period.ts';
import { period } from './testing/arbitraries.ts';

const { superuser } = await testDatabase();

/** Clocks change over midnight in some of them, by half an hour in one, and one has left out a day. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Apia',
];

describe('a day', () => {
  it('begins at the same moment in JavaScript and in Postgres, whatever the clocks do', {
    timeout: 300_000,
  }, async () => {
    const days = Array.from({ length: 366 * 12 }, (_, day) =>
      new Date(Date.UTC(2011, 0, 1) + day * 86_400_000).toISOString().slice(0, 10),
    );
    for (const zone of ZONES) {
      const { rows } = await superuser.query<{ day: string; ms: string }>(
        `select day::text, (extract(epoch from day::date::timestamp at time zone $2) * 1000)::bigint::text as ms from unnest($1::date[]) day`,
        [days, zone],
      );
      const different = rows.filter((row) => startOfDay(row.day, zone) !== Number(row.ms)).map((row) => row.day);
      expect({ zone, different }).toEqual({ zone, different: [] });
    }
  });
});

describe('a period', () => {
  it('has the same edges in JavaScript and in Postgres, days and moments', { timeout: 300_000 }, async () => {
    const now = fc.integer({ min: Date.UTC(2016, 0, 1), max: Date.UTC(2026, 11, 31) });
    const cases = fc.array(fc.tuple(period, fc.constantFrom('from', 'to'), now), { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(...ZONES), async (asked, timeZone) => {
        await superuser.query(`select set_config('armature.time_zone', $1, false)`, [timeZone]);
        const calls = asked.map(([name, edge, moment]) => {
          const day = `armature.period_${edge}('${name}')`;
          const at = `set_config('armature.now', '${new Date(moment).toISOString()}', false)`;
          return `select case when ${at} is not null then ${day}::text || ' ' || (extract(epoch from armature.start_of_day(${day})) * 1000)::bigint end as edge`;
        });
        const { rows } = await superuser.query<{ edge: string }>(
          // The setting is made before the function looks at it: one after the other.
          calls.join(' union all '),
        );
        for (const [index, [name, edge, moment]] of asked.entries()) {
          // Without a tenant's role, fiscal years begin in January; agreement.db.test.ts has another month.
          const context = { now: moment, timeZone, fiscalYearStart: 1 };
          const which = edge === 'from' ? 'from' : 'to';
          const day = periodEdge(name, which, 'date', context);
          const at = Date.parse(periodEdge(name, which, 'datetime', context));
          expect({ name, edge, moment, answer: rows[index]?.edge }).toEqual({
            name,
            edge,
            moment,
            answer: `${day} ${at}`,
          });
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is known by its words, and by nothing else', () => {
    expect(PERIODS.every(isPeriod)).toBe(true);
    for (const known of ['last_1_days', 'next_1000_weeks', 'last_12_months', 'next_3_quarters']) {
      expect([known, isPeriod(known)]).toEqual([known, true]);
    }
    for (const wrong of ['', 'this_day', 'last_0_days', 'last_1001_days', 'last_3_day', 'this_3_days', 'last_days']) {
      expect([wrong, isPeriod(wrong)]).toEqual([wrong, false]);
    }
  });

  it.each([
    ['this_week', '2026-01-26', '2026-02-02'],
    ['last_30_days', '2026-01-02', '2026-02-01'],
    ['next_1_months', '2026-01-31', '2026-02-28'],
    ['last_quarter', '2025-10-01', '2026-01-01'],
    ['this_fiscal_quarter', '2026-01-01', '2026-04-01'],
    ['this_fiscal_year', '2025-04-01', '2026-04-01'],
    ['next_fiscal_quarter', '2026-04-01', '2026-07-01'],
  ])('%s, on 31 January with a fiscal year from April, is %s to %s', (name, from, to) => {
    const context = { now: Date.UTC(2026, 0, 31, 12), timeZone: 'UTC', fiscalYearStart: 4 };
    expect([periodEdge(name, 'from', 'date', context), periodEdge(name, 'to', 'date', context)]).toEqual([from, to]);
  });
});

describe('a folded text', () => {
  it('is the same in JavaScript and in Postgres', { timeout: 300_000 }, async () => {
    const letter = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...Array.from(LETTERS), ...Array.from('Ääß ẞŁøæŒ-–_,.;:!?()%\\\'"12\u0301\u064B\u0640ΣςİÇŸ')),
    );
    const texts = fc.array(
      fc.array(letter, { maxLength: 12 }).map((letters) => letters.join('')),
      { maxLength: 200 },
    );
    await fc.assert(
      fc.asyncProperty(texts, async (all) => {
        const known = all.filter((text) => !text.includes('\0') && text.isWellFormed());
        const { rows } = await superuser.query<{ folded: string; assigned: boolean }>(
          'select armature.fold(t) as folded, unicode_assigned(t) as assigned from unnest($1::text[]) with ordinality u(t, n) order by n',
          [known],
        );
        for (const [index, text] of known.entries()) {
          if (rows[index]?.assigned !== true) continue;
          expect({ text, folded: rows[index]?.folded }).toEqual({ text, folded: fold(text) });
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['Müller & Söhne, Köln', ' muller sohne koln'],
    ['Straße 5', ' strasse 5'],
    ['  ', ' '],
    ['info@Example.com', ' info example com'],
    ['مُحَمَّد', ` ${fold('محمد').trim()}`],
  ])('%s becomes "%s"', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it('has a Latin letter for each letter it translates', () => {
    expect(Array.from(LETTERS)).toHaveLength(LATIN.length);
    expect(/^[a-z0-9]+$/.test(LATIN)).toBe(true);
  });
});
