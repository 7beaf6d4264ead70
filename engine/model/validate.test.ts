import { describe, expect, test } from 'vitest';
import { Problem, type ProblemDetail } from '../problem.ts';
import { parseDocument } from './json-text.ts';
import { validateDocuments } from './validate.ts';

function faultsOf(work: () => void): readonly ProblemDetail[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.code === 'invalid_document' ? error.errors : [];
  }
}
const validate = (...documents: readonly unknown[]) =>
  faultsOf(() =>
    validateDocuments(documents.map((document, index) => ({ document, source: `doc${index}`, pack: 'shop' }))),
  );
const deal = (...fields: readonly Readonly<Record<string, unknown>>[]) => ({
  kind: 'entity',
  key: 'deal',
  plural: 'deals',
  label: 'Deal',
  fields,
});

describe('a document that is wrong', () => {
  test.each([
    ['a property nobody knows', { ...deal(), tilte: '{name}' }, '/tilte', { found: 'tilte', nearest: 'title' }],
    [
      'a property of a field',
      deal({ key: 'a', type: 'text', requierd: true }),
      '/fields/0/requierd',
      { nearest: 'required' },
    ],
    ['an option of another type', deal({ key: 'a', type: 'text', scale: 2 }), '/fields/0/scale', { found: 'scale' }],
    ['a type that does not exist', deal({ key: 'a', type: 'txet' }), '/fields/0/type', { nearest: 'text' }],
    ['a type that only the engine makes', deal({ key: 'a', type: 'any_id' }), '/fields/0/type', {}],
    [
      'an option of the wrong kind',
      deal({ key: 'a', type: 'text', max: '5' }),
      '/fields/0/max',
      { expected: 'a whole number' },
    ],
    ['a missing option', deal({ key: 'a', type: 'reference' }), '/fields/0', { expected: 'to' }],
    ['a missing property', { kind: 'entity', key: 'deal', plural: 'deals', fields: [] }, '', { expected: 'label' }],
    ['a key that cannot be a name', deal({ key: 'Amount', type: 'text' }), '/fields/0/key', {}],
    [
      'an action nobody knows',
      { kind: 'permission', role: 'rep', entity: 'deal', actions: ['raed'] },
      '/actions/0',
      { nearest: 'read' },
    ],
    [
      'a pattern that could run for ever',
      deal({ key: 'a', type: 'text', pattern: '(?:a+)+' }),
      '/fields/0/pattern',
      {},
    ],
    ['a kind nobody knows', { kind: 'entitty' }, '/kind', { nearest: 'entity' }],
    ['no kind at all', {}, '/kind', {}],
    ['no object', [], '', {}],
    [
      'both ways to name fields',
      {
        kind: 'permission',
        role: 'rep',
        entity: 'deal',
        actions: ['read'],
        fields: { read: { only: [], except: [] } },
      },
      '/fields/read',
      {},
    ],
  ])('%s', (_what, document, pointer, params) => {
    const faults = validate(document);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ document: 'doc0', pointer, params });
    expect(faults[0]?.message).toMatch(/[.?]$/);
  });

  test('everything that is wrong is said at once', () => {
    expect(
      validate(deal({ key: 'a', type: 'txet' }, { key: 'b', type: 'text', max: 0 }), { kind: 'role', label: 1 }).map(
        ({ document, pointer }) => `${document}${pointer}`,
      ),
    ).toEqual(['doc0/fields/0/type', 'doc0/fields/1/max', 'doc1', 'doc1/label']);
  });
});

test('an override says only what it changes, but says it right', () => {
  const base = deal({ key: 'name', type: 'text' });
  expect(validate(base, { kind: 'entity', key: 'deal', fields: [{ key: 'name', required: true }] })).toEqual([]);
  expect(validate({ kind: 'entity', key: 'deal', fields: [{ key: 'name', required: true }] })).toHaveLength(3);
  expect(validate(base, { kind: 'entity', key: 'deal', fields: [{ key: 'name', required: 1 }] })).toMatchObject([
    { document: 'doc1', pointer: '/fields/0/required' },
  ]);
  expect(validate({ kind: 'entity', key: 'deal', removed: true })).toEqual([]);
});

test.each([
  { kind: 'view', pack: 'crm', key: 'lost_opportunities' },
  { kind: 'lifecycle', pack: 'crm', key: 'sales' },
  { kind: 'role', key: 'support' },
  { kind: 'menu', key: 'sales' },
  { kind: 'permission', role: 'support', entity: 'account' },
  { kind: 'permission', role: 'support', resource: 'account', key: 'own' },
  { kind: 'form', pack: 'crm', entity: 'account' },
  { kind: 'translation', locale: 'ar' },
])('what takes a document away says only which one: $kind', (identity) => {
  expect(validate({ ...identity, removed: true })).toEqual([]);
});

describe('text that is not JSON', () => {
  test.each([
    ['{"a": x}', 1, 7],
    ['{"a": 1,}', 1, 9],
    ['{"a": 1\n "b": 2}', 2, 2],
    ['{\n  "a": [1, 2\n}', 3, 1],
    ['{"a": 1, "a": 2}', 1, 10],
    ['{"a": 01}', 1, 8],
    ['{"a": "x\ny"}', 1, 7],
    ['', 1, 1],
    ['[1] x', 1, 5],
    ["{'a': 1}", 1, 2],
  ])('%j is refused at line %i, column %i', (text, line, column) => {
    expect(faultsOf(() => parseDocument(text, 'shop/a.json'))).toMatchObject([
      { document: 'shop/a.json', params: { line, column } },
    ]);
  });

  test('what is JSON is read as such', () => {
    const value = { a: [1, -2.5e3, true, null, { b: '\\"\u00e9\n' }], c: {}, d: [] };
    expect(parseDocument(`\uFEFF${JSON.stringify(value, null, 2)}`, 'x')).toEqual(value);
  });
});
