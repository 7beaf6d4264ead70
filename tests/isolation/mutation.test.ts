/**
 * The second layer alone, in SQL: first as it is, against the expectation; then with every policy, grant and guard of an
 * organisation loosened or taken away in turn, which at least one case must notice.
 */
import { beforeAll, expect, test } from 'vitest';
import { sessionOf } from '#engine/db/database.ts';
import { qualified } from '#engine/db/identifiers.ts';
import type { Entity } from '#engine/model/model.ts';
import { testApp } from '../support/app.ts';
import { client } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { BesidesCases } from './besides-cases.ts';
import { enrich } from './enrich.ts';
import type { Person, Subject } from './expectation.ts';
import { FunctionCases } from './function-cases.ts';
import { type FunctionMutant, functionMutants } from './function-mutants.ts';
import { LinkCases } from './link-cases.ts';
import { casesFor, EQUIVALENT, type Mutant, mutantsOf } from './mutants.ts';
import { EntityCases } from './sql-cases.ts';
import { type Actor, CaseRunner, type SqlCase } from './sql-run.ts';
import { EntityTable } from './sql-table.ts';
import { buildWorld, expectationOf } from './world.ts';

const TENANT = 'acme';
const SCHEMA = `t_${TENANT}`;

/** A regular expression: only these mutants are tried. */
const ONLY = new RegExp(process.env['ARMATURE_MUTANTS'] ?? '');

/** They find values for the row triggers: their cases are those of the triggers. */
const UNCALLED = /^(?:minutes|fill)_/;

const database = await testDatabase();
const { superuser } = database;
const runner = new CaseRunner(superuser);
const app = await testApp(database);
const world = await buildWorld(app, (key) => makeTenant(app, key), true);
await enrich(app, world);
const expectation = expectationOf(world.modelOf(TENANT));

/** By table, those of its history with it. */
const cases = new Map<string, SqlCase[]>();
const linked: LinkCases[] = [];
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
  for (const entity of world.modelOf(TENANT).entities.values()) if (entity.history) await fillHistory(entity);
  const tables = await EntityTable.openAll(superuser, world.modelOf(TENANT), TENANT, expectation);
  for (const table of tables.values()) {
    const { entity } = table;
    const of = new EntityCases(table);
    const all = actors.flatMap((actor) => of.of(actor));
    cases.set(entity.table, all);
    if (entity.history)
      cases.set(
        `h_${entity.table}`,
        all.filter(({ part }) => part === 'history' || part === 'trail'),
      );
  }
  linked.push(...(await LinkCases.openAll(superuser, tables, TENANT)));
  for (const links of linked)
    cases.set(
      links.table,
      actors.flatMap((actor) => links.of(actor)),
    );
  const roles = [...world.modelOf(TENANT).roles.keys()];
  const functions = await FunctionCases.open(superuser, tables, SCHEMA, roles);
  for (const [name, calls] of functions.of(actors)) cases.set(name, calls);
  const besides = await BesidesCases.open(superuser, world.modelOf(TENANT), TENANT, expectation);
  cases.set(
    'shares',
    actors.flatMap((actor) => besides.shares(actor)),
  );
  cases.set(
    'merges',
    actors.flatMap((actor) => besides.merges(actor)),
  );
  await superuser.query('begin');
});

/** A change of every field of every record, and of a record that is gone. */
async function fillHistory(entity: Entity): Promise<void> {
  const columns = [...entity.fields.values()].filter(({ column }) => column !== null).map(({ id }) => id);
  await superuser.query(
    `insert into ${qualified(SCHEMA, `h_${entity.table}`)} (record_id, version, field_id, old, new, at, actor)
     select r.id, 1, f, '"old"', '"new"', now(), null
     from (select id from ${qualified(SCHEMA, entity.table)} union all select gen_random_uuid()) r cross join unnest($1::text[]) f`,
    [columns],
  );
}

test('Postgres by itself allows what is allowed and nothing else', { timeout: 900_000 }, async () => {
  const failures: string[] = [];
  let count = 0;
  for (const [table, all] of cases) {
    if (table.startsWith('h_')) continue;
    for (const [actor, own] of Map.groupBy(all, ({ person }) => person)) {
      count += own.length;
      // Where one fails the rest is not looked at: there is enough to do.
      const failure = await runner.firstFailure(actor, own);
      if (failure !== null) failures.push(`${table}: ${failure}`);
    }
  }
  console.log(`isolation in SQL: ${count.toLocaleString('en')} cases`);
  expect(failures.slice(0, 40).join('\n')).toBe('');
});

