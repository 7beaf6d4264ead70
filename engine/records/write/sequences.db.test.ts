/** Whatever is done in whatever order, by one record, by key, by filter, with parts, together or tried: what is stored is what a plain model says. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { Problem } from '#engine/problem.ts';
import type { Lab } from '#tests/support/lab.ts';
import { makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { parseJsonQuery } from '../query/json.ts';
import type { Scope } from '../scope.ts';
import { Writer } from './writer.ts';

const database = await testDatabase();
let lab: Lab;
let writer: Writer;
let chief: Scope;

beforeAll(async () => {
  lab = await makeLab(database);
  writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
  chief = await lab.person('chief');
});
afterAll(() => lab.close());

/** A project of the plain model. */
interface Plain {
  readonly name: string;
  readonly effort: number;
  readonly version: number;
  readonly items: readonly string[];
}
type World = ReadonlyMap<string, Plain>;

/** `null`: refused, nothing is done. */
type Step = (world: World) => World | null;

interface Operation {
  readonly kind: string;
  readonly model: Step;
  run(writer: Writer, group: string): Promise<unknown>;
}

const MAX = 2;
const project = () => lab.entity('project');
const codeOf = (group: string, key: number) => `${group}${key}`;
const put = (world: World, key: string, plain: Plain): World => new Map([...world, [key, plain]]);

interface Row {
  readonly key: number;
  readonly name: string | undefined;
  readonly effort: number | undefined;
}
const bodyOf = (group: string, { key, name, effort }: Row) => ({
  code: codeOf(group, key),
  reason: group,
  ...(name !== undefined && { name }),
  ...(effort !== undefined && { effort }),
});

function upserted(world: World, { key, name, effort }: Row): World | null {
  const known = world.get(String(key));
  if (effort !== undefined && effort < 0) return null;
  if (!known)
    return name === undefined ? null : put(world, String(key), { name, effort: effort ?? 1, version: 1, items: [] });
  const next = { ...known, name: name ?? known.name, effort: effort ?? known.effort };
  const same = next.name === known.name && next.effort === known.effort;
  return put(world, String(key), { ...next, version: known.version + (same ? 0 : 1) });
}

const inTurn =
  <T>(items: readonly T[], step: (world: World, item: T) => World | null): Step =>
  (world) =>
    items.reduce<World | null>((so, item) => so && step(so, item), world);

const row = fc.record({
  key: fc.nat(2),
  name: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  effort: fc.option(fc.constantFrom(-1, 1, 1, 2, 2, 3), { nil: undefined }),
});

const upsertOne = row.map(
  (one): Operation => ({
    kind: `upsert ${JSON.stringify(one)}`,
    model: (world) => upserted(world, one),
    run: (to, group) => to.upsert(chief, project(), ['code'], bodyOf(group, one)),
  }),
);

const upsertList = fc.array(row, { minLength: 1, maxLength: 5 }).map(
  (rows): Operation => ({
    kind: `upsert ${JSON.stringify(rows)}`,
    model: new Set(rows.map(({ key }) => key)).size < rows.length ? () => null : inTurn(rows, upserted),
    run: (to, group) =>
      to.upsert(
        chief,
        project(),
        ['code'],
        rows.map((one) => bodyOf(group, one)),
      ),
  }),
);

const matching = fc.constantFrom<readonly [string, (plain: Plain) => boolean, object]>(
  ['name a', ({ name }) => name === 'a', { name: 'a' }],
  ['effort from 2', ({ effort }) => effort >= 2, { effort: { gte: 2 } }],
  ['all of them', () => true, { name: { ne: 'z' } }],
);

const updateMany = fc.tuple(matching, fc.constantFrom(1, 2, 3)).map(
  ([[kind, holds, where], effort]): Operation => ({
    kind: `set effort ${effort} where ${kind}`,
    model: (world) => {
      const hit = [...world].filter(([, plain]) => holds(plain));
      if (hit.length > MAX) return null;
      return hit.reduce<World>(
        (so, [key, plain]) =>
          plain.effort === effort ? so : put(so, key, { ...plain, effort, version: plain.version + 1 }),
        world,
      );
    },
    run: (to, group) => {
      const query = parseJsonQuery({ where: { reason: group, and: [where] } });
      return to.updateMany(chief, project(), query, { effort }, { maxAffected: MAX });
    },
  }),
);

