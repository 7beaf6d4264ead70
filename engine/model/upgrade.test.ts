import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_IDENTITIES } from './build.ts';
import { isObject, type Pack, type ReleaseSource } from './documents.ts';
import { effectiveDocuments } from './effective.ts';
import { Faults } from './faults.ts';
import { jsonOf } from './layers.ts';
import { same } from './merge.ts';
import type { Resolutions } from './merge-documents.ts';
import { packOf, releaseOf } from './testing/fields.ts';
import { upgrade } from './upgrade.ts';

type Json = Readonly<Record<string, unknown>>;
const shop = (fields: readonly Json[], more: Json = {}, others: readonly Json[] = []): Pack =>
  packOf('shop', [{ kind: 'entity', key: 'deal', plural: 'deals', label: 'Deal', fields, ...more }, ...others]);
const source = (pack: Pack, own: readonly Json[]): ReleaseSource => {
  const release = releaseOf([], own, 2);
  return { ...release, packs: [...release.packs.slice(0, 1), pack], identities: NO_IDENTITIES };
};
const core = releaseOf([]).packs.slice(0, 1);
const run = (before: Pack, after: Pack, own: readonly Json[], resolutions?: Resolutions) => {
  const { tenantDocuments, conflicts } = upgrade(source(after, own), [...core, before], resolutions);
  return { documents: tenantDocuments.map(({ document }) => document), conflicts };
};
const name = { key: 'name', type: 'text', required: true };
const region = { key: 'region', type: 'text', label: 'Region', max: 40 };
const override = (fields: readonly Json[], more: Json = {}): Json => ({
  kind: 'entity',
  pack: 'shop',
  key: 'deal',
  fields,
  ...more,
});

describe('an upgrade', () => {
  test('leaves alone what only one side has changed', () => {
    const own = [override([{ key: 'region', label: 'Area' }], { icon: 'star' })];
    expect(run(shop([name, region]), shop([name, { ...region, max: 80 }], { label: 'Sale' }), own)).toEqual({
      documents: own,
      conflicts: [],
    });
  });

  test('asks about what both have changed, and does what is decided', () => {
    const own = [override([{ key: 'region', label: 'Area', max: 50 }])];
    const [before, after] = [shop([name, region]), shop([name, { ...region, label: 'Territory' }])];
    const id = 'entity shop.deal/fields/region/label';
    expect(run(before, after, own).conflicts).toEqual([
      {
        id,
        kind: 'both_changed',
        document: 'entity shop.deal',
        pointer: '/fields/region/label',
        base: 'Region',
        ours: 'Area',
        theirs: 'Territory',
        message: 'The pack and the organisation have both changed entity shop.deal, /fields/region/label.',
        resolutions: ['keep', 'take'],
      },
    ]);
    expect(run(before, after, own, { [id]: 'keep' })).toEqual({ documents: own, conflicts: [] });
    expect(run(before, after, own, { [id]: 'take' })).toEqual({
      documents: [override([{ key: 'region', max: 50 }])],
      conflicts: [],
    });
  });

  test('asks about an override of what is gone; kept, it becomes the organisation’s own', () => {
    const own = [override([{ key: 'region', label: 'Area' }])];
    const [before, after] = [shop([name, region]), shop([name])];
    const id = 'entity shop.deal/fields/region';
    expect(run(before, after, own).conflicts).toMatchObject([
      { id, kind: 'changed_and_removed', base: region, ours: { label: 'Area' }, theirs: undefined },
    ]);
    expect(run(before, after, own, { [id]: 'keep' }).documents).toEqual([override([{ ...region, label: 'Area' }])]);
    expect(run(before, after, own, { [id]: 'take' }).documents).toEqual([override([])]);
  });

  test('keeps of a field that is gone what the pack had in its lists as well', () => {
    const sector = { key: 'sector', type: 'choice', label: 'Sector', choices: [{ key: 'farming' }, { key: 'trade' }] };
    const choices = [{ key: 'trade', removed: true }, { key: 'shipping' }];
    const own = [override([{ key: 'sector', label: 'Branch', choices }])];
    const id = 'entity shop.deal/fields/sector';
    expect(run(shop([name, sector]), shop([name]), own, { [id]: 'keep' }).documents).toEqual([
      override([{ ...sector, label: 'Branch', choices: [{ key: 'farming' }, { key: 'shipping' }] }]),
    ]);
  });

  test('asks about what the organisation took away and the pack has changed', () => {
    const own = [override([{ key: 'region', removed: true }])];
    const [before, after] = [shop([name, region]), shop([name, { ...region, max: 80 }])];
    const [conflict] = run(before, after, own).conflicts;
    expect(conflict).toMatchObject({ kind: 'removed_and_changed', pointer: '/fields/region' });
    expect(run(before, after, own, { [conflict?.id ?? '']: 'keep' }).documents).toEqual(own);
    expect(run(before, after, own, { [conflict?.id ?? '']: 'take' }).documents).toEqual([override([])]);
    expect(run(before, shop([name]), own)).toEqual({ documents: [override([])], conflicts: [] });
  });

  test('asks about a field that is gone and that the organisation uses, and can keep it', () => {
    const view = {
      kind: 'view',
      key: 'north',
      label: 'North',
      entity: 'shop.deal',
      columns: ['name', 'region'],
      filter: { region: 'north' },
    };
    const [before, after] = [shop([name, region]), shop([name])];
    const { conflicts } = run(before, after, [view]);
    expect(conflicts.map(({ id, kind }) => [id, kind])).toEqual([
      ['view custom.north/columns/1', 'uses_removed'],
      ['view custom.north/filter/region', 'uses_removed'],
    ]);
    const kept = run(before, after, [view], Object.fromEntries(conflicts.map(({ id }) => [id, 'keep' as const])));
    expect(kept).toEqual({
      documents: [view, { kind: 'entity', pack: 'shop', key: 'deal', fields: [region] }],
      conflicts: [],
    });
  });

  test('asks about the override of a document that is gone, which only the pack could bring back', () => {
    const view = { kind: 'view', key: 'all', label: 'All', entity: 'deal', columns: ['name'] };
    const own = [{ kind: 'view', pack: 'shop', key: 'all', label: 'Everything' }];
    const { conflicts } = run(shop([name], {}, [view]), shop([name]), own);
    expect(conflicts).toMatchObject([{ id: 'view shop.all', kind: 'changed_and_removed', resolutions: ['take'] }]);
    expect(run(shop([name], {}, [view]), shop([name]), own, { 'view shop.all': 'take' })).toEqual({
      documents: [],
      conflicts: [],
    });
  });
});

