import { expect, test } from 'vitest';
import { assignIdentities } from '../model/build.ts';
import type { ReleaseSource, SourceDocument } from '../model/documents.ts';
import { exportFiles } from './export-files.ts';
import { exportedDocuments } from './exported.ts';

const field = (key: string, more = {}) => ({ key, type: 'text', label: key, ...more });
const entity = (key: string, fields: readonly object[], more = {}) => ({
  kind: 'entity',
  key,
  label: key,
  plural: `${key}s`,
  title: '{name}',
  fields,
  ...more,
});
const documents = (pack: string, ...list: readonly object[]): readonly SourceDocument[] =>
  list.map((document, index) => ({ document, source: `${pack}/${index}.json`, pack }));

function release(number: number, own: readonly object[], before?: ReleaseSource): ReleaseSource {
  const rest = {
    tenant: 'acme',
    release: number,
    settings: { currency: 'EUR', country: 'DE', timeZone: 'UTC', locale: 'en' },
    packs: [{ key: 'shop', version: '1', documents: documents('shop', entity('item', [field('name')])) }],
    tenantDocuments: documents('custom', ...own),
  };
  return { ...rest, identities: assignIdentities(rest, before?.identities) };
}

test('what the organisation added carries its identity; what a pack brings does not', () => {
  const override = {
    kind: 'entity',
    pack: 'shop',
    key: 'item',
    fields: [{ key: 'name', label: 'N' }, field('colour')],
  };
  const first = release(1, [entity('boat', [field('name')]), override]);
  const [boat, item] = exportedDocuments(first);
  expect(boat).toMatchObject({
    id: first.identities.entities['custom.boat'],
    fields: [{ key: 'name', id: first.identities.fields['custom.boat.name'] }],
  });
  expect(item).toEqual({
    ...override,
    fields: [
      { key: 'name', label: 'N' },
      { ...field('colour'), id: first.identities.fields['shop.item.colour'] },
    ],
  });
});

test('a key changed in an exported document is a rename', () => {
  const first = release(1, [entity('boat', [field('name'), field('sail')])]);
  const text = JSON.stringify(exportedDocuments(first)).replaceAll('"sail"', '"rig"').replaceAll('"boat"', '"ship"');
  const exported: readonly object[] = JSON.parse(text);
  const second = release(2, exported, first);
  expect(second.identities.entities['custom.ship']).toBe(first.identities.entities['custom.boat']);
  expect(second.identities.fields['custom.ship.rig']).toBe(first.identities.fields['custom.boat.sail']);
});

test('documents of one name are read again in their order, and exported as the same files', () => {
  const menu = (label: string) => ({ kind: 'menu', key: 'main', label, items: [] });
  const own = ['b', 'c', 'a', 'e', 'd', 'f', 'g', 'h', 'i', 'j', 'k', 'l'].map(menu);
  const files = exportFiles({ packs: {}, documents: own });
  // In the order of their names, as a folder is read.
  const read = [...files].filter(([name]) => name !== 'armature.json').sort(([a], [b]) => (a < b ? -1 : 1));
  const again = read.map(([, text]): Record<string, unknown> => JSON.parse(text));
  expect(again).toEqual(own);
  expect([...exportFiles({ packs: {}, documents: again })]).toEqual([...files]);
});
