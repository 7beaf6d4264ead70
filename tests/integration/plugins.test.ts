/** A plugin from outside: its documents are a layer between packs and organisations, its field type works everywhere. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Pack } from '#engine/model/documents.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { loadPlugins, pluginFolders } from '#engine/plugins/load.ts';
import { testDatabase } from '../support/postgres.ts';
import { schemaLab } from '../support/schema-lab.ts';

const yard: Pack = {
  key: 'yard',
  version: '1.0.0',
  documents: [
    { kind: 'pack', key: 'yard', version: '1.0.0', label: 'Yard' },
    {
      kind: 'entity',
      key: 'boat',
      plural: 'boats',
      label: 'Boat',
      fields: [{ key: 'name', type: 'text', required: true }],
    },
  ].map((document, index) => ({ document, source: `yard/${index}.json`, pack: 'yard' })),
};
const folder = fileURLToPath(new URL('../plugins/harbour', import.meta.url));
// Before the first model is built: from then on the types of fields are what they are.
const plugins = await loadPlugins([folder], new Set());
const postgres = await testDatabase();
const lab = schemaLab(postgres, { packs: [...(await loadShippedPacks()), yard, ...plugins] });

const may = (entity: string) => ({
  kind: 'permission',
  role: 'keeper',
  entity,
  actions: ['create', 'read', 'update'],
});
const own = [
  { kind: 'role', key: 'keeper', label: 'Keeper', inherits: ['member'] },
  may('yard.boat'),
  may('harbour.mooring'),
  { kind: 'entity', pack: 'harbour', key: 'mooring', label: 'Berth', fields: [{ key: 'note', type: 'text' }] },
];

test('a plugin is had like a pack, stands above packs and below the organisation', async () => {
  const port = await lab.organisation('port', { packs: ['harbour'], documents: own });
  const { model } = await lab.models.get('port');
  expect([...model.packs.values()].map(({ key, version }) => `${key} ${version}`)).toEqual([
    expect.stringMatching(/^core /),
    'yard 1.0.0',
    'harbour 1.0.0',
  ]);
  expect((await port.entity('yard.boat')).label).toBe('Vessel');
  expect((await port.field('yard.boat', 'home')).type.key).toBe('berth');
  expect((await port.entity('harbour.mooring')).label).toBe('Berth');
  const person = await port.person('keeper');
  await port.insert(person, 'harbour_moorings', { place: 'OST-12', note: 'quiet' });
  await expect(port.insert(person, 'harbour_moorings', { place: 'nowhere' })).rejects.toMatchObject({ code: '23514' });
  expect(
    (await port.field('harbour.mooring', 'place')).type.importCell(
      'ost12',
      await port.field('harbour.mooring', 'place'),
      { country: 'DE', currency: 'EUR', timeZone: 'UTC' },
    ),
  ).toEqual({ value: 'OST-12' });
});

test('an organisation without the plugin has nothing of it', async () => {
  const shed = await lab.organisation('shed', { packs: ['yard'] });
  expect((await shed.entity('yard.boat')).label).toBe('Boat');
  const { model } = await lab.models.get('shed');
  expect([...model.entities.keys()].filter((name) => name.startsWith('harbour'))).toEqual([]);
});

describe('a folder that holds no plugin', async () => {
  const home = await mkdtemp(join(tmpdir(), 'armature-plugins-'));
  afterAll(() => rm(home, { recursive: true, force: true }));
  const write = async (name: string, text: string): Promise<string> => {
    await mkdir(join(home, name), { recursive: true });
    await writeFile(join(home, name, 'index.js'), text);
    return join(home, name);
  };

  test.each([
    ['nothing', null, 'it has neither index.ts nor index.js'],
    ['plain', 'export default { key: "plain", version: "1.0.0" };', 'must export definePlugin(…) as its default'],
    ['broken', 'export default 1 +;', 'cannot be loaded'],
    ['throws', 'throw new Error("no licence");', 'cannot be loaded: no licence'],
  ])('is refused with the reason: %s', async (name, text, reason) => {
    const path = text === null ? join(home, name) : await write(name, text);
    await expect(loadPlugins([path], new Set())).rejects.toThrow(reason);
  });

  test('is not looked for where there is no folder of plugins', async () => {
    expect(await pluginFolders(join(home, 'none'))).toEqual([]);
    expect(
      (await pluginFolders(fileURLToPath(new URL('../plugins', import.meta.url)))).map((one) =>
        one.endsWith('harbour'),
      ),
    ).toEqual([true]);
  });

  test('nor one whose key is taken', async () => {
    await expect(loadPlugins([folder], new Set(['harbour']))).rejects.toThrow(
      'called “harbour”, and so is another plugin or pack',
    );
    await expect(loadPlugins([folder, folder], new Set())).rejects.toThrow('called “harbour”');
  });
});
