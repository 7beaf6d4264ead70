/** What is wrong with rules, flags, settings and sequences is said with its place. */
import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { assignIdentities, buildModel } from './build.ts';
import type { Model } from './model.ts';
import { releaseOf } from './testing/fields.ts';

type Json = Readonly<Record<string, unknown>>;
const deal: Json = {
  kind: 'entity',
  key: 'deal',
  plural: 'deals',
  label: 'Deal',
  fields: [
    { key: 'name', type: 'text', required: true },
    { key: 'size', type: 'integer' },
  ],
};
const roles: readonly Json[] = [
  { kind: 'role', key: 'rep', label: 'Rep' },
  { kind: 'role', key: 'boss', label: 'Boss', inherits: ['rep'] },
];

function build(documents: readonly Json[], own: readonly Json[] = []): Model {
  const source = releaseOf([deal, ...roles, ...documents], own);
  return buildModel({ ...source, identities: assignIdentities(source) });
}
function faults(...documents: readonly Json[]): readonly (readonly [string | undefined, string])[] {
  try {
    build(documents);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.errors.map(({ pointer, message }) => [pointer, message]);
  }
}

describe('a rule', () => {
  const rule = (more: Json): Json => ({ kind: 'rule', key: 'r', entity: 'deal', message: 'No.', ...more });
  test('asks for something, of fields that are there', () => {
    expect(faults(rule({}))).toEqual([['', 'A rule asks for something: give it “require” or “fields”.']]);
    expect(faults(rule({ fields: ['sise'] }))).toEqual([
      ['/fields/0', 'There is no field of shop.deal “sise”. Did you mean “size”?'],
    ]);
    expect(faults(rule({ fields: ['size'], field: 'nme' }))).toMatchObject([
      ['/field', expect.stringContaining('“name”')],
    ]);
    expect(faults(rule({ require: { size: { gt: 'x' } } }))).toMatchObject([['/require/size/gt', expect.any(String)]]);
    expect(faults(rule({ fields: ['size'], flag: 'none' }))).toMatchObject([['/flag', 'There is no flag “none”.']]);
  });
  test('of a pack is switched off by the organisation, and its condition is replaced as a whole', () => {
    const shipped = rule({ when: { name: 'A' }, require: { size: { gt: 1 } } });
    expect(build([shipped]).rules.get('shop.deal')).toHaveLength(1);
    expect(build([shipped], [{ kind: 'rule', pack: 'shop', key: 'r', active: false }]).rules.size).toBe(0);
    const [changed] =
      build([shipped], [{ kind: 'rule', pack: 'shop', key: 'r', require: { size: { lt: 9 } } }]).rules.get(
        'shop.deal',
      ) ?? [];
    expect(JSON.stringify(changed?.broken)).toMatch(/"name".*"lt".*9/);
    expect(JSON.stringify(changed?.broken)).not.toContain('"gt"');
  });
});