test('a rule that is loosened or taken away is noticed', { timeout: 3_600_000 }, async () => {
  const system = `${database.rolePrefix}_${TENANT}__system`;
  const everyState = new Set(
    [...world.modelOf(TENANT).lifecycles.values()].map(({ states }) => [...states.keys()].sort().join()),
  );
  const found = await mutantsOf(superuser, SCHEMA, new Set([system, 'armature_owner']), everyState);
  const called = await functionMutants(superuser, SCHEMA, UNCALLED);
  const all: readonly FunctionMutant[] = [...found, ...called].filter(
    (mutant) => ONLY.test(mutant.title) && !isUntried(mutant),
  );
  const survivors: string[] = [];
  const equivalent = new Map<string, number>();
  expect([...new Set(all.map(({ table }) => table))].filter((table) => !cases.has(table))).toEqual([]);
  for (const mutant of all) {
    const reason =
      mutant.equivalent ?? (await isInherited(mutant)) ?? unreachable(mutant) ?? overlapping(mutant) ?? asked(mutant);
    if (reason !== null) equivalent.set(reason, (equivalent.get(reason) ?? 0) + 1);
    else if (!(await isNoticed(mutant))) survivors.push(mutant.title);
  }
  const listed = [...equivalent.values()].reduce((sum, count) => sum + count, 0);
  const tried = all.length - listed;
  for (const survivor of survivors) console.log(`survived: ${survivor}`);
  const reasons = [...equivalent].map(([reason, count]) => `  ${count} equivalent: ${reason}`);
  console.log(
    [`mutants of an organisation's rules: ${tried - survivors.length} of ${tried} noticed`, ...reasons].join('\n'),
  );
  expect(survivors).toEqual([]);
  if (process.env['ARMATURE_MUTANTS'] === undefined) expect(tried).toBeGreaterThan(2000);
});

/** Grants on columns of types for which there is nothing to write at hand; those of the CRM's tables are all tried. */
function isUntried({ table, inherited }: Mutant): boolean {
  return inherited !== undefined && /^(?:h_)?custom_/.test(table);
}

/** Of one's own, of one's team and of somebody else, with every value that a condition asks for. */
function subjectsOfEachSort(entity: Entity): readonly Subject[] {
  const people = ['me', 'mate', 'stranger'];
  let subjects: readonly Subject[] = people.map((owner) => ({ tenant: TENANT, owner }));
  for (const fact of expectation.factsOf(entity.name)) {
    const lifecycle = world.model.lifecycles.get(entity.fields.get(fact)?.lifecycle ?? '');
    const values = lifecycle
      ? [...lifecycle.states.keys()]
      : [...(fact.includes('.') ? people : ['mine', 'theirs']), null];
    subjects = subjects.flatMap((one) => values.map((value) => ({ ...one, facts: { ...one.facts, [fact]: value } })));
  }
  return subjects;
}

/** Every combination of roles: in a team, and in none. */
function peopleWithEach(): readonly Person[] {
  const roles = [...world.model.roles.values()].filter(({ administrator }) => !administrator).map(({ key }) => key);
  const sets = Array.from({ length: 2 ** roles.length - 1 }, (_, at) =>
    roles.filter((_role, index) => ((at + 1) >> index) % 2 === 1),
  );
  return sets.flatMap((own): readonly Person[] => [
    { tenant: TENANT, userId: 'me', members: ['me', 'mate'], teams: ['mine'], roles: own },
    { tenant: TENANT, userId: 'me', members: [], roles: own },
  ]);
}

/** Tries every combination of roles on a record of one's own, of one's team and of somebody else. */
function unreachable({ paired, table, creates }: Mutant): string | null {
  const entity = [...world.model.entities.values()].find((one) => one.table === table);
  if (!paired || paired.length === 0 || !entity) return null;
  const owners = subjectsOfEachSort(entity);
  for (const person of peopleWithEach()) {
    for (const column of paired) {
      if (creates) {
        const gives = (subject: Subject) => expectation.allows(person, 'create', entity.name, subject, column);
        const makes = (subject: Subject) => expectation.allows(person, 'create', entity.name, subject);
        if (owners.some(gives) && owners.some((subject) => makes(subject) && !gives(subject))) return null;
        continue;
      }
      const lifecycle = world.model.lifecycles.get(entity.fields.get(column)?.lifecycle ?? '');
      // A state is changed by steps: by all of them or not.
      const may = (subject: Subject) =>
        lifecycle
          ? [...lifecycle.transitions.keys()].every((key) => expectation.takes(person, entity.name, subject, key))
          : column === 'deleted_at'
            ? expectation.allows(person, 'delete', entity.name, subject)
            : expectation.allows(person, 'update', entity.name, subject, column);
      const reached = (subject: Subject) =>
        ['update', 'delete'].some((action) => expectation.allows(person, action, entity.name, subject));
      const granted = lifecycle !== undefined || owners.some(may);
      const shared = entity.sharing && column === 'deleted_at' && owners.some(reached);
      if (granted && shared) return null;
      if (granted && owners.some((subject) => reached(subject) && !may(subject))) return null;
    }
  }
  return EQUIVALENT.unreachable;
}

