/** The rules of the house that are about the source itself (docs/adr, ARCHITECTURE.md). Each fails when it is broken. */
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, importsOf, read, ROOT, withoutComments } from './source.ts';

const engine = filesBelow('engine').filter((file) => !/\.test\.ts$|\.generated\.ts$|\/testing\//.test(file));

describe('the engine knows no business', () => {
  /** Keys that are also ordinary words of the engine's own language. */
  const ORDINARY = new Set([
    'name',
    'code',
    'note',
    'notes',
    'active',
    'email',
    'phone',
    'description',
    'tags',
    'source',
    'kind',
    'status',
    'website',
    'member',
    'administrator',
    'manager',
    'subject',
    'amount',
    'total',
    'series',
    'score',
    'start',
    'due',
    'done',
    'lines',
    'city',
    'country',
    'parent',
    'text',
    'close',
    'reopen',
    'open',
    'new',
    'working',
    'call',
    'email',
    'task',
    'user',
    'team',
    'owner',
    'state',
    'number',
    'product',
    'account',
    'quantity',
    'discount',
    'support',
    'title',
    'stage',
    'expected',
    'probability',
    'priority',
    'leads',
    'body',
    'entries',
    'quote',
    'quotes',
    'terms',
    'currency',
    'language',
    'channel',
    'members',
    'responses',
    'budget',
    'net',
    'interval',
    'subscription',
    'cost',
    'category',
  ]);

  /** Keys of entities, of their fields, and of roles. */
  const keys = filesBelow('metadata/packs', ['.entity.json', '.role.json']).flatMap((file) => {
    const {
      key,
      plural,
      fields = [],
    }: { key: string; plural?: string; fields?: readonly { key: string }[] } = JSON.parse(read(file));
    return [key, plural ?? key, ...fields.map((field) => field.key)];
  });
  const words = [...new Set(keys)].filter((key) => !ORDINARY.has(key));

  test('the rule has words to look for', () => {
    expect(words).toContain('opportunity');
    expect(words).toContain('ticket');
    expect(words).toContain('campaign');
    expect(words).toContain('sales_rep');
  });

  test.each(engine)('%s', (file) => {
    const code = withoutComments(read(file));
    const found = words.filter((word) => new RegExp(`(?<![A-Za-z0-9_])${word}(?![A-Za-z0-9_])`).test(code));
    expect(found).toEqual([]);
  });
});

describe('imports point one way', () => {
  /** Folder → folders of the engine it may import from (itself always). */
  const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    db: ['identity'],
    model: ['db', 'condition', 'formula'],
    condition: ['db', 'model', 'identity'],
    formula: ['db', 'model', 'condition'],
    schema: ['db', 'model', 'condition', 'formula', 'identity'],
    records: ['db', 'model', 'condition', 'formula', 'schema', 'identity', 'jobs'],
    jobs: ['db', 'model', 'identity', 'redis'],
    files: ['db', 'model', 'records', 'identity'],
    redis: ['db'],
    cells: ['db', 'identity', 'api'],
    identity: ['db', 'model', 'schema', 'records', 'jobs'],
    settings: ['db', 'model', 'records'],
    plugins: ['db', 'model'],
    api: ['settings', 'db', 'model', 'condition', 'formula', 'schema', 'records', 'identity', 'jobs', 'files'],
    cli: ['settings', 'db', 'model', 'schema', 'records', 'identity', 'jobs', 'api', 'cells'],
  };

  test.each(engine.filter((file) => file.split('/').length > 2))('%s', (file) => {
    const room = file.split('/')[1] ?? '';
    const strange = importsOf(read(file)).flatMap((specifier) => {
      const target = specifier.startsWith('#engine/')
        ? specifier.slice(1)
        : specifier.startsWith('.')
          ? normalize(join(dirname(file), specifier))
          : null;
      if (target === null) return [];
      const [top, other, inner] = target.split('/');
      if (top !== 'engine') return top === 'metadata' && room === 'model' ? [] : [specifier];
      if (inner === undefined || other === room) return [];
      return ALLOWED[room]?.includes(other ?? '') ? [] : [specifier];
    });
    expect(strange).toEqual([]);
  });

  test('plugins use only the public plugin API', () => {
    const plugins = [
      ...filesBelow('plugins'),
      ...filesBelow('tests/plugins').filter((file) => !file.endsWith('.test.ts')),
    ];
    expect(plugins.length).toBeGreaterThan(0);
    const strange = plugins.flatMap((file) =>
      importsOf(read(file))
        .filter((specifier) => /engine/.test(specifier) && specifier !== '#engine/plugins')
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(strange).toEqual([]);
  });
});

test('code is never made from text', () => {
  const guilty = [...engine, ...filesBelow('runtime-ui')].filter((file) =>
    /\beval\s*\(|new Function\b|node:vm/.test(withoutComments(read(file))),
  );
  expect(guilty).toEqual([]);
});

test('identifiers are quoted in one place', () => {
  const guilty = engine.filter(
    (file) =>
      file !== 'engine/db/identifiers.ts' &&
      /replaceAll\('"', '""'\)|escapeIdentifier/.test(withoutComments(read(file))),
  );
  expect(guilty).toEqual([]);
});

test('nothing but the database layer opens connections', () => {
  const guilty = engine.filter(
    (file) => !file.startsWith('engine/db/') && /new (pg\.)?(Pool|Client)\(/.test(withoutComments(read(file))),
  );
  expect(guilty).toEqual([]);
});

test('the lock file names no registry host', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": *"http/);
});

test('files stay small enough to hold one idea', () => {
  const long = [...engine, ...filesBelow('runtime-ui'), ...filesBelow('plugins')].filter(
    (file) => read(file).split('\n').length > 450,
  );
  expect(long).toEqual([]);
});

test('only files of the project are checked', () => {
  expect(ROOT).not.toBe('');
  expect(engine.length).toBeGreaterThan(10);
});
