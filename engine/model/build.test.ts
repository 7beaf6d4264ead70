import { describe, expect, test } from 'vitest';
import { Problem, type ProblemDetail } from '../problem.ts';
import { assignIdentities, buildModel } from './build.ts';
import type { Model } from './model.ts';
import { packOf, releaseOf } from './testing/fields.ts';

type Documents = readonly Readonly<Record<string, unknown>>[];

function build(documents: Documents, own: Documents = []): Model {
  const source = releaseOf(documents, own);
  return buildModel({ ...source, identities: assignIdentities(source) });
}

function faultsOf(documents: Documents, own: Documents = []): readonly ProblemDetail[] {
  try {
    build(documents, own);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.errors;
  }
}

const name = { key: 'name', type: 'text', required: true };
const deal = (fields: Documents = [], more = {}) => ({
  kind: 'entity',
  key: 'deal',
  plural: 'deals',
  label: 'Deal',
  fields: [name, ...fields],
  ...more,
});
const line = (fields: Documents = [], more = {}) => ({
  kind: 'entity',
  key: 'line',
  plural: 'lines',
  label: 'Line',
  parent: 'deal',
  fields: [{ key: 'deal', type: 'reference', to: 'deal', required: true }, ...fields],
  ...more,
});
const rep = { kind: 'role', key: 'rep', label: 'Rep' };
const may = (more = {}) => ({ kind: 'permission', role: 'rep', entity: 'deal', actions: ['read'], ...more });
const stage = (more = {}) => ({
  kind: 'lifecycle',
  key: 'stage',
  label: 'Stage',
  initial: 'open',
  states: [{ key: 'open' }, { key: 'won', category: 'won' }],
  transitions: [
    {
      key: 'win',
      from: ['open'],
      to: 'won',
      requires: ['amount'],
      sets: { won_on: { today: true } },
      guard: { amount: { gt: '0' } },
      guardMessage: 'No amount.',
    },
  ],
  ...more,
});
const dealWithStage = deal([
  { key: 'stage', type: 'state', lifecycle: 'stage' },
  { key: 'amount', type: 'money' },
  { key: 'won_on', type: 'date' },
]);

