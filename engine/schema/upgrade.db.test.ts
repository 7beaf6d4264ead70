/** Upgrading packs under an organisation: what it has decided stays, what disagrees is asked, what is kept keeps its values. */
import { expect, test } from 'vitest';
import { ModelStore } from './model-store.ts';
import type { Pack } from '#engine/model/documents.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { Problem } from '#engine/problem.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { schemaLab } from '#tests/support/schema-lab.ts';
import { Drafts } from './drafts.ts';
import { Publisher } from './publish.ts';

const postgres = await testDatabase();
const shipped = await loadShippedPacks();
type Json = Readonly<Record<string, unknown>>;
const yard = (version: string, fields: readonly Json[], label = 'Boat'): Pack => ({
  key: 'yard',
  version,
  documents: [
    { kind: 'pack', key: 'yard', version, label: 'Yard' },
    { kind: 'entity', key: 'boat', plural: 'boats', label, fields: [{ key: 'name', type: 'text' }, ...fields] },
  ].map((document, index) => ({ document, source: `yard/${index}.json`, pack: 'yard' })),
});
const before = yard('1.0.0', [
  { key: 'berth', type: 'text', label: 'Berth' },
  { key: 'flagged', type: 'boolean' },
]);
const after = yard(
  '2.0.0',
  [
    { key: 'flagged', type: 'boolean' },
    { key: 'draught', type: 'integer' },
  ],
  'Vessel',
);
const lab = schemaLab(postgres, { packs: [...shipped, before] });

test('an upgrade asks before anything is lost, and does what is decided', async () => {
  const own = [
    { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
    {
      kind: 'permission',
      role: 'keeper',
      entity: 'yard.boat',
      actions: ['create', 'read', 'update'],
      condition: { berth: { ne: 'X1' } },
    },
    { kind: 'entity', pack: 'yard', key: 'boat', label: 'Ship', fields: [{ key: 'flagged', label: 'Flag shown' }] },
  ];
  const port = await lab.organisation('port', { packs: ['yard'], documents: own });
  const person = await port.person('keeper');
  await port.insert(person, 'yard_boats', { name: 'Argo', berth: 'B2' });

  const publisher = new Publisher({
    database: lab.database,
    packs: [...shipped, after],
    onPublished: lab.models.published,
  });
  const input = { base: 2, author: 'test', message: 'Upgrade', upgrade: true };
  const plan = await publisher.plan('port', { upgrade: true });
  expect(plan.conflicts.map(({ id, kind, base, ours, theirs }) => [id, kind, base, ours, theirs])).toEqual([
    ['entity yard.boat/label', 'both_changed', 'Boat', 'Ship', 'Vessel'],
    [
      'permission keeper/yard.boat/default/condition/berth/ne',
      'uses_removed',
      [{ key: 'berth', type: 'text', label: 'Berth' }],
      'berth',
      undefined,
    ],
  ]);
  const refused: unknown = await publisher.publish('port', input).catch((error: unknown) => error);
  if (!(refused instanceof Problem)) throw new Error('was not refused', { cause: refused });
  expect([
    refused.code,
    refused.status,
    refused.errors.map(({ code, document, pointer, params }) => [code, document, pointer, params?.['resolutions']]),
  ]).toEqual([
    'upgrade_conflict',
    409,
    [
      ['both_changed', 'entity yard.boat', '/label', ['keep', 'take']],
      ['uses_removed', 'permission keeper/yard.boat/default', '/condition/berth/ne', ['keep']],
    ],
  ]);
  expect(await port.release()).toBe(2);

  await publisher.publish('port', {
    ...input,
    resolutions: { 'entity yard.boat/label': 'take', 'permission keeper/yard.boat/default/condition/berth/ne': 'keep' },
  });
  const boat = await port.entity('yard.boat');
  expect([boat.label, boat.fields.get('flagged')?.label, boat.fields.has('draught')]).toEqual([
    'Vessel',
    'Flag shown',
    true,
  ]);
  expect(await port.sql(person, 'select name, berth from $yard_boats')).toEqual([['Argo', 'B2']]);
  // Nothing is asked twice.
  expect((await publisher.plan('port', { upgrade: true })).conflicts).toEqual([]);
  const store = new ModelStore({ database: lab.database });
  expect((await store.get('port')).model.packs.get('yard')?.version).toBe('2.0.0');
  await store.close();
});

test('a draft that is open while the packs are upgraded keeps what it wants, and the packs stay upgraded', async () => {
  const own = [
    { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
    { kind: 'entity', pack: 'yard', key: 'boat', label: 'Ship' },
  ];
  const port = await lab.organisation('haven', { packs: ['yard'], documents: own });
  const publisher = new Publisher({
    database: lab.database,
    packs: [...shipped, after],
    onPublished: lab.models.published,
  });
  const drafts = new Drafts({ database: lab.database, publisher });
  const person = {
    tenant: 'haven',
    userId: '00000000-0000-7000-8000-000000000001',
    name: 'Ann',
    email: 'ann@haven.example',
    roles: ['administrator'],
    dbRole: port.tenant.names.role('administrator'),
    team: null,
    teams: [],
    teamMembers: [],
    attributes: {},
    locale: 'en',
    timeZone: 'UTC',
  };
  const mast = { kind: 'entity', pack: 'yard', key: 'boat', label: 'Ship', fields: [{ key: 'mast', type: 'text' }] };
  const berth = { ...mast, fields: [{ key: 'berth', label: 'Place' }] };
  const name = { ...mast, label: 'Yacht', fields: [] };
  const role = own.slice(0, 1);
  for (const [key, document] of Object.entries({ mast, berth, name }))
    await drafts.put(person, key, { base: 2, documents: [...role, document] }, null);

  await publisher.publish('haven', {
    base: 2,
    author: 'test',
    message: 'Upgrade',
    upgrade: true,
    resolutions: { 'entity yard.boat/label': 'take' },
  });
  const publish = (draft: string, resolutions = {}) =>
    drafts.publish(person, draft, { author: 'Ann', message: null, resolutions });

  // What does not touch what the upgrade touched comes as it is.
  await publish('mast');
  const boat = await port.entity('yard.boat');
  expect([boat.label, boat.fields.has('mast'), boat.fields.has('draught'), boat.fields.has('berth')]).toEqual([
    'Vessel',
    true,
    true,
    false,
  ]);
  // A field that is gone is named, with its place; nothing was published, and the draft is still there.
  const gone: unknown = await publish('berth').catch((error: unknown) => error);
  if (!(gone instanceof Problem)) throw new Error('was not refused', { cause: gone });
  expect([gone.code, gone.errors[0]?.pointer]).toEqual(['invalid_document', expect.stringContaining('/fields/')]);
  expect(gone.message).toContain('berth');
  expect(await port.release()).toBe(4);
  expect((await drafts.list(person)).map((draft) => draft.name)).toEqual(['berth', 'name']);
  // What both have decided is asked.
  const asked: unknown = await publish('name').catch((error: unknown) => error);
  if (!(asked instanceof Problem)) throw new Error('was not refused', { cause: asked });
  expect(asked.code).toBe('draft_conflict');
  await publish('name', Object.fromEntries(asked.errors.map(({ params }) => [String(params?.['id']), 'keep'])));
  expect((await port.entity('yard.boat')).label).toBe('Yacht');
  // A rollback to before the upgrade takes the packs of then, with the values.
  await publisher.rollback('haven', { base: 5, to: 2, author: 'test', message: 'back' });
  expect((await port.entity('yard.boat')).fields.has('berth')).toBe(true);
});