describe('edits of both sides', () => {
  const keys = ['a', 'b', 'c'] as const;
  const properties = ['label', 'help', 'max', 'index', 'search'] as const;
  const values: Readonly<Record<(typeof properties)[number], fc.Arbitrary<unknown>>> = {
    label: fc.constantFrom('One', 'Two', 'Three'),
    help: fc.constantFrom('Short.', 'Long.'),
    max: fc.constantFrom(10, 20, 30),
    index: fc.boolean(),
    search: fc.constantFrom('A', 'B'),
  };
  const edits = fc.dictionary(fc.constantFrom(...keys), fc.record(values, { requiredKeys: [] }), {
    noNullPrototype: true,
  });
  const field = (key: string, more: Json = {}): Json => ({ key, type: 'text', label: 'Zero', max: 5, ...more });
  const fieldsOf = (given: Json): readonly Json[] =>
    keys.map((key) => field(key, isObject(given[key]) ? given[key] : {}));

  test('that do not touch the same property always survive, and others are always asked about', () => {
    fc.assert(
      fc.property(edits, edits, edits, (before, after, own) => {
        const written = Object.entries(own).map(([key, more]) => ({ key, ...more }));
        const [base, theirs] = [shop(fieldsOf(before)), shop(fieldsOf({ ...before, ...after }))];
        const release = source(theirs, [override(written)]);
        const { tenantDocuments, conflicts } = upgrade(release, [...core, base]);
        const effective = effectiveDocuments({ packs: release.packs, tenantDocuments }, new Faults())
          .of('entity')
          .find(({ document }) => document.key === 'deal');
        const result = effective ? jsonOf(effective.document)['fields'] : [];
        const list: readonly unknown[] = Array.isArray(result) ? result : [];
        keys.forEach((key, index) => {
          const [was, shipped] = [fieldsOf(before)[index] ?? {}, fieldsOf({ ...before, ...after })[index] ?? {}];
          const mine = own[key] ?? {};
          const now = list.find((one) => isObject(one) && one['key'] === key);
          for (const property of properties) {
            const ours = property in mine ? Reflect.get(mine, property) : was[property];
            const conflict = conflicts.some(({ pointer }) => pointer === `/fields/${key}/${property}`);
            const [edited, upgraded] = [!same(ours, was[property]), !same(shipped[property], was[property])];
            expect(conflict).toBe(edited && upgraded && !same(ours, shipped[property]));
            const expected = edited ? ours : shipped[property];
            expect([key, property, isObject(now) ? now[property] : null]).toEqual([key, property, expected]);
          }
        });
      }),
      { numRuns: 300 },
    );
  });
});