const removeMany = matching.map(
  ([kind, holds, where]): Operation => ({
    kind: `delete where ${kind}`,
    model: (world) => {
      const hit = [...world].filter(([, plain]) => holds(plain));
      return hit.length > MAX ? null : new Map([...world].filter(([, plain]) => !holds(plain)));
    },
    run: (to, group) => {
      const query = parseJsonQuery({ where: { reason: group, and: [where] } });
      return to.removeMany(chief, project(), query, { maxAffected: MAX });
    },
  }),
);

/** Parts take the place of those before, or come in addition. */
const parts = fc
  .record({
    key: fc.nat(2),
    labels: fc.array(fc.constantFrom('x', 'y', 'x', 'y', ''), { maxLength: 3 }),
    replace: fc.boolean(),
  })
  .map(
    ({ key, labels, replace }): Operation => ({
      kind: `items of ${key}: ${replace ? '=' : '+'} ${JSON.stringify(labels)}`,
      model: (world) => {
        const known = world.get(String(key));
        if (!known || labels.includes('')) return null;
        const items = [...(replace ? [] : known.items), ...labels].sort();
        // Parts that were sent are a change of the whole.
        const raised = replace || labels.length > 0 ? 1 : 0;
        return put(world, String(key), { ...known, items, version: known.version + raised });
      },
      run: (to, group) => {
        const list = labels.map((label) => ({ label }));
        const body = { code: codeOf(group, key), items: replace ? list : { create: list } };
        return to.upsert(chief, project(), ['code'], body, { exists: 'must' });
      },
    }),
  );

const simple = fc.oneof(upsertOne, upsertList, updateMany, removeMany, parts);

const together = fc.array(simple, { minLength: 1, maxLength: 4 }).map(
  (operations): Operation => ({
    kind: `together [${operations.map(({ kind }) => kind).join('; ')}]`,
    model: inTurn(operations, (world, operation) => operation.model(world)),
    run: (to, group) =>
      to.together(chief, {}, async (inside) => {
        for (const operation of operations) await operation.run(inside, group);
        return '';
      }),
  }),
);

const tried = fc.array(simple, { minLength: 1, maxLength: 3 }).map(
  (operations): Operation => ({
    kind: `tried [${operations.map(({ kind }) => kind).join('; ')}]`,
    model: (world) => (operations.reduce<World | null>((so, one) => so && one.model(so), world) ? world : null),
    run: (to, group) =>
      to.together(chief, { dryRun: true }, async (inside) => {
        for (const operation of operations) await operation.run(inside, group);
        return '';
      }),
  }),
);

async function stored(group: string): Promise<Record<string, unknown>> {
  const { schema } = lab.tenant.names;
  const rows = await lab.look(
    `select p.code, p.name, p.effort::int as effort, p.version::int as version,
       coalesce((select json_agg(i.label order by i.label) from ${schema}.lab_items i where i.project = p.id), '[]') as items
     from ${schema}.lab_projects p where p.reason = $1 and p.deleted_at is null`,
    [group],
  );
  return Object.fromEntries(rows.map(({ code, ...rest }) => [String(code).slice(group.length), rest]));
}

test('any sequence of writes leaves what the plain model says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(simple, simple, together, tried), { minLength: 1, maxLength: 12 }),
      async (steps) => {
        const group = randomUUID().slice(0, 12);
        let world: World = new Map();
        for (const step of steps) {
          const next = step.model(world);
          const refused = await step.run(writer, group).then(
            () => false,
            (error: unknown) => {
              if (error instanceof Problem && error.status < 500) return true;
              throw error;
            },
          );
          expect(refused, step.kind).toBe(next === null);
          world = next ?? world;
          expect(await stored(group), step.kind).toEqual(Object.fromEntries(world));
        }
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
