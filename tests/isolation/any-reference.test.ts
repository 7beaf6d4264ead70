/**
 * What is made of a reference to one of several entities: whoever may not see the record it points at is not told by it
 * that there is one. (Filters, groups and histories are in `relations.test.ts`.)
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import type { Answer, Client } from '../support/http.ts';
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

describe('an entity that somebody may read nothing of', () => {
  let walker: Client;
  let walk = '';
  beforeAll(async () => {
    const { json } = await admin.get('/api/metadata/documents');
    const published = await admin.post('/api/metadata/publish', {
      base: json['release'] ?? json.data?.['release'],
      message: 'Vaults',
      documents: [
        ...['vault', 'lake'].map((key) => entity(key, [])),
        entity('walk', [
          { ...REGARDING, to: ['vault', 'lake'] },
          { key: 'start', type: 'reference', to: 'vault' },
        ]),
        { kind: 'role', key: 'walker', label: 'Walker', inherits: ['member'] },
        ...['walk', 'lake'].map((of) => ({
          ...may(of),
          actions: ['read', 'update', 'import', 'create'],
          role: 'walker',
        })),
      ],
    });
    expect(published.status, published.text).toBe(201);
    await hire(admin, { name: 'Wanda', email: 'wanda@acme.example', roles: ['walker'] });
    walker = await app.as('acme', 'wanda@acme.example');
    walk = (await walker.post('/api/custom/v1/walks', { name: 'Round' })).json.data?.id ?? '';
  });

  test.each(['/api/ui/model', '/api/openapi.json', '/api/custom/v1/walks', '/api/metadata/documents'])(
    'is not named by %s',
    async (path) => expect((await walker.get(path)).text).not.toMatch(/vault/i),
  );

  test('is refused like one that is not there, and not named', async () => {
    const vault = await admin.post('/api/custom/v1/vaults', { name: 'V' });
    const at = `/api/custom/v1/walks/${walk}`;
    const named = (of: string) => ({ regarding: { entity: of, id: vault.json.data?.id } });
    const refused = async (body: object) => (await walker.patch(at, body)).json.errors;
    expect(await refused(named('custom.vault'))).toEqual(await refused(named('custom.none')));
    expect(await refused(named('custom.vault'))).toMatchObject([
      { code: 'choice', pointer: '/regarding', params: { allowed: ['custom.lake'] } },
    ]);
    expect((await refused({ regarding_vault: vault.json.data?.id }))?.[0]?.code).toBe('unknown_field');
    for (const query of ['start.name=V', '$select=start(name)', '$where={"start":{"name":"V"}}']) {
      const { status, json } = await walker.get(`/api/custom/v1/walks?${query}`);
      expect([status, json.detail]).toEqual([400, '"name" is not a field of a record that you may see.']);
    }
  });
});

test('a title does not name a field that is not shown', async () => {
  const { json } = await admin.get('/api/metadata/documents');
  const published = await admin.post('/api/metadata/publish', {
    base: json['release'] ?? json.data?.['release'],
    message: 'Titles',
    documents: [
      { ...entity('den', [{ key: 'depth', type: 'integer' }]), title: '{name} {depth}' },
      { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
      { ...may('den', { fields: { read: { only: ['name'] } } }), role: 'keeper' },
    ],
  });
  expect(published.status, published.text).toBe(201);
  await hire(admin, { name: 'Kim', email: 'kim@acme.example', roles: ['keeper'] });
  const { text } = await (await app.as('acme', 'kim@acme.example')).get('/api/ui/model');
  expect(text).toContain('"title":"{name}"');
  expect(text).not.toContain('depth');
});
