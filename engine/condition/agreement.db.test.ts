/** Rule 4: the evaluator and Postgres mean the same by every condition, in queries and in row policies. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { arrayText, quote } from '#engine/db/identifiers.ts';
import type { Value } from '#engine/model/value-type.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import type { Condition } from './condition.ts';
import { evaluate } from './evaluate.ts';
import { parseCondition } from './parse.ts';
import { resolveCondition } from './resolve.ts';
import { conditionJson } from './testing/arbitraries.ts';
import { lookup, THING } from './testing/entities.ts';
import { SETTINGS } from './testing/settings.ts';
import { actAs, attributeOf, buildWorld, contextOf, SCHEMA, type User, user, type World } from './testing/world.ts';
import { conditionToSql, inlineValue, type SqlTarget } from './to-sql.ts';

const { superuser, rolePrefix } = await testDatabase();
const role = `${rolePrefix}_lab__rep`;
const table = `${SCHEMA}.${quote(THING.table)}`;
const policyTarget: SqlTarget = { alias: `${quote(THING.table)}.`, schema: SCHEMA, mode: 'policy', bind: inlineValue };

let world: World;
beforeAll(async () => {
  await superuser.query(`set timezone = 'UTC'`);
  world = await buildWorld(superuser, role, 20260131);
});

function compile(json: unknown): Condition {
  return resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup, { settings: SETTINGS });
}

/** Ids of the things that fulfil the condition, by the evaluator. */
function evaluated(condition: Condition, acting: User): string[] {
  const context = contextOf(acting, world);
  const things = [...(world.get('lab.thing')?.values() ?? [])];
  return things
    .filter((thing) => evaluate(condition, thing, context))
    .map((thing) => String(thing.id))
    .sort();
}

/** Many conditions in one statement: per condition the ids that it lets pass. */
async function selected(predicates: readonly string[], values: readonly unknown[]): Promise<string[][]> {
  const columns = predicates.map((sql, index) => `array_agg(id order by id) filter (where ${sql}) as c${index}`);
  const from = `${table} ${quote(THING.table)}`;
  const { rows } = await superuser.query<Record<string, string[] | null>>(`select ${columns.join(', ')} from ${from}`, [
    ...values,
  ]);
  return predicates.map((_, index) => rows[0]?.[`c${index}`] ?? []);
}

/** Runs as the role, acting as the user, with this policy on the things. */
async function under<T>(policy: string, acting: User, run: () => Promise<T>): Promise<T> {
  await superuser.query('begin');
  try {
    await superuser.query(`create policy rows on ${table} for select to ${quote(role)} using (${policy})`);
    await actAs(superuser, acting);
    await superuser.query(`set local role ${quote(role)}`);
    return await run();
  } finally {
    await superuser.query('rollback');
  }
}

describe('a condition selects the same records', () => {
  // 60 × 40 conditions × 60 records, each by the evaluator, as a query and as the text of a policy.
  it('in a query and in the evaluator', { timeout: 300_000 }, async () => {
    const cases = fc.tuple(user, fc.array(conditionJson, { minLength: 40, maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(cases, async ([acting, jsons]) => {
        const values: unknown[] = [];
        const bind = (value: Value, type: string) => {
          values.push(Array.isArray(value) ? arrayText(value) : value === null ? null : String(value));
          return `$${values.length}::${type}`;
        };
        const target: SqlTarget = { ...policyTarget, mode: 'query', bind, user: attributeOf(acting, world) };
        const conditions = jsons.map(compile);
        const queries = conditions.map((each) => conditionToSql(each, target));
        const policies = conditions.map((each) => conditionToSql(each, policyTarget));
        const [byQuery, byPolicy] = await under('true', acting, async () => [
          await selected(queries, values),
          await selected(policies, []),
        ]);
        for (const [index, condition] of conditions.entries()) {
          const expected = evaluated(condition, acting);
          const json = JSON.stringify(jsons[index]);
          expect({ json, query: byQuery?.[index], policy: byPolicy?.[index] }).toEqual({
            json,
            query: expected,
            policy: expected,
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('as a row policy of the role that asks', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(user, conditionJson, async (acting, json) => {
        // A policy that comes back to its own entity is refused by the model.
        fc.pre(!JSON.stringify(json).includes('"thing"'));
        const condition = compile(json);
        const visible = await under(conditionToSql(condition, policyTarget), acting, async () => {
          const { rows } = await superuser.query<{ id: string }>(`select id from ${table} order by id`);
          return rows.map((row) => row.id);
        });
        expect(visible).toEqual(evaluated(condition, acting));
      }),
      { numRuns: 150 },
    );
  });
});

describe('case folding', () => {
  // Node follows Unicode a little faster; a character that Postgres does not know yet keeps its case there.
  it('of every character Postgres knows is the same in JavaScript and in Postgres', async () => {
    const { rows } = await superuser.query<{ code: number; lower: string }>(
      `select code, lower(chr(code) collate pg_unicode_fast) as lower
       from generate_series(1, 1114111) code where code not between 55296 and 57343 and unicode_assigned(chr(code))`,
    );
    const different = rows.filter((row) => String.fromCodePoint(row.code).toLowerCase() !== row.lower);
    expect(different.map((row) => row.code.toString(16))).toEqual([]);
  });
});
