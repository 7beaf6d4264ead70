/**
 * Nobody sees or changes what they may not: generated from the model over people × entities × fields × operations, in
 * two organisations, and held against a second reading of the permissions (`expectation.ts`). Three times: with both
 * layers, with the row policies alone (the compiler adds no conditions), and with the compiler alone (row security off).
 * A layer by itself is asked about every second pair of person and entity, the one about these, the other about those;
 * what Postgres allows by itself is held to the same reading, for all of them, in SQL besides (`mutation.test.ts`).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { Checks } from './checks.ts';
import { buildWorld, expectationOf, TENANTS, type WorldPerson } from './world.ts';

/** Of the second organisation these are enough: it is like the first, and there to be attacked and to attack. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['both']);
const LEAST_CASES = 20_000;

const database = await testDatabase();
const app = await testApp(database);
const world = await buildWorld(app, (tenant) => makeTenant(app, tenant), true);
const checks = new Checks(world, expectationOf(world.model), database);
const people = world.people.filter(({ tenant, name }) => tenant === TENANTS[0] || FROM_OUTSIDE.has(name));

const MODES = [
  { mode: 'both layers', url: app.url, rowSecurity: true, each: 1, from: 0 },
  { mode: 'policies only', url: app.policiesOnly.url, rowSecurity: true, each: 2, from: 0 },
  { mode: 'compiler only', url: app.url, rowSecurity: false, each: 2, from: 1 },
] as const;

async function setRowSecurity(on: boolean): Promise<void> {
  for (const tenant of TENANTS) {
    const { rows } = await database.superuser.query<{ relname: string }>(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p')`,
      [`t_${tenant}`],
    );
    for (const { relname } of rows) {
      await database.superuser.query(
        `alter table "t_${tenant}"."${relname}" ${on ? 'enable' : 'disable'} row level security`,
      );
    }
  }
}

for (const { mode, url, rowSecurity, each, from } of MODES) {
  describe(mode, () => {
    beforeAll(() => setRowSecurity(rowSecurity));
    afterAll(() => setRowSecurity(true));

    describe.each(people.map((person, at) => ({ title: `${person.name} of ${person.tenant}`, person, at })))(
      '$title',
      ({ person, at }: { person: WorldPerson; at: number }) => {
        const client = world.clientOf(person, url);
        const entities = world.entities
          .filter((_, index) => (index + at) % each === from)
          .map((entity) => ({ name: entity.name, entity }));

        test.each(entities)('$name: lists, counts, single records', async ({ entity }) => {
          await checks.reads(client, person, entity);
        });
        test.each(entities)('$name: every field, in every place a field can stand', async ({ entity }) => {
          await checks.fields(client, person, entity);
        });
        test.each(entities)('$name: changes', async ({ entity }) => {
          await checks.changes(client, person, entity);
        });
      },
    );
  });
}

test('there were entities, people and canaries to test with, and enough cases', () => {
  expect(world.entities.length).toBeGreaterThanOrEqual(16);
  const without = world.records.filter(({ canaries }) => canaries.size === 0);
  expect([...new Set(without.map(({ entity }) => entity))]).toEqual([]);
  expect(checks.cases).toBeGreaterThan(LEAST_CASES);
  console.log(
    `isolation: ${checks.cases.toLocaleString('en')} cases, ${world.records.length} records, ${people.length} people`,
  );
});