describe('a model', () => {
  test('has an entity with the engine’s fields first, its own after them, and names for all it becomes', () => {
    const entity = build([
      deal([{ key: 'amount', type: 'money', label: 'Value' }], { owner: true, softDelete: true }),
    ]).entities.get('shop.deal');
    expect(entity).toMatchObject({
      name: 'shop.deal',
      path: 'shop/deals',
      table: 'shop_deals',
      label: 'Deal',
      pluralLabel: 'Deals',
      title: { template: '{name}', fields: ['name'] },
    });
    expect([...(entity?.fields.keys() ?? [])]).toEqual([
      'id',
      'version',
      'created_at',
      'created_by',
      'updated_at',
      'updated_by',
      'owner',
      'deleted_at',
      'name',
      'amount',
      'amount_currency',
    ]);
    expect(entity?.fields.get('amount')).toMatchObject({
      label: 'Value',
      column: 'amount',
      currencyField: 'amount_currency',
      readOnly: false,
    });
    expect(entity?.fields.get('amount_currency')).toMatchObject({
      default: 'EUR',
      required: true,
      system: false,
      readOnly: false,
    });
    expect(entity?.fields.get('owner')).toMatchObject({
      system: true,
      reference: { entity: 'core.user', onDelete: 'restrict' },
    });
    for (const field of entity?.fields.values() ?? []) {
      expect(field.id).toMatch(/^f_[0-9a-f]{12}$/);
      expect(entity?.fieldsById.get(field.id)).toBe(field);
    }
  });

  test('ties parts to their whole', () => {
    const model = build([deal([{ key: 'lines', type: 'children', of: 'line' }]), line()]);
    expect(model.entities.get('shop.line')).toMatchObject({ parent: { entity: 'shop.deal', field: 'deal' } });
    expect(model.entities.get('shop.line')?.fields.get('deal')?.reference).toEqual({
      entity: 'shop.deal',
      onDelete: 'cascade',
    });
    expect(model.entities.get('shop.deal')?.fields.get('lines')).toMatchObject({
      column: null,
      children: { entity: 'shop.line', field: 'deal' },
    });
  });

  test('knows the states of a state field and the guards of its steps', () => {
    const model = build([dealWithStage, stage()]);
    const field = model.entities.get('shop.deal')?.fields.get('stage');
    expect(field).toMatchObject({
      lifecycle: 'shop.stage',
      required: true,
      default: 'open',
      readOnly: true,
      choices: [{ key: 'open', label: 'Open' }, { key: 'won' }],
    });
    expect(field?.guards?.get('win')).toMatchObject({ kind: 'test', operator: 'gt' });
    expect(model.lifecycles.get('shop.stage')?.transitions.get('win')).toMatchObject({
      guarded: true,
      guardMessage: 'No amount.',
    });
    expect([...(model.lifecycles.get('shop.stage')?.createIn ?? [])]).toEqual(['open']);
  });

  test('keeps permissions by field id, an amount with its currency', () => {
    const model = build([
      deal([{ key: 'amount', type: 'money' }]),
      rep,
      may({ fields: { read: { only: ['amount'] }, update: { except: ['amount'] } } }),
    ]);
    const entity = model.entities.get('shop.deal');
    const keys = (ids: ReadonlySet<string> | null | undefined) =>
      [...(ids ?? [])].map((id) => entity?.fieldsById.get(id)?.key);
    expect(new Set(keys(entity?.permissions[0]?.fields.read))).toEqual(
      new Set(['amount', 'amount_currency', 'id', 'version']),
    );
    expect(keys(entity?.permissions[0]?.fields.update)).not.toContain('amount_currency');
    expect(keys(entity?.permissions[0]?.fields.update)).toContain('name');
    expect(entity?.permissions[0]?.fields.create).toBeNull();
  });

  test('lets a formula be read by those only who may read all it is computed from', () => {
    const model = build([
      deal([
        { key: 'amount', type: 'money' },
        { key: 'chance', type: 'percent' },
        { key: 'expected', type: 'formula', returns: 'money', expr: 'amount * chance / 100' },
        { key: 'half', type: 'formula', returns: 'money', expr: 'expected / 2' },
      ]),
      rep,
      may({ fields: { read: { except: ['chance'] } } }),
    ]);
    const entity = model.entities.get('shop.deal');
    expect(entity?.fields.get('half')).toMatchObject({ currencyField: 'amount_currency', readOnly: true });
    expect(entity?.fields.get('half')?.formula?.reads).toEqual(['amount', 'chance']);
    const readable = [...(entity?.permissions[0]?.fields.read ?? [])].map((id) => entity?.fieldsById.get(id)?.key);
    expect(readable).toContain('amount');
    expect(readable).not.toContain('expected');
    expect(readable).not.toContain('half');
  });

  test('reads both spellings of a condition, and "resource" for "entity"', () => {
    const long = { all: [{ fact: 'owner', operator: 'equal', value: { fact: 'user', path: '$.id' } }] };
    const condition = (permission: Readonly<Record<string, unknown>>) =>
      build([deal([], { owner: true }), rep, permission]).entities.get('shop.deal')?.permissions[0]?.condition;
    const { entity: _, ...rest } = may();
    expect(condition(may({ condition: long }))).toEqual(
      condition({ ...rest, resource: 'deal', conditions: { owner: 'self' } }),
    );
    expect(condition(may({ condition: {} }))).toBeNull();
  });

  test('gives an administrator every right, except on parts, whose rights follow', () => {
    const model = build([
      deal([{ key: 'lines', type: 'children', of: 'line' }]),
      line(),
      { kind: 'role', key: 'boss', label: 'Boss', administrator: true },
    ]);
    expect(model.entities.get('shop.deal')?.permissions).toMatchObject([
      { role: 'boss', condition: null, fields: { read: null } },
    ]);
    expect(model.entities.get('shop.line')?.permissions).toEqual([]);
  });

  test('leaves out of a pack’s form what the organisation takes away', () => {
    const form = {
      kind: 'form',
      entity: 'deal',
      sections: [{ key: 'main', fields: ['amount', 'name'] }],
    };
    const pack = [deal([{ key: 'amount', type: 'money' }]), form];
    const own = { kind: 'entity', pack: 'shop', key: 'deal', fields: [{ key: 'amount', removed: true }] };
    expect(build(pack, [own]).forms.get('shop.deal')?.sections).toMatchObject([{ fields: ['name'] }]);
    // A name that nobody took away is a mistake as ever.
    const wrong = { kind: 'form', pack: 'shop', entity: 'deal', sections: [{ key: 'main', fields: ['amuont'] }] };
    expect(faultsOf(pack, [own, wrong])).toMatchObject([{ pointer: '/sections/0/fields/0' }]);
  });

  test('gives every entity a form; a field that an organisation adds shows up in the pack’s', () => {
    const form = {
      kind: 'form',
      entity: 'deal',
      sections: [
        { key: 'main', fields: ['name'] },
        { key: 'more', fields: ['amount'] },
      ],
    };
    const model = build(
      [deal([{ key: 'amount', type: 'money' }]), form],
      [{ kind: 'entity', pack: 'shop', key: 'deal', fields: [{ key: 'region', type: 'text' }] }],
    );
    expect(model.forms.get('shop.deal')?.sections).toMatchObject([
      { fields: ['name'] },
      { fields: ['amount', 'region'] },
    ]);
    expect(model.forms.get('core.team')?.sections).toMatchObject([{ fields: ['name'] }]);
  });

  test('resolves views, menus and translations', () => {
    const model = build([
      deal([{ key: 'amount', type: 'money' }]),
      {
        kind: 'view',
        key: 'big',
        label: 'Big',
        entity: 'deal',
        columns: ['name', { field: 'amount', width: 90 }],
        order: ['-amount'],
        filter: { amount: { gte: '10' } },
      },
      { kind: 'menu', key: 'b', label: 'B', order: 2, items: [{ key: 'deals', entity: 'deal', view: 'big' }] },
      { kind: 'menu', key: 'a', label: 'A', order: 1, items: [] },
      { kind: 'translation', locale: 'ar', texts: { 'shop.deal': 'صفقة' } },
    ]);
    expect(model.views.get('shop.big')).toMatchObject({
      entity: 'shop.deal',
      columns: [{ field: 'name', width: null }, { width: 90 }],
      order: [{ field: 'amount', descending: true }],
    });
    expect(model.views.get('shop.big')?.filter).not.toBeNull();
    expect(model.menus).toMatchObject([
      { key: 'a' },
      { key: 'b', items: [{ label: 'Deals', entity: 'shop.deal', view: 'shop.big' }] },
    ]);
    expect(model.translations.get('ar')?.get('shop.deal')).toBe('صفقة');
  });

  test('is frozen all the way down, and leaves the documents alone', () => {
    const documents = [dealWithStage, stage()];
    const before = structuredClone(documents);
    const model = build(documents);
    const fields: unknown = model.entities.get('shop.deal')?.fields;
    const amount = model.entities.get('shop.deal')?.fields.get('amount');
    expect(() => (model.entities as Map<string, unknown>).set('x', 1)).toThrow('frozen');
    expect(() => (fields as Map<string, unknown>).delete('name')).toThrow('frozen');
    expect(() => Object.assign(amount?.options ?? {}, { scale: 9 })).toThrow(TypeError);
    expect(() => Object.assign(model.lifecycles.get('shop.stage')?.transitions.get('win') ?? {}, { to: 'x' })).toThrow(
      TypeError,
    );
    expect(documents).toEqual(before);
    expect(Object.isFrozen(documents[0])).toBe(false);
  });
});

