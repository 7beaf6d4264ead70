/**
 * Whatever was published and rolled back before, catalogue and model end up as if the last release had been the first
 * one, and every value is where it belongs.
 *
 * `ARMATURE_SEED` repeats a run, `ARMATURE_RUNS` makes it longer (a run is 25 releases of one organisation).
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tenantNames } from '#engine/db/identifiers.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { seedOf } from '#tests/support/random.ts';
import { type Organisation, type SchemaLab, schemaLab } from '#tests/support/schema-lab.ts';
import { buildModel } from '../model/build.ts';
import type { ReleaseSource } from '../model/documents.ts';
import type { Model } from '../model/model.ts';
import { Problem } from '../problem.ts';
import { registerRoles, runChanges } from './apply.ts';
import { desiredState } from './desired.ts';
import { difference } from './diff.ts';
import { catalogue } from './testing/catalogue.ts';
import { documentsOf, Reference, type Shape, shape, TYPES, type Type } from './testing/convergence.ts';

const postgres = await testDatabase();
/** Everything in the transaction, and everything that can be left for afterwards left for afterwards. */
const labs = [schemaLab(postgres), schemaLab(postgres, { deferAbove: 3 })] as const;

const SEED = seedOf();
const RUNS = Number(process.env['ARMATURE_RUNS'] ?? 20);
const RELEASES = 25;
const RECORDS = 6;

const figures = { releases: 0, rollbacks: 0, refused: 0, catalogues: 0, values: 0, steps: 0 };

async function sourceOf({ tenant }: Organisation): Promise<ReleaseSource> {
  const { rows } = await postgres.superuser.query<{ source: ReleaseSource }>(
    'select source from armature.release where tenant_id = $1 order by number desc limit 1',
    [tenant.id],
  );
  if (!rows[0]) throw new Error('nothing published');
  return rows[0].source;
}

/** The catalogue of the release built as the first one, in a transaction that is taken back. */
async function fresh(lab: SchemaLab, { tenant }: Organisation, model: Model) {
  const key = `fresh${figures.catalogues}`;
  const names = tenantNames(postgres.rolePrefix, key);
  let found: Awaited<ReturnType<typeof catalogue>> = {};
  const enough = new Error('enough');
  await lab.database
    .ownerTransaction(async (client) => {
      await client.query(`create schema "${names.schema}"`);
      const { settled, changes } = difference(null, desiredState({ ...tenant, key, names }, model));
      await runChanges(client, changes);
      await registerRoles(client, tenant, null, settled, []);
      found = await catalogue(client, names.schema, `${postgres.rolePrefix}_${key}`);
      throw enough;
    })
    .catch((error: unknown) => {
      if (error !== enough) throw error;
    });
  return found;
}

/** What a release means to people, without its number. */
const digest = (model: Model): unknown => [
  [...model.entities.values()].map(({ id, name, table, fields, unique, permissions }) => [
    id,
    name,
    table,
    [...fields.values()].map((field) => [field.id, field.key, field.type.key, field.required, field.options]),
    unique,
    permissions.map((one) => [one.id, one.role, [...one.actions]]),
  ]),
  [...model.roles.keys()],
];

/** An organisation and everything that must be true of it. */
class World {
  readonly organisation: Organisation;
  readonly lab: SchemaLab;
  readonly records: string[] = [];
  /** By field id. */
  references = new Map<string, Reference>();
  readonly #digests = new Map<number, unknown>();

  constructor(organisation: Organisation, lab: SchemaLab) {
    this.organisation = organisation;
    this.lab = lab;
  }

  async model(): Promise<Model> {
    return (await this.lab.models.get(this.organisation.tenant.key)).model;
  }

  async begin(): Promise<void> {
    for (let at = 0; at < RECORDS; at += 1) await this.create(at);
  }

