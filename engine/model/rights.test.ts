import { describe, expect, test } from 'vitest';
import { assignIdentities, buildModel } from './build.ts';
import { rightsOf } from './rights.ts';
import { releaseOf } from './testing/fields.ts';

const money = { key: 'amount', type: 'money' };
const documents = [
  {
    kind: 'lifecycle',
    key: 'stage',
    label: 'Stage',
    initial: 'open',
    states: [{ key: 'open' }, { key: 'won' }],
    transitions: [
      { key: 'win', from: ['open'], to: 'won' },
      { key: 'reopen', from: ['won'], to: 'open' },
    ],
  },
  {
    kind: 'entity',
    key: 'deal',
    plural: 'deals',
    label: 'Deal',
    owner: true,
    fields: [
      { key: 'name', type: 'text' },
      money,
      { key: 'stage', type: 'state', lifecycle: 'stage' },
      { key: 'number', type: 'sequence' },
      { key: 'lines', type: 'children', of: 'line' },
    ],
  },
  {
    kind: 'entity',
    key: 'line',
    plural: 'lines',
    label: 'Line',
    parent: 'deal',
    fields: [
      { key: 'deal', type: 'reference', to: 'deal', required: true },
      { key: 'text', type: 'text' },
      { key: 'notes', type: 'children', of: 'note' },
    ],
  },
  {
    kind: 'entity',
    key: 'note',
    plural: 'notes',
    label: 'Note',
    parent: 'line',
    fields: [{ key: 'line', type: 'reference', to: 'line', required: true }],
  },
  { kind: 'role', key: 'boss', label: 'Boss', administrator: true },
  { kind: 'role', key: 'member', label: 'Member' },
  { kind: 'role', key: 'rep', label: 'Rep', inherits: ['member'] },
  { kind: 'role', key: 'clerk', label: 'Clerk' },
  { kind: 'permission', role: 'member', entity: 'deal', actions: ['read'], fields: { read: { only: ['name'] } } },
  {
    kind: 'permission',
    role: 'rep',
    entity: 'deal',
    actions: ['read', 'create', 'update', 'export'],
    conditions: { owner: 'self' },
    fields: { update: { except: ['amount'] } },
    transitions: ['win'],
  },
  { kind: 'permission', role: 'clerk', entity: 'deal', actions: ['read'], fields: { read: { except: ['lines'] } } },
];
const source = releaseOf(documents);
const model = buildModel({ ...source, identities: assignIdentities(source) });
const on = (roles: readonly string[], entity = 'shop.deal') => rightsOf(model, roles).of(entity);

describe('rights', () => {
  test('are made of what the roles and those they inherit allow', () => {
    expect([...rightsOf(model, ['rep']).roles].sort()).toEqual(['member', 'rep']);
    const { read, create, update, delete: remove } = on(['rep']);
    expect(read).toHaveLength(2);
    expect(read.map(({ condition, fields }) => [condition === null, fields === null])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(create).toMatchObject([{ fields: null }]);
    expect(update[0]?.fields?.has('amount')).toBe(false);
    expect(update[0]?.fields?.has('amount_currency')).toBe(false);
    expect([...(update[0]?.transitions ?? [])]).toEqual(['win']);
    expect(remove).toEqual([]);
    expect(on(['rep'])).toMatchObject({ export: true, import: false });
  });

  test('tell the fields one may read on every record from those one may read on some', () => {
    const { readableFields } = on(['rep']);
    expect(readableFields.get('name')).toBe('always');
    expect(readableFields.get('id')).toBe('always');
    expect(readableFields.get('version')).toBe('always');
    expect(readableFields.get('amount')).toBe('conditional');
    expect(on(['member']).readableFields.has('amount')).toBe(false);
    expect([...on(['member']).readableFields.keys()]).toEqual(['id', 'version', 'name']);
  });

  test('leave out what nobody writes: the state is given at creation, the owner is not changed', () => {
    const { creatableFields, updatableFields, transitions } = on(['boss']);
    expect([...creatableFields].sort()).toEqual(['amount', 'amount_currency', 'lines', 'name', 'owner', 'stage']);
    expect([...updatableFields].sort()).toEqual(['amount', 'amount_currency', 'lines', 'name']);
    expect([...transitions]).toEqual(['win', 'reopen']);
    expect([...on(['rep']).transitions]).toEqual(['win']);
  });

  test('of an administrator are all, in one grant', () => {
    expect(rightsOf(model, ['boss']).administrator).toBe(true);
    expect(on(['boss', 'rep']).read).toEqual([{ condition: null, fields: null, transitions: null }]);
    expect(on(['boss']).import).toBe(true);
  });

  test('of a part follow its parent, at any depth', () => {
    const { read, create, update, delete: remove } = on(['rep'], 'shop.line');
    expect(read).toHaveLength(1);
    expect(read[0]?.condition).toMatchObject({
      kind: 'test',
      left: { steps: [{ field: 'deal', entity: 'shop.deal', table: 'shop_deals' }], field: 'owner' },
    });
    for (const grants of [create, update, remove]) expect(grants).toEqual(read);
    expect(on(['rep'], 'shop.note').read[0]?.condition).toMatchObject({
      left: { steps: [{ field: 'line' }, { field: 'deal' }], field: 'owner' },
    });
    expect(on(['boss'], 'shop.note').delete).toHaveLength(1);
  });

  test('of a part are none for whoever may not read the parent’s list of them', () => {
    expect(on(['clerk']).read).toHaveLength(1);
    expect(on(['clerk'], 'shop.line').read).toEqual([]);
    expect(on(['member'], 'shop.line').read).toEqual([]);
  });

  test('are nothing for an unknown role or entity', () => {
    expect(on(['nobody']).read).toEqual([]);
    expect(on(['boss'], 'shop.missing')).toMatchObject({ read: [], create: [], import: false });
    expect(on([]).readableFields.size).toBe(0);
  });

  test('are made once', () => {
    expect(rightsOf(model, ['rep', 'clerk'])).toBe(rightsOf(model, ['clerk', 'rep', 'rep']));
    expect(on(['rep'])).toBe(on(['rep']));
  });
});
