import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { assignIdentities, buildModel } from './build.ts';
import { filledFields, inputsOfFill, isFilled } from './fill.ts';
import { releaseOf } from './testing/fields.ts';

type Data = Readonly<Record<string, unknown>>;

const ref = (key: string, more: Data = {}) => ({ key, type: 'reference', to: key, ...more });
const entity = (key: string, fields: readonly Data[]) => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: key,
  fields: [{ key: 'name', type: 'text' }, ...fields],
});
const fill = { from: 'rate', field: 'amount', match: { tool: 'tool', shop: 'loan.shop' }, order: ['-name'] };

function build(field: Data, more: Data = {}) {
  const source = releaseOf([
    entity('shop', []),
    entity('tool', [{ key: 'weight', type: 'integer' }]),
    entity('rate', [
      ref('tool'),
      ref('shop'),
      { key: 'amount', type: 'money' },
      { key: 'at', type: 'location' },
      { key: 'extra', type: 'json', max: 500 },
    ]),
    entity('loan', [ref('shop'), { key: 'to', type: 'text' }]),
    entity('line', [ref('loan'), ref('tool'), { key: 'fee', type: 'money', fill, ...field, ...more }]),
  ]);
  return buildModel({ ...source, identities: assignIdentities(source) });
}

function faults(field: Data): readonly string[] {
  try {
    build(field);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.errors.map(({ pointer, message }) => `${pointer} ${message}`);
  }
}

test('a field knows whose value it takes, and its currency comes along', () => {
  const line = [...build({}).entities.values()].find(({ key }) => key === 'line');
  const [fee] = line ? filledFields(line) : [];
  expect(fee?.fill).toMatchObject({
    field: 'amount',
    match: [
      { field: 'tool', by: 'tool', of: null },
      { field: 'shop', by: 'loan', of: 'shop' },
    ],
    when: null,
    order: [{ field: 'name', descending: true }],
  });
  expect(fee?.fill && inputsOfFill(fee.fill)).toEqual(['tool', 'loan']);
  const filled = [...(line?.fields.values() ?? [])].filter((field) => line && isFilled(line, field));
  expect(filled.map(({ key }) => key)).toEqual(['fee', 'fee_currency']);
});

describe('what cannot be looked up is refused where it stands', () => {
  const at = '/fields/3/fill';
  test.each<[string, Data, readonly string[]]>([
    ['an entity that is not there', { ...fill, from: 'rote' }, [`${at}/from`]],
    ['a field of another type', { ...fill, field: 'name' }, [`${at}/field`]],
    ['references to different entities', { ...fill, match: { tool: 'loan' } }, [`${at}/match/tool`]],
    ['a way that leads nowhere', { ...fill, match: { shop: 'name.shop' } }, [`${at}/match/shop`]],
    ['an end that is no reference', { ...fill, match: { shop: 'loan.to' } }, [`${at}/match/shop`]],
    ['an order by what has none', { ...fill, order: ['at'] }, [`${at}/order/0`]],
    ['a condition on a field that is not there', { ...fill, when: { nothing: 1 } }, [`${at}/when/nothing`]],
  ])('%s', (_, broken, pointers) => {
    expect(faults({ fill: broken }).map((fault) => fault.split(' ')[0])).toEqual(pointers);
  });

  test('records of another entity, and JSON of other limits', () => {
    expect(faults({ type: 'reference', to: 'shop', fill: { ...fill, field: 'tool' } })).toEqual([
      `${at}/field “tool” refers to other records than “fee”.`,
    ]);
    const extra = { from: 'rate', field: 'extra', match: { tool: 'tool' } };
    expect(faults({ type: 'json', fill: extra })).toEqual([`${at}/field “extra” has not the limits that “fee” has.`]);
    expect(faults({ type: 'json', max: 500, fill: extra })).toEqual([]);
  });

  test('a field that the database computes', () => {
    expect(faults({ type: 'location', fill: { ...fill, field: 'at' } })).toEqual([
      `${at} A location field cannot be filled from another record.`,
    ]);
  });

  test('a default beside it, and a field that nobody writes', () => {
    expect(faults({ default: '1' })).toHaveLength(1);
    expect(faults({ type: 'formula', returns: 'money', expr: '1 * 2' })).not.toEqual([]);
  });
});
