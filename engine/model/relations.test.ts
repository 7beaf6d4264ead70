import { describe, expect, test } from 'vitest';
import { Problem, type ProblemDetail } from '../problem.ts';
import { assignIdentities, buildModel } from './build.ts';
import type { Field, Model } from './model.ts';
import { releaseOf } from './testing/fields.ts';

type Documents = readonly Readonly<Record<string, unknown>>[];

function build(documents: Documents): Model {
  const source = releaseOf(documents);
  return buildModel({ ...source, identities: assignIdentities(source) });
}

function faultsOf(documents: Documents): readonly ProblemDetail[] {
  try {
    build(documents);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.errors;
  }
}

function fieldOf(model: Model, entity: string, key: string): Field {
  const field = model.entities.get(`shop.${entity}`)?.fields.get(key);
  if (!field) throw new TypeError(`no ${entity}.${key}`);
  return field;
}

const entity = (key: string, fields: Documents, more = {}) => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: key,
  fields: [{ key: 'name', type: 'text', required: true }, ...fields],
  ...more,
});

describe('the other side of a reference', () => {
  const order = (reference = {}) =>
    entity('order', [{ key: 'buyer', type: 'reference', to: 'firm', inverse: 'orders', ...reference }]);

  test('is a field of the entity it points at', () => {
    const model = build([entity('firm', []), order()]);
    const orders = fieldOf(model, 'firm', 'orders');
    expect(orders.many).toEqual({ via: 'inverse', entity: 'shop.order', field: 'buyer' });
    expect(orders.label).toBe('Orders');
    expect([orders.readOnly, orders.column, orders.type.key]).toEqual([true, null, 'inverse']);
    expect(orders.id).toMatch(/^f_[0-9a-f]{12}$/);
  });

  test('stays the same when it is renamed', () => {
    const before = fieldOf(build([entity('firm', []), order()]), 'firm', 'orders');
    const after = fieldOf(
      build([entity('firm', []), order({ inverse: 'purchases', inverseLabel: 'Bought' })]),
      'firm',
      'purchases',
    );
    expect(after.id).toBe(before.id);
    expect(after.label).toBe('Bought');
  });

  test('needs a key that is free', () => {
    const firm = entity('firm', [{ key: 'orders', type: 'integer' }]);
    expect(faultsOf([firm, order()])).toMatchObject([{ code: 'duplicate', pointer: '/fields/1/inverse' }]);
    expect(faultsOf([entity('firm', []), order({ inverse: 'owner' })])).toMatchObject([{ code: 'reserved' }]);
  });

  test('stands in no form that does not name it', () => {
    const model = build([entity('firm', []), order()]);
    expect(model.forms.get('shop.firm')?.sections.flatMap(({ fields }) => fields)).toEqual(['name']);
  });
});

test('the parts of a record are a list as well', () => {
  const model = build([
    entity('order', [{ key: 'lines', type: 'children', of: 'line' }]),
    entity('line', [{ key: 'order', type: 'reference', to: 'order', required: true }], { parent: 'order' }),
  ]);
  expect(fieldOf(model, 'order', 'lines').many).toEqual({ via: 'children', entity: 'shop.line', field: 'order' });
});

test('no permission can depend on links: their policies look at the record itself', () => {
  const rule = {
    kind: 'permission',
    role: 'r',
    entity: 'order',
    actions: ['read'],
    condition: { firms: { some: { name: 'x' } } },
  };
  const order = entity('order', [{ key: 'firms', type: 'links', to: 'firm' }]);
  const faults = faultsOf([entity('firm', []), order, { kind: 'role', key: 'r', label: 'R' }, rule]);
  expect(faults).toMatchObject([{ code: 'cycle', pointer: '/condition' }]);
});

describe('lookups and rollups', () => {
  const bad = (field: Record<string, unknown>) =>
    faultsOf([
      entity('firm', [{ key: 'size', type: 'integer' }]),
      entity('order', [
        { key: 'buyer', type: 'reference', to: 'firm' },
        { key: 'lines', type: 'children', of: 'line' },
        { key: 'x', ...field },
      ]),
      entity(
        'line',
        [
          { key: 'order', type: 'reference', to: 'order', required: true },
          { key: 'item', type: 'reference', to: 'firm' },
          { key: 'amount', type: 'money' },
        ],
        { parent: 'order' },
      ),
    ]).map(({ pointer, code }) => `${pointer} ${code}`);

  test.each([
    [{ type: 'lookup', via: 'buyer', field: 'size' }, []],
    [{ type: 'lookup', via: 'buyer.name', field: 'size' }, ['/fields/3/via invalid']],
    [{ type: 'lookup', via: 'buyer', field: 'size', index: true }, ['/fields/3/index invalid']],
    [{ type: 'rollup', of: 'lines', fn: 'sum', field: 'amount', index: true }, []],
    [{ type: 'rollup', of: 'lines', fn: 'sum' }, ['/fields/3/field missing']],
    [{ type: 'rollup', of: 'lines', fn: 'sum', field: 'name' }, ['/fields/3/fn invalid']],
    [{ type: 'rollup', of: 'lines', fn: 'count', field: 'amount' }, ['/fields/3/field invalid']],
    [{ type: 'rollup', of: 'buyer', fn: 'count' }, ['/fields/3/of invalid']],
    [{ type: 'rollup', of: 'shop.line.item', fn: 'count' }, ['/fields/3/of invalid']],
    [{ type: 'rollup', of: 'lines', fn: 'count', where: { item: { size: 1 } } }, ['/fields/3/where invalid']],
    [{ type: 'rollup', of: 'lines', fn: 'max', field: 'created_at' }, []],
  ])('%j', (field, faults) => {
    expect(bad(field)).toEqual(faults);
  });
});