describe('documents that contradict each other are refused', () => {
  const doc = 'shop/deal.entity';
  test.each<[string, Documents, Partial<ProblemDetail>]>([
    [
      'a reference to nothing',
      [deal([{ key: 'a', type: 'reference', to: 'lin' }]), line()],
      { document: doc, pointer: '/fields/1/to', params: { nearest: 'line' } },
    ],
    [
      'a required reference that would be cleared',
      [deal([{ key: 'a', type: 'reference', to: 'deal', required: true, onDelete: 'clear' }])],
      { pointer: '/fields/1/onDelete' },
    ],
    [
      'a lifecycle that is not there',
      [deal([{ key: 'a', type: 'state', lifecycle: 'stag' }]), stage({ transitions: [] })],
      { pointer: '/fields/1/lifecycle', params: { nearest: 'stage' } },
    ],
    ['children that are no parts', [deal([{ key: 'a', type: 'children', of: 'deal' }])], { pointer: '/fields/1/of' }],
    ['a parent that is no reference', [deal([], { parent: 'name' })], { pointer: '/parent' }],
    [
      'a field called as the engine’s',
      [deal([{ key: 'version', type: 'text' }])],
      { pointer: '/fields/1/key', code: 'reserved' },
    ],
    ['two fields of one key', [deal([{ key: 'name', type: 'date' }])], { pointer: '/fields/1/key', code: 'duplicate' }],
    [
      'a field in the place of a currency',
      [
        deal([
          { key: 'amount_currency', type: 'text' },
          { key: 'amount', type: 'money' },
        ]),
      ],
      { pointer: '/fields/2/key', code: 'duplicate' },
    ],
    ['a title of no field', [deal([], { title: '{nam}' })], { pointer: '/title', params: { nearest: 'name' } }],
    ['a unique set with no field', [deal([], { unique: [['name', 'nam']] })], { pointer: '/unique/0/1' }],
    [
      'a unique formula',
      [deal([{ key: 'a', type: 'formula', returns: 'text', expr: 'name', unique: true }])],
      { pointer: '/fields/1/unique' },
    ],
    [
      'a formula that reads itself',
      [deal([{ key: 'net', type: 'formula', returns: 'decimal', expr: 'net * 2' }])],
      { document: doc, pointer: '/fields/1/expr', code: 'cyclic', message: 'cyclic formula: net → net' },
    ],
    [
      'formulas in a circle',
      [
        deal([
          { key: 'a', type: 'formula', returns: 'decimal', expr: 'b + 1' },
          { key: 'b', type: 'formula', returns: 'decimal', expr: 'a * 2' },
        ]),
      ],
      { document: doc, pointer: '/fields/1/expr', code: 'cyclic', message: 'cyclic formula: a → b → a' },
    ],
    [
      'a default that is not valid',
      [deal([{ key: 'a', type: 'choice', choices: [{ key: 'x' }], default: 'y' }])],
      { pointer: '/fields/1/default' },
    ],
    [
      'a default that is too long',
      [deal([{ key: 'a', type: 'text', max: 2, default: 'abc' }])],
      { pointer: '/fields/1/default' },
    ],
    ['two entities at one address', [deal(), { ...deal(), key: 'bargain' }], { pointer: '/plural', code: 'duplicate' }],
    [
      'a role that inherits nothing',
      [{ ...rep, inherits: ['re'] }],
      { pointer: '/inherits/0', params: { nearest: 'rep' } },
    ],
    ['a role called as the engine’s', [{ ...rep, key: 'set_x' }], { pointer: '/key', code: 'reserved' }],
    [
      'a field called as a word of conditions',
      [deal([{ key: 'not', type: 'text' }])],
      { pointer: '/fields/1/key', code: 'reserved' },
    ],
    [
      'roles in a circle',
      [
        { ...rep, inherits: ['b'] },
        { ...rep, key: 'b', inherits: ['rep'] },
      ],
      { pointer: '/inherits', code: 'cycle' },
    ],
    ['a permission of no role', [deal(), may()], { document: 'shop/rep.deal.permission', pointer: '/role' }],
    [
      'a permission on nothing',
      [rep, deal(), may({ entity: 'deel' })],
      { pointer: '/entity', params: { nearest: 'deal' } },
    ],
    [
      'a permission on no field',
      [rep, deal(), may({ fields: { update: { only: ['nane'] } } })],
      { pointer: '/fields/update/only/0', params: { nearest: 'name' } },
    ],
    [
      'a permission to write what nobody writes',
      [rep, deal(), may({ fields: { update: { only: ['created_at'] } } })],
      { pointer: '/fields/update/only/0' },
    ],
    ['a permission on a part', [rep, deal(), line(), may({ entity: 'line' })], { pointer: '/entity' }],
    [
      'a permission for no step',
      [rep, dealWithStage, stage(), may({ transitions: ['wim'] })],
      { pointer: '/transitions/0', params: { nearest: 'win' } },
    ],
    [
      'a condition on no field',
      [rep, deal(), may({ condition: { all: [{ fact: 'nane', operator: 'equal', value: 'x' }] } })],
      { pointer: expect.stringMatching('^/condition/all/0'), document: 'shop/rep.deal.permission' },
    ],
    [
      'a step from no state',
      [stage({ transitions: [{ key: 'win', from: ['opn'], to: 'won' }] })],
      { document: 'shop/stage.lifecycle', pointer: '/transitions/0/from/0', params: { nearest: 'open' } },
    ],
    [
      'a step that requires no field',
      [dealWithStage, stage({ transitions: [{ key: 'win', from: ['open'], to: 'won', requires: ['amuont'] }] })],
      { pointer: '/transitions/0/requires/0', params: { nearest: 'amount' } },
    ],
    [
      'a step that sets a wrong value',
      [
        dealWithStage,
        stage({ transitions: [{ key: 'win', from: ['open'], to: 'won', sets: { won_on: { user: true } } }] }),
      ],
      { pointer: '/transitions/0/sets/won_on' },
    ],
    [
      'a guard on no field',
      [
        dealWithStage,
        stage({ transitions: [{ key: 'win', from: ['open'], to: 'won', guard: { amuont: { gt: '0' } } }] }),
      ],
      { pointer: expect.stringMatching('^/transitions/0/guard') },
    ],
    [
      'a view of no field',
      [deal(), { kind: 'view', key: 'v', label: 'V', entity: 'deal', columns: ['nane'] }],
      { pointer: '/columns/0', params: { nearest: 'name' } },
    ],
    [
      'a view sorted by what has no order',
      [
        deal([{ key: 'a', type: 'tags' }]),
        { kind: 'view', key: 'v', label: 'V', entity: 'deal', columns: ['name'], order: ['-a'] },
      ],
      { pointer: '/order/0' },
    ],
    [
      'a form that shows a field twice',
      [
        deal(),
        {
          kind: 'form',
          entity: 'deal',
          sections: [
            { key: 'a', fields: ['name'] },
            { key: 'b', fields: ['name'] },
          ],
        },
      ],
      { pointer: '/sections/1/fields/0', code: 'duplicate' },
    ],
    [
      'a menu that opens no view',
      [deal(), { kind: 'menu', key: 'm', label: 'M', items: [{ key: 'a', entity: 'deal', view: 'v' }] }],
      { pointer: '/items/0/view' },
    ],
    ['two documents of one name', [deal(), deal()], { code: 'duplicate' }],
  ])('%s', (_what, documents, fault) => {
    const faults = faultsOf(documents);
    expect(faults).toHaveLength(1);
    const { params, ...rest } = fault;
    expect(faults[0]).toMatchObject({ ...rest, ...(params ? { params } : {}) });
  });

  test('policies that would look at each other for ever', () => {
    const other = {
      kind: 'entity',
      key: 'client',
      plural: 'clients',
      label: 'Client',
      owner: true,
      fields: [{ key: 'main', type: 'reference', to: 'deal' }],
    };
    const both = [rep, deal([{ key: 'client', type: 'reference', to: 'client' }], { owner: true }), other];
    const through = (entity: string, fact: string) =>
      may({ entity, condition: { fact, path: '$.owner', operator: 'equal', value: { fact: 'user', path: '$.id' } } });
    expect(faultsOf([...both, through('deal', 'client')])).toEqual([]);
    expect(faultsOf([...both, through('deal', 'client'), through('client', 'main')])).toMatchObject([
      { code: 'cycle', document: 'shop/rep.deal.permission', pointer: '/condition' },
    ]);
    expect(
      faultsOf([rep, deal([{ key: 'up', type: 'reference', to: 'deal' }], { owner: true }), through('deal', 'up')]),
    ).toMatchObject([{ code: 'cycle' }]);
  });

  test('all of it at once', () => {
    expect(
      faultsOf([deal([{ key: 'a', type: 'reference', to: 'x' }], { title: '{y}' }), may()]).map(
        ({ pointer }) => pointer,
      ),
    ).toEqual(['/fields/1/to', '/title', '/role']);
  });
});