  async create(at: number): Promise<void> {
    const id = randomUUID();
    this.records.push(id);
    await this.organisation.insert(await this.organisation.person(), await this.#table(), { id, name: `n${at}` });
  }

  /** Somebody changes a value. */
  async write(which: number, key: 'a' | 'b', value: number | null): Promise<void> {
    const field = (await this.model()).entities.get('custom.thing')?.fields.get(key);
    const id = this.records[which % this.records.length] ?? '';
    const type = typeOf(field?.type.key);
    if (!field || !type || (value === null && field.required)) return;
    const text = value === null ? null : type === 'decimal' ? `${value}.00` : `${value}`;
    const taken = this.records.some((other) => other !== id && this.references.get(field.id)?.of(other) === text);
    if (field.unique && taken) return;
    // Written out: a prepared statement would keep the type that its parameter had.
    await this.organisation.sql(
      await this.organisation.person(),
      `update $${await this.#table()} set ${key} = ${text === null ? 'null' : `'${text}'`} where id = '${id}'`,
    );
    this.references.set(field.id, (this.references.get(field.id) ?? new Reference(type)).with(id, text));
  }

  /**
   * The rules of the release that is current now.
   * @param settled nothing is left for afterwards
   */
  async take(settled: boolean): Promise<void> {
    const fields = (await this.model()).entities.get('custom.thing')?.fields ?? new Map();
    for (const key of ['a', 'b'] as const) {
      const field = fields.get(key);
      const type = typeOf(field?.type.key);
      if (!field || !type) continue;
      const known = this.references.get(field.id);
      const next = (known ?? new Reference(type)).become(type, this.records);
      // A new field comes with its default; one that is there is filled afterwards, unless another release comes first.
      const filled = field.required && (settled || known === undefined);
      this.references.set(field.id, filled ? next.filled(this.records) : next);
    }
  }

  /** Everything that was left for afterwards is done. */
  async settle(): Promise<void> {
    expect(await this.lab.runner.drain(this.organisation.tenant.key)).toBe('done');
    await this.take(true);
  }

  async expectValues(): Promise<void> {
    const entity = (await this.model()).entities.get('custom.thing');
    for (const key of ['a', 'b'] as const) {
      const field = entity?.fields.get(key);
      if (!field) continue;
      const rows = await this.organisation.sql(
        await this.organisation.person(),
        `select id, ${key}::text from $${await this.#table()}`,
      );
      const reference = this.references.get(field.id);
      expect(new Map(rows.map(([id, value]) => [id, value]))).toEqual(
        new Map(this.records.map((id) => [id, reference?.of(id) ?? null])),
      );
      figures.values += rows.length;
    }
  }

  async expectFresh(): Promise<void> {
    const { tenant } = this.organisation;
    const source = await sourceOf(this.organisation);
    const model = await this.model();
    const built = buildModel(source);
    expect(digest(model)).toEqual(digest(built));
    const should = await fresh(this.lab, this.organisation, built);
    figures.catalogues += 1;
    expect(await catalogue(postgres.superuser, tenant.names.schema, `${postgres.rolePrefix}_${tenant.key}`)).toEqual(
      should,
    );
  }

  async remember(rolledBackTo: number | null): Promise<void> {
    const model = await this.model();
    const is = digest(model);
    if (rolledBackTo !== null) expect(is).toEqual(this.#digests.get(rolledBackTo));
    this.#digests.set(model.release, is);
  }

  async #table(): Promise<string> {
    return (await this.organisation.entity('custom.thing')).table;
  }
}

const typeOf = (key: string | undefined): Type | undefined => TYPES.find((type) => type === key);

interface Step {
  readonly to: Shape | number;
  /** Whether the steps left for afterwards are done before the next release comes. */
  readonly drain: boolean;
  readonly writes: readonly { readonly which: number; readonly key: 'a' | 'b'; readonly value: number | null }[];
}

const step: fc.Arbitrary<Step> = fc.record({
  to: fc.oneof({ weight: 3, arbitrary: shape }, { weight: 1, arbitrary: fc.nat({ max: RELEASES }) }),
  drain: fc.boolean(),
  writes: fc.array(
    fc.record({
      which: fc.nat({ max: RECORDS }),
      key: fc.constantFrom('a', 'b'),
      value: fc.option(fc.integer({ min: 0, max: 999 }), { freq: 5 }),
    }),
    { maxLength: 3 },
  ),
});

/** @returns whether it was done; records may be in the way of rules */
async function release(world: World, to: Shape | number): Promise<boolean> {
  const { organisation } = world;
  const target = typeof to === 'number' ? 2 + (to % ((await organisation.release()) - 1)) : null;
  try {
    if (target !== null) await organisation.rollback(target);
    else if (typeof to !== 'number') await organisation.publish(documentsOf(to));
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_document') throw error;
    expect(error.errors.map(({ code }) => code)).toEqual(
      error.errors.map(() => expect.stringMatching(/^values_(not_unique|lost|missing)$/)),
    );
    figures.refused += 1;
    return false;
  }
  figures[target === null ? 'releases' : 'rollbacks'] += 1;
  await world.take(world.lab === labs[0]);
  await world.remember(target);
  return true;
}

test('any sequence of publishes and rollbacks leaves what a fresh publish would have made, and every value', {
  timeout: 1_800_000,
}, async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(shape, fc.array(step, { minLength: RELEASES, maxLength: RELEASES }), async (first, steps) => {
      const lab = labs[runs % 2 === 0 ? 0 : 1];
      runs += 1;
      const organisation = await lab.organisation(`o${runs}`, {
        documents: documentsOf({ ...first, a: null, b: null }),
      });
      const world = new World(organisation, lab);
      await world.begin();
      await world.remember(null);
      for (const { to, drain, writes } of steps) {
        await release(world, to);
        if (drain) {
          await world.settle();
          await world.expectValues();
          await world.expectFresh();
        }
        for (const { which, key, value } of writes) await world.write(which, key, value);
      }
      await world.settle();
      const done = await lab.steps.list(organisation.tenant.key, 10_000);
      // Conversions made ahead of a publish that was refused then.
      const failed = done.filter(({ kind, state }) => kind !== 'convert' && state !== 'done' && state !== 'cancelled');
      expect(failed).toEqual([]);
      figures.steps += done.length;
      await world.expectValues();
      await world.expectFresh();
    }),
    { numRuns: RUNS, endOnFailure: true, seed: SEED },
  );
  console.log(`seed ${SEED}: ${JSON.stringify(figures)}`);
  expect(figures.releases + figures.rollbacks + figures.refused).toBe(RUNS * RELEASES);
});
