/** What an export wrote comes back from the import as it was, in the language of whoever does both. */
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { type FieldLab, makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { Importer } from '../import/importer.ts';
import { parseUrlQuery } from '../query/url.ts';
import type { Scope } from '../scope.ts';
import { Exporter, type ExportOptions } from './exporter.ts';

const database = await testDatabase();
const choices = [
  { key: 'urgent', label: 'Urgent' },
  { key: 'later', label: 'Later' },
];
let lab: FieldLab;
let german: Scope;
beforeAll(async () => {
  lab = await makeFieldLab(
    database,
    [
      { key: 'code', type: 'text', unique: true },
      { key: 'haste', type: 'choice', choices },
      { key: 'when', type: 'multiple_choice', choices },
      { key: 'notes', type: 'rich_text' },
      { key: 'extra', type: 'json' },
    ],
    [
      {
        kind: 'translation',
        locale: 'de',
        texts: {
          'lab.thing.haste': 'Eile',
          'lab.thing.haste.urgent': 'Dringend',
          'lab.thing.when.urgent': 'Sofort',
          'lab.thing.when.later': 'Später',
        },
      },
    ],
  );
  german = { ...lab.chief, principal: { ...lab.chief.principal, locale: 'de' } };
});
afterAll(() => lab.close());

const entity = () => lab.lab.entity('thing');

async function exported(scope: Scope, header: ExportOptions['header']): Promise<string> {
  const exporter = new Exporter({ database: lab.lab.database, clock: systemClock });
  const query = parseUrlQuery('$select=name,code,haste,when,notes,extra&$order=name');
  return text(await exporter.open(scope, entity(), query, { format: 'csv', header, mark: false }));
}

async function imported(scope: Scope, csv: string): Promise<unknown> {
  const importer = new Importer({
    database: lab.lab.database,
    ids: systemIds,
    models: { get: async () => ({ tenant: lab.lab.tenant, model: lab.lab.model }), known: () => null },
    principalOf: async () => scope.principal,
  });
  const stream = Readable.from([Buffer.from(csv)]);
  const { id } = await importer.upload(scope, entity(), { name: 'x.csv', stream });
  await importer.configure(scope, entity(), id, { upsertBy: ['code'] });
  await importer.start(scope, entity(), id);
  const signal = new AbortController().signal;
  await importer.run({ tenant: 'acme', import: id, user: scope.principal.userId }, { signal, last: true });
  return importer.status(scope, entity(), id);
}

test('choices are keys under keys and words of the reader under labels; nothing changes on the way back', async () => {
  await lab.create({
    name: 'a',
    code: '1',
    haste: 'urgent',
    when: ['urgent', 'later'],
    notes: '<p>one <b>two</b></p><ul><li>three</li></ul>',
    extra: { b: ['x'] },
  });
  await lab.create({ name: 'b', code: '2', haste: 'later', notes: 'no markup &amp; so', extra: 'text' });
  const before = await lab.list('$order=name');
  const byKeys = await exported(german, 'keys');
  expect(byKeys).toContain('a,1,urgent,urgent; later,');
  const byLabels = await exported(german, 'labels');
  expect(byLabels).toContain('Eile');
  expect(byLabels).toContain('a,1,Dringend,Sofort; Später,');
  const inEnglish = await exported(lab.chief, 'labels');
  expect(inEnglish).toContain('a,1,Urgent,Urgent; Later,');
  for (const [scope, csv] of [
    [german, byKeys],
    [german, byLabels],
    [german, inEnglish],
    [lab.chief, inEnglish],
    [lab.chief, byKeys],
  ] as const)
    expect(await imported(scope, csv)).toMatchObject({ failed: 0 });
  // Not even the versions have changed.
  expect(await lab.list('$order=name')).toEqual(before);
});
