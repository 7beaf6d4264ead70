import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { fieldOf } from '#engine/model/testing/fields.ts';
import { readTable } from '../import/table-file.ts';
import { Archive } from '../import/xlsx/archive.ts';
import { xlsxCell, xlsxOf } from './xlsx-export.ts';

const folder = await mkdtemp(join(tmpdir(), 'armature-xlsx-'));
afterAll(() => rm(folder, { recursive: true }));

async function* once(records: readonly unknown[]): AsyncGenerator<readonly unknown[]> {
  yield records;
}

test('a workbook holds values and never a formula, and comes back as it was', async () => {
  const nasty = ['=HYPERLINK("http://x")', '+1', '@x', { formula: 'A1' }, '<f>1</f>', '\u0000\uD800x'];
  const stream = xlsxOf(
    once(nasty.map((value) => ({ a: value }))),
    [{ path: ['a'], key: 'a', label: 'A', field: null, choiceLabel: null }],
    { headers: ['=Header'], timeZone: 'UTC' },
  );
  const bytes = Buffer.from(await new Response(stream).arrayBuffer());
  const path = join(folder, 'book');
  await writeFile(path, bytes);
  const archive = await Archive.open(path);
  const sheet = await text(await archive.read('xl/worksheets/sheet1.xml'));
  archive.close();
  expect(sheet).not.toMatch(/<f[ >/]/);
  const cells: unknown[] = [];
  let columns: readonly string[] = [];
  await readTable(
    (async function* () {
      yield bytes;
    })(),
    (header) => {
      columns = header;
    },
    (row) => cells.push(row.cells[0]),
  );
  expect(columns).toEqual(['=Header']);
  expect(cells).toEqual(['=HYPERLINK("http://x")', '+1', '@x', '{"formula":"A1"}', '<f>1</f>', 'x']);
});

test('any JSON is written as its text, which an import reads back', () => {
  const cell = (value: unknown) => xlsxCell(value, { field: fieldOf('json'), choiceLabel: null }, 'UTC');
  expect([cell('text'), cell(['a']), cell(5), cell(true)]).toEqual(['"text"', '["a"]', '5', 'true']);
});

test('numbers, days and moments are what they are, as far as Excel can keep them', () => {
  const cell = (type: string, value: unknown) =>
    xlsxCell(value, { field: fieldOf(type), choiceLabel: null }, 'Europe/Berlin');
  expect(cell('decimal', '-1200.50')).toBe(-1200.5);
  expect(cell('decimal', '12345678901234.5678')).toBe('12345678901234.5678');
  expect(cell('integer', 42)).toBe(42);
  expect(cell('boolean', false)).toBe(false);
  expect(cell('date', '2026-01-31')).toEqual(new Date('2026-01-31T00:00:00Z'));
  expect(cell('date', '1850-01-31')).toBe('1850-01-31');
  expect(cell('datetime', '2026-07-01T10:00:05+00:00')).toEqual(new Date('2026-07-01T12:00:05Z'));
  expect(cell('text', null)).toBeNull();
});
