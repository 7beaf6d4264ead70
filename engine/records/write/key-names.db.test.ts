import { expect, test } from 'vitest';
import { makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';

test('a key may have any name a field may have', async () => {
  const text = (key: string) => ({ key, type: 'text', unique: true });
  const keys = ['n', 'k', 'r', 'x', 'line'];
  const own = await makeFieldLab(await testDatabase(), keys.map(text));
  for (const key of keys) {
    const upsert = (body: object) => own.writer.upsert(own.chief, own.lab.entity('thing'), [key], body);
    expect((await upsert({ [key]: '7', name: key })).status).toBe(201);
    const { body } = await upsert([
      { [key]: '7', name: 'again' },
      { [key]: '8', name: 'fresh' },
    ]);
    expect([...(body ?? '').matchAll(/created|updated/g)].flat()).toEqual(['updated', 'created']);
  }
  await own.close();
});