describe('an organisation', () => {
  test('adds fields to a pack’s entity and entities of its own', () => {
    const model = build(
      [deal()],
      [
        { kind: 'entity', pack: 'shop', key: 'deal', label: 'Bargain', fields: [{ key: 'region', type: 'text' }] },
        {
          kind: 'entity',
          key: 'visit',
          plural: 'visits',
          label: 'Visit',
          fields: [{ key: 'deal', type: 'reference', to: 'shop.deal' }],
        },
      ],
    );
    expect(model.entities.get('shop.deal')?.label).toBe('Bargain');
    expect(model.entities.get('shop.deal')?.fields.get('region')).toBeDefined();
    expect(model.entities.get('custom.visit')).toMatchObject({ path: 'custom/visits', table: 'custom_visits' });
  });

  test('cannot override what is not there, and is told where its override is wrong', () => {
    expect(faultsOf([deal()], [{ ...deal(), key: 'deel', pack: 'shop' }])).toMatchObject([
      { code: 'nothing_to_override', document: 'tenant:deel.entity' },
    ]);
    expect(faultsOf([deal()], [{ ...deal(), pack: 'shp' }])).toMatchObject([
      { pointer: '/pack', params: { nearest: 'shop' } },
    ]);
    expect(
      faultsOf(
        [deal()],
        [
          {
            kind: 'entity',
            pack: 'shop',
            key: 'deal',
            fields: [
              { key: 'a', label: 'A' },
              { key: 'b', type: 'reference', to: 'x' },
            ],
          },
        ],
      ),
    ).toMatchObject([{ document: 'tenant:deal.entity', pointer: '/fields/0', params: { expected: 'type' } }]);
    expect(
      faultsOf(
        [deal()],
        [{ kind: 'entity', pack: 'shop', key: 'deal', fields: [{ key: 'b', type: 'reference', to: 'x' }] }],
      ),
    ).toMatchObject([{ document: 'tenant:deal.entity', pointer: '/fields/0/to' }]);
  });
});

test('a pack that requires another one is refused without it', () => {
  const source = releaseOf([]);
  const extra = packOf('extra', []);
  const needy = {
    ...extra,
    documents: [
      {
        document: { kind: 'pack', key: 'extra', version: '1.0.0', label: 'Extra', requires: ['shp'] },
        source: 'extra/pack.json',
        pack: 'extra',
      },
    ],
  };
  expect(() => assignIdentities({ ...source, packs: [...source.packs, needy] })).toThrow(
    'There is no pack “shp”. Did you mean “shop”?',
  );
});
