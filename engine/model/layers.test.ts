import { expect, test } from 'vitest';
import type { Document } from './documents.ts';
import { type LayeredDocument, mergeLayers } from './layers.ts';

const entity = (fields: readonly Readonly<Record<string, unknown>>[], more = {}) => ({
  kind: 'entity',
  key: 'deal',
  plural: 'deals',
  label: 'Deal',
  fields,
  ...more,
});
const layer = (document: unknown, source = 'base', pack = 'shop'): LayeredDocument => ({
  document: document as Document,
  source,
  pack,
});

function merged(...documents: readonly unknown[]): unknown {
  return mergeLayers(documents.map((document, index) => layer(document, `layer${index}`)))[0]?.document;
}

test('an override changes what it names and keeps the rest, in place', () => {
  const base = entity([
    { key: 'name', type: 'text', label: 'Name' },
    {
      key: 'stage',
      type: 'choice',
      choices: [
        { key: 'won', label: 'Won' },
        { key: 'lost', label: 'Lost' },
      ],
    },
  ]);
  const over = {
    kind: 'entity',
    key: 'deal',
    label: 'Bargain',
    fields: [
      { key: 'region', type: 'text' },
      { key: 'name', required: true },
      { key: 'stage', choices: [{ key: 'won', label: 'Done' }, { key: 'open' }] },
    ],
  };
  expect(merged(base, over)).toEqual(
    entity(
      [
        { key: 'name', type: 'text', label: 'Name', required: true },
        {
          key: 'stage',
          type: 'choice',
          choices: [{ key: 'won', label: 'Done' }, { key: 'lost', label: 'Lost' }, { key: 'open' }],
        },
        { key: 'region', type: 'text' },
      ],
      { label: 'Bargain' },
    ),
  );
});

test('"removed" takes an element or a document away, and what comes again starts from nothing', () => {
  const base = entity([
    { key: 'name', type: 'text', required: true },
    { key: 'old', type: 'text' },
  ]);
  const removal = {
    kind: 'entity',
    key: 'deal',
    fields: [
      { key: 'old', removed: true },
      { key: 'never', removed: true },
    ],
  };
  expect(merged(base, removal)).toMatchObject({ fields: [{ key: 'name' }] });
  expect(mergeLayers([layer(base), layer({ kind: 'entity', key: 'deal', removed: true })])).toEqual([]);
  const again = entity([{ key: 'new', type: 'date' }]);
  expect(merged(base, { kind: 'entity', key: 'deal', removed: true }, again)).toEqual(again);
  expect(merged(base, removal, { kind: 'entity', key: 'deal', fields: [{ key: 'old', type: 'date' }] })).toMatchObject({
    fields: [{ key: 'name' }, { key: 'old', type: 'date' }],
  });
});

test('what only makes sense as a whole is replaced as a whole', () => {
  const base = {
    kind: 'permission',
    role: 'rep',
    entity: 'deal',
    actions: ['read'],
    fields: { read: { only: ['name'] } },
    conditions: { owner: 'self' },
  };
  const over = {
    kind: 'permission',
    role: 'rep',
    entity: 'deal',
    actions: ['update'],
    fields: { read: { except: ['name'] } },
    condition: { all: [] },
  };
  expect(merged(base, over)).toEqual({
    kind: 'permission',
    role: 'rep',
    entity: 'deal',
    actions: ['update'],
    fields: { read: { except: ['name'] } },
    condition: { all: [] },
  });
});

test('texts of a translation are merged one by one', () => {
  const text = (texts: Readonly<Record<string, string>>) => ({ kind: 'translation', locale: 'ar', texts });
  expect(merged(text({ a: '1', b: '2' }), text({ b: '3', c: '4' }))).toEqual(text({ a: '1', b: '3', c: '4' }));
});

test('roles and menus are the same in all packs; entities are not', () => {
  const role = { kind: 'role', key: 'rep', label: 'Rep' };
  expect(mergeLayers([layer(role, 'a', 'shop'), layer({ ...role, inherits: ['member'] }, 'b', 'crm')])).toHaveLength(1);
  expect(mergeLayers([layer(entity([]), 'a', 'shop'), layer(entity([]), 'b', 'crm')])).toHaveLength(2);
});

test('every part knows the document that said it last', () => {
  const base = entity([
    { key: 'name', type: 'text', label: 'Name' },
    { key: 'gone', type: 'text' },
    { key: 'stage', type: 'choice', choices: [{ key: 'a' }] },
  ]);
  const over = {
    kind: 'entity',
    key: 'deal',
    label: 'Bargain',
    fields: [
      { key: 'gone', removed: true },
      { key: 'region', type: 'text' },
      { key: 'name', required: true },
      { key: 'stage', choices: [{ key: 'b' }] },
    ],
  };
  const [effective] = mergeLayers([layer(base, 'base'), layer(over, 'over')]);
  expect(effective?.place('label')).toEqual({ document: 'over', pointer: '/label' });
  expect(effective?.place('plural')).toEqual({ document: 'base', pointer: '/plural' });
  // Merged order: name, stage, region.
  expect(effective?.place('fields', 0, 'type')).toEqual({ document: 'base', pointer: '/fields/0/type' });
  expect(effective?.place('fields', 0, 'required')).toEqual({ document: 'over', pointer: '/fields/2/required' });
  expect(effective?.place('fields', 1, 'choices', 0, 'key')).toEqual({
    document: 'base',
    pointer: '/fields/2/choices/0/key',
  });
  expect(effective?.place('fields', 1, 'choices', 1, 'key')).toEqual({
    document: 'over',
    pointer: '/fields/3/choices/0/key',
  });
  expect(effective?.place('fields', 2, 'type')).toEqual({ document: 'over', pointer: '/fields/1/type' });
});

test('the documents that came in stay as they were', () => {
  const base = entity([{ key: 'name', type: 'text' }]);
  const before = structuredClone(base);
  merged(base, { kind: 'entity', key: 'deal', fields: [{ key: 'name', removed: true }] });
  expect(base).toEqual(before);
});