/**
 * Links seem to be the same from both sides: whether another role of the same person always shows what this one does.
 * Tried with every combination of roles and every sort of record at both ends.
 */
function overlapping({ role, table, sql, parts }: Mutant): string | null {
  const links = linked.find((one) => one.table === table);
  const own = role?.split('__').at(-1);
  if (!links || own === undefined) return null;
  if (world.model.roles.get(own)?.administrator) return sql.endsWith('(true)') ? EQUIVALENT.linked : null;
  if (!parts.includes('rows') || sql.endsWith('(true)')) return null;
  const alone = links.isNeeded(own, peopleWithEach(), subjectsOfEachSort);
  return alone ? null : EQUIVALENT.sides;
}

/** What the groups of a command's function ask for, in their order; a merge asks the last of one of the records only. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  assign: ['read', 'assign'],
  merge: ['read', 'merge', 'update', 'delete'],
  purge: ['read', 'purge'],
};

/** Tries every combination of roles on every sort of record: whether anybody may more or less than before. */
function asked({ table, group }: FunctionMutant): string | null {
  const [command = ''] = table.split('_');
  const entity = [...world.model.entities.values()].find(({ id }) => table === `${command}_${id}`);
  const actions = COMMANDS[command];
  if (!group || !entity || !actions) return null;
  const mutated = group.role?.split('__').at(-1);
  const holds = (person: Person, action: string, subject: Subject, at: number): boolean =>
    person.roles.some((role) => {
      const own = { ...person, roles: [role] };
      if (at === group.index && mutated === role) return group.how === 'all';
      return expectation.allows(own, action, entity.name, subject);
    }) ||
    (at === group.index && mutated === undefined);
  const people = [...peopleWithEach(), { tenant: TENANT, userId: 'me', members: [], roles: ['administrator'] }];
  const calls = (person: Person) =>
    subjectsOfEachSort(entity).some((subject) =>
      person.roles.some((role) =>
        expectation.allows(
          { ...person, roles: [role], members: ['me', 'mate', 'stranger'] },
          command,
          entity.name,
          subject,
        ),
      ),
    );
  const ways =
    command === 'merge'
      ? [
          [0, 1, 2],
          [0, 1, 3],
        ]
      : [[0, 1]];
  const subjects = subjectsOfEachSort(entity);
  const differs = people.filter(calls).some((person) => {
    // A merge needs a record for each of its ways.
    const [first = [], second = first] = ways.map((way) =>
      subjects.map((subject) => ({
        before: way.every((at) => expectation.allows(person, actions[at] ?? '', entity.name, subject)),
        after: way.every((at) => holds(person, actions[at] ?? '', subject, at)),
      })),
    );
    return first.some((one) => second.some((other) => (one.before && other.before) !== (one.after && other.after)));
  });
  return differs ? null : EQUIVALENT.enough;
}

async function isInherited({ inherited, sql }: Mutant): Promise<string | null> {
  if (!inherited) return null;
  await superuser.query('savepoint mutant');
  if (inherited.when === 'after') await superuser.query(sql);
  const { rows } = await superuser.query<{ holds: boolean }>(`select ${inherited.sql} as holds`);
  await superuser.query('rollback to savepoint mutant');
  return rows[0]?.holds === true ? EQUIVALENT.inherited : null;
}

async function isNoticed(mutant: Mutant): Promise<boolean> {
  await superuser.query('savepoint mutant');
  try {
    await superuser.query(mutant.sql);
    const all = cases.get(mutant.table) ?? [];
    for (const actor of actors) {
      const roles = held.get(actor.person.email) ?? new Set();
      const own = all.filter(({ person }) => person === actor);
      const worth = casesFor(mutant, own, (role) => roles.has(role));
      if ((await runner.firstFailure(actor, worth)) !== null) return true;
    }
    return false;
  } finally {
    await superuser.query('rollback to savepoint mutant');
  }
}
