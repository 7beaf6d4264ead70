/** Metrics over HTTP: values under the caller's rights. */
import { expect, test } from 'vitest';
import { labHttp } from './testing/lab-http.ts';

const { hire, ask } = await labHttp({
  documents: [
    { kind: 'role', key: 'boss', label: 'Boss', inherits: ['member'] },
    { kind: 'role', key: 'rep', label: 'Rep', inherits: ['member'] },
    { kind: 'role', key: 'guest', label: 'Guest', inherits: ['member'] },
    {
      kind: 'entity',
      key: 'sale',
      plural: 'sales',
      label: 'Sale',
      owner: true,
      fields: [
        { key: 'name', type: 'text' },
        { key: 'size', type: 'integer' },
        { key: 'area', type: 'text' },
        { key: 'cost', type: 'integer' },
      ],
    },
    { kind: 'permission', role: 'boss', entity: 'sale', actions: ['create', 'read'] },
    {
      kind: 'permission',
      role: 'rep',
      entity: 'sale',
      actions: ['create', 'read'],
      conditions: { owner: 'self' },
      fields: { read: { except: ['cost'] } },
    },
    {
      kind: 'metric',
      key: 'large',
      label: 'Large',
      entity: 'sale',
      aggregate: 'sum(size)',
      filter: { size: { gte: 10 } },
    },
    {
      kind: 'metric',
      key: 'costly',
      label: 'Costly',
      entity: 'sale',
      aggregate: 'count()',
      filter: { cost: { gt: 5 } },
    },
    { kind: 'metric', key: 'costs', label: 'Costs', entity: 'sale', aggregate: 'sum(cost)' },
    { kind: 'metric', key: 'by_area', label: 'By area', entity: 'sale', aggregate: 'count()', group: ['area'] },
  ],
});
for (const name of ['boss', 'rep', 'guest']) await hire(name);
for (const [who, size, area] of [
  ['boss', 10, 'n'],
  ['boss', 9, 's'],
  ['rep', 30, 'n'],
] as const)
  await ask(who, 'POST', '/api/lab/v1/sales', { name: 'x', size, area });

const figures = async (who: string, metric: string) => {
  const { status, body } = await ask(who, 'GET', `/api/metrics/lab.${metric}`);
  return [status, body];
};

test('is computed over the records that the caller may read', async () => {
  expect(await figures('boss', 'large')).toMatchObject([
    200,
    { data: { metric: 'lab.large', figures: [{ value: '40' }] } },
  ]);
  expect(await figures('rep', 'large')).toMatchObject([200, { data: { figures: [{ value: '30' }] } }]);
  expect(await figures('boss', 'by_area')).toMatchObject([
    200,
    {
      data: {
        figures: [
          { area: 'n', value: 2 },
          { area: 's', value: 1 },
        ],
      },
    },
  ]);
});

test('of an entity that the caller may not read equals one that does not exist', async () => {
  const [status, hidden] = await figures('guest', 'large');
  expect(await figures('guest', 'nothing')).toEqual([
    status,
    { ...(typeof hidden === 'object' ? hidden : {}), instance: expect.any(String) },
  ]);
  expect(status).toBe(404);
  expect((await ask('guest', 'GET', '/api/metrics')).body).toEqual({ data: [] });
  expect((await ask('rep', 'GET', '/api/metrics')).body).toMatchObject({
    data: [{ metric: 'lab.large' }, { metric: 'lab.by_area' }],
  });
});

test('that looks at a field one may not read, if only in its filter, does not exist', async () => {
  const names = async (who: string) => {
    const { body } = await ask(who, 'GET', '/api/metrics');
    return JSON.stringify(body)
      .match(/lab\.\w+/g)
      ?.filter((name) => name !== 'lab.sale');
  };
  expect(await names('boss')).toEqual(['lab.large', 'lab.costly', 'lab.costs', 'lab.by_area']);
  expect(await names('rep')).toEqual(['lab.large', 'lab.by_area']);
  for (const metric of ['costly', 'costs']) expect((await figures('rep', metric))[0]).toBe(404);
});
