import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inOrder, loadPack } from './packs.ts';
import { packOf } from './testing/fields.ts';

let folder = '';

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'pack-')), 'shop');
  await mkdir(join(folder, 'entities'), { recursive: true });
});

afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true });
});

const put = (path: string, text: string) => writeFile(join(folder, path), text);

test('a pack is its manifest and every JSON file below, named by its path', async () => {
  await put('pack.json', '{"kind":"pack","key":"shop","version":"1.2.3","label":"Shop"}');
  await put('entities/deal.entity.json', '{"kind":"entity"}');
  await put('README.md', 'no document');
  expect(await loadPack(folder)).toMatchObject({
    key: 'shop',
    version: '1.2.3',
    documents: [
      { source: 'shop/entities/deal.entity.json', pack: 'shop', document: { kind: 'entity' } },
      { source: 'shop/pack.json' },
    ],
  });
});

test('all files that are not JSON are named, with line and column', async () => {
  await put('pack.json', '{');
  await put('entities/deal.entity.json', '{\n "kind": entity\n}');
  await expect(loadPack(folder)).rejects.toMatchObject({
    code: 'invalid_document',
    errors: [
      { document: 'shop/entities/deal.entity.json', params: { line: 2, column: 10 } },
      { document: 'shop/pack.json', params: { line: 1, column: 2 } },
    ],
  });
});

test('a folder without a manifest is no pack', async () => {
  await expect(loadPack(folder)).rejects.toThrow('A pack has a “pack.json”');
});

test('a pack comes after those it requires', () => {
  const requiring = (key: string, ...requires: readonly string[]) => {
    const pack = packOf(key, []);
    return { ...pack, documents: [{ document: { kind: 'pack', key, requires }, source: key, pack: key }] };
  };
  const order = (...packs: Parameters<typeof inOrder>[0]) => inOrder(packs).map(({ key }) => key);
  expect(order(requiring('a', 'c'), requiring('b'), requiring('c', 'b', 'missing'))).toEqual(['b', 'c', 'a']);
  expect(order(requiring('a', 'b'), requiring('b', 'a'))).toEqual(['b', 'a']);
});