test('a flag is for those who inherit its roles as well, and for a time that exists', () => {
  const flag = (more: Json): Json => ({ kind: 'flag', key: 'f', label: 'F', ...more });
  expect(build([flag({ roles: ['rep'] })]).flags.get('shop.f')?.roles).toEqual(['rep', 'boss']);
  expect(faults(flag({ roles: ['bos'] }))).toMatchObject([['/roles/0', expect.stringContaining('“boss”')]]);
  expect(faults(flag({ from: '2026-13-01T00:00:00Z' }))).toMatchObject([
    ['/from', expect.stringContaining('no moment')],
  ]);
  expect(faults(flag({ from: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' }))).toMatchObject([
    ['/until', expect.any(String)],
  ]);
  expect(
    faults({ kind: 'menu', key: 'm', label: 'M', items: [{ key: 'd', entity: 'deal', flag: 'g' }] }),
  ).toMatchObject([['/items/0/flag', 'There is no flag “g”.']]);
});

test('a setting has a default that it may have, and a secret none', () => {
  const setting = (more: Json): Json => ({
    kind: 'setting',
    key: 's',
    label: 'S',
    schema: { type: 'integer', maximum: 9 },
    ...more,
  });
  expect(faults(setting({ default: 9 }))).toEqual([]);
  expect(faults(setting({ default: 10 }))).toMatchObject([['/default', expect.stringContaining('must be <= 9')]]);
  expect(faults(setting({ secret: true }))).toMatchObject([['/schema/type', 'A secret is a text.']]);
  expect(faults(setting({ secret: true, schema: { type: 'string' }, default: 'x' }))).toMatchObject([
    ['/default', expect.stringContaining('no default')],
  ]);
  expect(faults(setting({ schema: { type: 'string', pattern: '(a+)+$(' } }))).toMatchObject([
    ['/schema/pattern', expect.any(String)],
  ]);
});

test('a field that draws from a sequence says nothing of its own', () => {
  const numbered = (more: Json): Json => ({
    kind: 'entity',
    key: 'bill',
    plural: 'bills',
    label: 'Bill',
    fields: [{ key: 'number', type: 'sequence', ...more }],
  });
  const sequence: Json = { kind: 'sequence', key: 'bills', label: 'Bills', prefix: 'B-', digits: 4 };
  const field = build([numbered({ sequence: 'bills' }), sequence])
    .entities.get('shop.bill')
    ?.fields.get('number');
  expect(field?.options).toMatchObject({ sequence: 'shop.bills', prefix: 'B-', digits: 4, start: 1 });
  expect(faults(numbered({ sequence: 'bils' }), sequence)).toMatchObject([
    ['/fields/0/sequence', expect.stringContaining('“bills”')],
  ]);
  expect(faults(numbered({ sequence: 'bills', prefix: 'X' }), sequence)).toMatchObject([
    ['/fields/0/prefix', expect.stringContaining('said by the sequence')],
  ]);
  expect(faults({ ...sequence, prefix: '{yyyy}-' })).toMatchObject([
    ['/prefix', 'Only a gapless sequence has the year in its prefix.'],
  ]);
});

test('an e-mail field that asks the DNS needs the setting that switches it', () => {
  const entity: Json = {
    kind: 'entity',
    key: 'person',
    plural: 'people',
    label: 'Person',
    fields: [
      { key: 'name', type: 'text' },
      { key: 'email', type: 'email', mx: true },
    ],
  };
  const setting = (more: Json): Json => ({
    kind: 'setting',
    key: 'email_mx_check',
    label: 'Check',
    schema: { type: 'boolean' },
    ...more,
  });
  const fault = [['/fields/1/mx', expect.stringContaining('needs the setting')]];
  expect(faults(entity)).toEqual(fault);
  expect(faults(entity, setting({ scope: 'user' }))).toEqual(fault);
  expect(faults(entity, setting({ schema: { type: 'string' } }))).toEqual(fault);
  expect(faults(entity, setting({}))).toEqual([]);
});

test('a metric is an aggregate of fields that are there and have it', () => {
  const metric = (more: Json): Json => ({
    kind: 'metric',
    key: 'm',
    label: 'M',
    entity: 'deal',
    aggregate: 'sum(size)',
    ...more,
  });
  expect(faults(metric({ filter: { size: { gt: 1 } }, group: ['month(created_at)'] }))).toEqual([]);
  expect(faults(metric({ aggregate: 'sum(sise)' }))).toMatchObject([['/aggregate', expect.stringContaining('size')]]);
  expect(faults(metric({ aggregate: 'sum(name)' }))).toMatchObject([
    ['/aggregate', expect.stringContaining('not possible')],
  ]);
  expect(faults(metric({ group: ['month(name)'] }))).toMatchObject([['/group/0', expect.stringContaining('name')]]);
  expect(faults(metric({ filter: { nothing: 1 } }))).toMatchObject([
    [expect.stringContaining('/filter'), expect.any(String)],
  ]);
});
