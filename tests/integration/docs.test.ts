/** The guides stay true: their metadata documents can be published as they stand, and their links lead somewhere. */
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, read, ROOT } from '../rules/source.ts';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

const app = await testApp(await testDatabase());

/** JSON blocks marked as documents: `<!-- document -->` stands in the line above the fence. */
const MARKED = /<!-- document -->\n```json\n([\s\S]*?)\n```/g;
const GUIDES = ['README.md', 'docs/for-administrators.md'];

function documentsIn(file: string): Record<string, unknown>[] {
  return [...read(file).matchAll(MARKED)].map(([, text = '']): Record<string, unknown> => JSON.parse(text));
}

describe('the metadata documents of the guides', () => {
  test.each(GUIDES.map((file, index) => [file, `guide${index}`] as const))(
    'in %s can be published as they stand',
    async (file, tenant) => {
      const documents = documentsIn(file);
      expect(documents.length).toBeGreaterThan(2);
      await makeTenant(app, tenant);
      const admin = await app.as(tenant, `admin@${tenant}.example`);
      const published = await admin.post('/api/metadata/publish', { base: 1, message: file, documents });
      expect([published.status, published.json.errors]).toEqual([201, undefined]);
      for (const { kind, pack, plural } of documents) {
        if (kind !== 'entity' || pack !== undefined) continue;
        expect((await admin.get(`/api/custom/v1/${String(plural)}`)).status).toBe(200);
      }
    },
  );

  test('are of every kind an organisation can have', () => {
    const kinds = new Set(documentsIn('docs/for-administrators.md').map(({ kind }) => kind));
    const all = globSync('metadata/schema/*.schema.json', { cwd: ROOT }).map((file) => basename(file, '.schema.json'));
    expect(kinds).toEqual(new Set(all.filter((kind) => !['common', 'field', 'pack'].includes(kind))));
  });
});

const PAGES = filesBelow('.', ['.md']);

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

describe('links', () => {
  test.each(PAGES)('in %s lead to a file, and to a heading in it', (page) => {
    const text = read(page).replaceAll(/```[\s\S]*?```/g, '');
    const broken: string[] = [];
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/i.test(target)) continue;
      const [path = '', fragment] = target.split('#');
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(file)) broken.push(target);
      else if (fragment !== undefined && !headings(file).includes(fragment)) broken.push(target);
    }
    expect(broken).toEqual([]);
  });

  function headings(file: string): string[] {
    const text = read(file.slice(ROOT.length).replace(/^[/\\]/, '')).replaceAll(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => anchor(heading));
  }
});

test('every test that PROMISES.md names is there', () => {
  const missing: string[] = [];
  const named = [
    ...read('docs/PROMISES.md').matchAll(/\]\(\.\.\/([^)]+(?:\.test|-cases)\.ts)\): ((?:“[^”]+”(?:, )?)+)/g),
  ];
  for (const [, file = '', titles = ''] of named) {
    const source = read(file);
    for (const [, title = ''] of titles.matchAll(/“([^”]+)”/g)) {
      if (!source.includes(title)) missing.push(`${file}: ${title}`);
    }
  }
  expect(named.length).toBeGreaterThan(40);
  expect(missing).toEqual([]);
});
