/**
 * The second layer alone, in SQL: first as it is, against the expectation; then with every policy, grant and guard of an
 * organisation loosened or taken away in turn, which at least one case must notice.
 */
import { beforeAll, expect, test } from 'vitest';
import { sessionOf } from '#engine/db/database.ts';
import { testApp } from '../support/app.ts';
import { client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { enrich } from './enrich.ts';
import { Expectation } from './expectation.ts';
import { casesFor, type Mutant, mutantsOf } from './mutants.ts';
import { type Actor, EntityCases, runCase, type SqlCase } from './sql-cases.ts';
import { buildWorld, OVERRIDES } from './world.ts';

const TENANT = 'acme';
const SCHEMA = `t_${TENANT}`;

const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
const world = await buildWorld(app, (key) => makeTenant(app, key));
await enrich(app, world);
const inputs = (entity: string, field: string) =>
  world.model.entities.get(entity)?.fields.get(field)?.formula?.reads ?? [];
const expectation = new Expectation(OVERRIDES, inputs);

/** By table, those of its history with it. */
const cases = new Map<string, SqlCase[]>();
const actors: Actor[] = [];
const held = new Map<string, ReadonlySet<string>>();

beforeAll(async () => {
  for (const person of world.people.filter(({ tenant, name }) => tenant === TENANT || name === 'admin')) {
    await client(app.url, person.token).get('/api/session');
    const principal = await app.app.services.identity.principalOf(person.tenant, person.userId);
    if (!principal) throw new Error(`${person.email} is nobody`);
    actors.push({ person, session: sessionOf(principal) });
    const { rows } = await superuser.query<{ name: string }>(
      `select name from armature.database_role where pg_has_role($1, name, 'USAGE')`,
      [principal.dbRole],
    );
    held.set(person.email, new Set(rows.map(({ name }) => name)));
  }
  for (const entity of world.model.entities.values()) {
    const of = await EntityCases.open(superuser, world.model, entity, TENANT, expectation);
    const all = actors.flatMap((actor) => of.of(actor));
    cases.set(entity.table, all);
    if (entity.history) cases.set(`h_${entity.table}`, all.filter(({ part }) => part === 'history' || part === 'trail'));
  }
  await superuser.query('begin');
});

const failureOf = async (one: SqlCase): Promise<string | null> => {
  const outcome = await runCase(superuser, one);
  return outcome === one.expected ? null : `${one.title}\n  ${one.sql}\n  expected ${one.expected}\n  but ${outcome}`;
};

test('Postgres by itself allows what is allowed and nothing else', { timeout: 120_000 }, async () => {
  const failures: string[] = [];
  let count = 0;
  for (const [table, all] of cases) {
    if (table.startsWith('h_')) continue;
    for (const one of all) {
      count++;
      const failure = await failureOf(one);
      if (failure !== null) failures.push(`${table}: ${failure}`);
    }
  }
  console.log(`isolation in SQL: ${count.toLocaleString('en')} cases`);
  expect(failures.slice(0, 40).join('\n')).toBe('');
});

test('a rule that is loosened or taken away is noticed', { timeout: 300_000 }, async () => {
  const system = `${database.rolePrefix}_${TENANT}__system`;
  const mutants = await mutantsOf(superuser, SCHEMA, new Set([system, 'armature_owner']));
  const survivors: string[] = [];
  const equivalent = new Map<string, number>();
  for (const mutant of mutants) {
    if (mutant.equivalent !== null) {
      equivalent.set(mutant.equivalent, (equivalent.get(mutant.equivalent) ?? 0) + 1);
      continue;
    }
    if (!(await isNoticed(mutant))) survivors.push(mutant.title);
  }
  const listed = [...equivalent.values()].reduce((sum, count) => sum + count, 0);
  const tried = mutants.length - listed;
  const reasons = [...equivalent].map(([reason, count]) => `  ${count} equivalent: ${reason}`);
  console.log(
    [`mutants of an organisation's rules: ${tried - survivors.length} of ${tried} noticed`, ...reasons].join('\n'),
  );
  expect(survivors).toEqual([]);
  expect(tried).toBeGreaterThan(300);
});

async function isNoticed(mutant: Mutant): Promise<boolean> {
  await superuser.query('savepoint mutant');
  try {
    await superuser.query(mutant.sql);
    const all = cases.get(mutant.table) ?? [];
    for (const { person } of actors) {
      const own = all.filter((one) => one.person.person === person);
      const roles = held.get(person.email) ?? new Set();
      for (const one of casesFor(mutant, own, (role) => roles.has(role)))
        if ((await failureOf(one)) !== null) return true;
    }
    return false;
  } finally {
    await superuser.query('rollback to savepoint mutant');
  }
}
