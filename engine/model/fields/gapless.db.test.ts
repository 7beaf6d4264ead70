/** Numbers without gaps: whatever is refused, undone or done at the same time, the numbers follow one another. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixedClock } from '#engine/clock.ts';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

const database = await testDatabase();
let lab: FieldLab;
/** In Berlin, where the organisation is. */
const NEW_YEAR = Date.UTC(2025, 11, 31, 23);
const clock = fixedClock(NEW_YEAR - 1000);

beforeAll(async () => {
  const fields = [
    { key: 'invoice', type: 'sequence', gapless: true, prefix: 'R-{yyyy}-', digits: 4 },
    { key: 'code', type: 'text', unique: true },
  ];
  lab = await makeFieldLab(database, fields, [], clock);
});
afterAll(() => lab.close());

const number = (value: number) => `R-${clock.now() < NEW_YEAR ? 2025 : 2026}-${String(value).padStart(4, '0')}`;

test('refused writes use no number up, and writes at the same time none twice', async () => {
  const first = await lab.create({ name: 'a', code: 'x' });
  expect(first['invoice']).toBe(number(1));
  for (let at = 0; at < 3; at += 1) await expect(lab.create({ name: 'b', code: 'x' })).rejects.toThrow(/./);
  const many = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      lab.create({ name: `c${index}`, code: index % 3 === 0 ? 'x' : `c${index}` }).catch(() => null),
    ),
  );
  const given = many
    .flatMap((record) => (record === null ? [] : [String(record['invoice'])]))
    .sort((a, b) => a.localeCompare(b));
  expect(given).toEqual(Array.from({ length: 8 }, (_, index) => number(index + 2)));
  await lab.writer.create(lab.chief, lab.lab.entity('thing'), [{ name: 'd1' }, { name: 'd2' }]);
  expect((await lab.list('name[starts]=d&$order=invoice&$select=invoice')).map(({ invoice }) => invoice)).toEqual([
    number(10),
    number(11),
  ]);
});

test('a role draws for its own organisation alone, and counters are for nobody to see', async () => {
  const role = lab.chief.principal.dbRole;
  const other = '0197a000-0000-7000-8000-0000000000ff';
  const act = (sql: string) =>
    lab.lab.look(`begin`).then(async () => {
      try {
        await lab.lab.look(`set local role "${role}"`);
        return await lab.lab.look(sql);
      } finally {
        await lab.lab.look('rollback');
      }
    });
  await expect(act(`select armature.draw_number('${other}', 'f_1', '', 1, 1)`)).rejects.toThrow(
    'insufficient_privilege',
  );
  await expect(act('select * from armature.counter')).rejects.toThrow('permission denied');
});

test('the year in the prefix begins anew with the year', async () => {
  clock.set(NEW_YEAR);
  expect((await lab.create({ name: 'new year' }))['invoice']).toBe(number(1));
});
