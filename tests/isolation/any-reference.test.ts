/**
 * What is made of a reference to one of several entities: whoever may not see the record it points at is not told by it
 * that there is one. (Filters, groups and histories are in `relations.test.ts`.)
 */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer } from '../support/http.ts';
import { testDatabase } from '../support/postgres.ts';
import { hire, makeTenant } from '../support/tenant.ts';

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');

const entity = (key: string, fields: readonly object[]) => ({
  kind: 'entity',
  key,
  plural: `${key}s`,
  label: key,
  title: '{name}',
  owner: true,
  fields: [{ key: 'name', type: 'text', required: true }, ...fields],
});
const REGARDING = { key: 'regarding', type: 'any_reference', to: ['cave', 'lake'], inverse: 'walks' };
const may = (of: string, rest: object = {}) => ({
  kind: 'permission',
  role: 'hiker',
  entity: `custom.${of}`,
  actions: ['read', 'update'],
  ...rest,
});

async function publish(...fields: readonly object[]): Promise<Answer> {
  const { json } = await admin.get('/api/metadata/documents');
  return admin.post('/api/metadata/publish', {
    base: json['release'] ?? json.data?.['release'],
    message: 'Walks',
    documents: [
      entity('cave', []),
      entity('lake', []),
      entity('walk', [REGARDING, ...fields]),
      { kind: 'role', key: 'hiker', label: 'Hiker', inherits: ['member'] },
      may('walk'),
      may('lake'),
      may('cave', { conditions: { owner: 'self' } }),
    ],
  });
}

test.each(['regarding', 'regarding_entity', 'regarding_id', 'regarding_cave', 'regarding_lake'])(
  'no formula is made of %s: its value would be shown to everybody who sees the record',
  async (part) => {
    for (const expr of [`${part} = null`, `if(${part} = null, 1, 2)`]) {
      const refused = await publish({ key: 'kept', type: 'formula', returns: 'boolean', expr });
      expect([refused.status, refused.json.errors?.[0]?.pointer], refused.text).toEqual([422, '/fields/2/expr']);
    }
  },
);

test('a lookup through it leads to nothing that is hidden', async () => {
  const published = await publish({ key: 'cave_name', type: 'lookup', via: 'regarding_cave', field: 'name' });
  expect(published.status, published.text).toBe(201);
  await hire(admin, { name: 'Hilda', email: 'hilda@acme.example', roles: ['hiker'] });
  const hiker = await app.as('acme', 'hilda@acme.example');
  const cave = await admin.post('/api/custom/v1/caves', { name: 'Secret Grotto' });
  const walk = await admin.post('/api/custom/v1/walks', {
    name: 'Round',
    regarding: { entity: 'custom.cave', id: cave.json.data?.id },
  });
  expect(walk.status, walk.text).toBe(201);
  const at = `/api/custom/v1/walks/${walk.json.data?.id}`;
  expect((await admin.get(at)).json.data).toMatchObject({ cave_name: 'Secret Grotto' });
  const shown = await hiker.get(at);
  expect(shown.json.data, shown.text).toMatchObject({ name: 'Round', cave_name: null, regarding: null });
  expect(shown.text).not.toMatch(/Grotto|custom\.cave/);
  for (const filter of ['cave_name[null]=false', 'cave_name=Secret%20Grotto', 'regarding_cave.name[starts]=Sec'])
    expect((await hiker.get(`/api/custom/v1/walks?${filter}`)).json.data, filter).toEqual([]);
});
