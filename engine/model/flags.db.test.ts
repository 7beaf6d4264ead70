/** The two twins that say whether a flag is on, in code and in SQL, agree. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Database, type Session } from '#engine/db/database.ts';
import { flagSql } from '#engine/schema/rules.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { schemaLab } from '#tests/support/schema-lab.ts';
import { flagOn, portionOf } from './flags.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);
const NOW = Date.parse('2026-06-01T12:00:00Z');

test('a flag is on in SQL exactly when it is in code', async () => {
  const port = await lab.organisation('port');
  const clock = { now: () => NOW };
  const database = new Database({ address: postgres.address, app: postgres.app, owner: postgres.owner, clock });
  await postgres.superuser.query(
    `insert into armature.flag_switch (tenant_id, flag, "on") values ($1, 'custom.on', true), ($1, 'custom.off', false)`,
    [port.tenant.id],
  );
  const switched = new Map([
    ['custom.on', true],
    ['custom.off', false],
  ]);
  const person = await port.person('member');
  const moment = fc.option(fc.constantFrom(NOW - 1000, NOW, NOW + 1000));
  const flag = fc.record({
    name: fc.constantFrom('custom.on', 'custom.off', 'custom.other'),
    label: fc.constant('x'),
    description: fc.constant(null),
    on: fc.boolean(),
    roles: fc.option(fc.constantFrom(['member'], ['boss'], ['boss', 'member'])),
    percent: fc.option(fc.integer({ min: 0, max: 100 })),
    from: moment,
    until: moment,
  });
  await fc.assert(
    fc.asyncProperty(
      flag,
      fc.option(fc.constantFrom(...Array.from({ length: 20 }, () => randomUUID()))),
      async (given, userId) => {
        const session: Session = { ...person, userId };
        const [result] = await database.batch(session, [{ text: `select ${flagSql(given)}`, values: [] }]);
        const context = { userId, roles: new Set(['member']), now: NOW, switched };
        expect(result?.rows[0]?.[0] === 't').toBe(flagOn(given, context));
      },
    ),
    { numRuns: 300 },
  );
  await database.close();
});

test('a part of the people is always the same, and about as many as it says', () => {
  const people = Array.from({ length: 4000 }, () => randomUUID());
  const among = people.filter((one) => portionOf('custom.half', one) < 30).length;
  expect(among).toBeGreaterThan(1000);
  expect(among).toBeLessThan(1400);
  expect(people.map((one) => portionOf('custom.half', one))).toEqual(
    people.map((one) => portionOf('custom.half', one)),
  );
});
