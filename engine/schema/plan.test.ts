import { describe, expect, test } from 'vitest';
import { change, inOrder } from './change.ts';
import { makePlan } from './plan.ts';

const base = { table: 't', why: 'because' } as const;
const rename = change({
  ...base,
  kind: 'rename_column',
  phase: 'rename',
  title: 'Rename a field',
  sql: ['1'],
  risk: 'low',
});
const drop = change({ ...base, kind: 'change_checks', phase: 'drop_checks', title: 'Change the rules', sql: ['2'] });
const add = change({
  ...base,
  kind: 'change_checks',
  phase: 'add_checks',
  title: 'Change the rules',
  sql: ['3'],
  work: 'scan',
  reversible: false,
});
const fill = change({
  ...base,
  kind: 'change_required',
  phase: 'fill',
  title: 'Require a field',
  sql: ['4'],
  work: 'write',
  lock: 'share',
});

describe('a plan', () => {
  test('has one step for what belongs together, with its SQL in the order in which it runs', () => {
    const plan = makePlan(4, inOrder([add, rename, fill, drop]), () => 200_000);
    expect(plan).toMatchObject({ base: 4, next: 5 });
    expect(
      plan.steps.map(({ title, sql, lock, rows, seconds, risk, reversible }) => ({
        title,
        sql,
        lock,
        rows,
        seconds,
        risk,
        reversible,
      })),
    ).toEqual([
      {
        title: 'Change the rules',
        sql: ['2', '3'],
        lock: 'exclusive',
        rows: 200_000,
        seconds: 0.2,
        risk: 'none',
        reversible: false,
      },
      {
        title: 'Rename a field',
        sql: ['1'],
        lock: 'exclusive',
        rows: 200_000,
        seconds: undefined,
        risk: 'low',
        reversible: true,
      },
      {
        title: 'Require a field',
        sql: ['4'],
        lock: 'share',
        rows: 200_000,
        seconds: 2,
        risk: 'none',
        reversible: true,
      },
    ]);
  });

  test('warns of steps that go through many records, and of what takes something away', () => {
    const gone = change({
      ...base,
      kind: 'set_table_aside',
      phase: 'rename_tables',
      title: 'Remove Thing',
      sql: ['5'],
      risk: 'high',
    });
    expect(makePlan(1, [fill, gone], () => 60_000).warnings).toEqual([
      '“Require a field” goes through about 60,000 records: writes to these records wait for about 1 s.',
      '“Remove Thing” takes something away that people may be using.',
    ]);
    expect(makePlan(1, [fill], () => 100).warnings).toEqual([]);
    expect(makePlan(1, [fill, add], () => 200_000).warnings.at(-1)).toContain('until the end, about 3 s');
  });
});
