import { expect, test } from 'vitest';
import { makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

test('a row whose required value is found nowhere is kept out alone', async () => {
  const actions = ['create', 'read', 'update', 'import'];
  const own = await makeFieldLab(
    await testDatabase(),
    [
      { key: 'tool', type: 'reference', to: 'lab.tool' },
      {
        key: 'fee',
        type: 'integer',
        required: true,
        max: 9,
        fill: { from: 'tool', field: 'fee', match: { id: 'tool' } },
      },
    ],
    [
      {
        kind: 'entity',
        key: 'tool',
        plural: 'tools',
        label: 'Tool',
        title: '{name}',
        fields: [
          { key: 'name', type: 'text', unique: true },
          { key: 'fee', type: 'integer' },
        ],
      },
      { kind: 'permission', role: 'chief', entity: 'tool', actions },
    ],
  );
  const tools = [{ name: 'Saw', fee: 5 }, { name: 'Stick' }, { name: 'Crane', fee: 10 }];
  await own.writer.create(own.chief, own.lab.entity('tool'), tools);
  expect(await own.bring('name,tool\na,Saw\nb,Stick\nc,Saw\nd,Crane\n')).toMatchObject({
    state: 'done',
    created: 2,
    failed: 2,
    errors: [
      { line: 3, message: expect.stringContaining('Fee is required') },
      { line: 5, message: expect.stringContaining('not allowed here') },
    ],
  });
  expect(await own.list('$select=name,fee&$order=name')).toEqual([
    { name: 'a', fee: 5 },
    { name: 'c', fee: 5 },
  ]);
  await own.close();
});
