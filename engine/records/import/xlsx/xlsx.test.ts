import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeXlsx } from 'hucre/xlsx';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Problem } from '#engine/problem.ts';
import { workbookOf, zipOf } from '#tests/support/zip.ts';
import type { FileRow } from '../csv.ts';
import { readTable } from '../table-file.ts';
import { meaningOf } from './styles.ts';

let folder: string;
/** Of this file alone: others bring workbooks in at the same time. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'armature-xlsx-'));
  vi.stubEnv('TMPDIR', folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function read(bytes: Uint8Array, sheet?: string) {
  const rows: FileRow[] = [];
  let columns: readonly string[] = [];
  const table = await readTable(
    pieces(bytes),
    (header) => {
      columns = header;
    },
    (row) => rows.push(row),
    { sheet },
  );
  return { columns, rows, sheets: table.sheets, sheet: table.sheet };
}

async function refusal(bytes: Uint8Array, sheet?: string): Promise<string> {
  const error: unknown = await read(bytes, sheet).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
  expect(error.status).toBeLessThan(500);
  return error.message;
}

const STYLES = `<numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy hh:mm"/><numFmt numFmtId="171" formatCode="[Red]0&quot; days&quot;"/></numFmts>
 <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
 <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="10"/><xf numFmtId="20"/><xf numFmtId="171"/></cellXfs>`;
const header =
  '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c><c r="B1" t="inlineStr"><is><t>Value</t></is></c></row>';
const cell = (xml: string) =>
  workbookOf({
    sheets: [{ name: 'A', data: `${header}<row r="2"><c r="A2" t="str"><v>x</v></c>${xml}</row>` }],
    texts: ['<t>one</t>', '<r><t>rich </t></r><r><t>text</t></r><rPh><t>spoken</t></rPh>'],
    styles: STYLES,
  });
const valueOf = async (xml: string) => (await read(cell(xml))).rows[0]?.cells[1];

describe('a workbook', () => {
  test('of another program comes in row by row, as it is shown', async () => {
    const bytes = await writeXlsx({
      sheets: [
        {
          name: 'People',
          rows: [
            ['Name', 'Joined', 'Pay', 'Active'],
            ['Ada', new Date('2026-01-31T00:00:00Z'), 1200.5, true],
            [null, null, null, null],
            ['Ben', null, 3, false],
          ],
        },
        { name: 'Other', rows: [['X'], ['y']] },
      ],
    });
    const { columns, rows, sheets, sheet } = await read(bytes);
    expect({ columns, sheets, sheet }).toEqual({
      columns: ['Name', 'Joined', 'Pay', 'Active'],
      sheets: ['People', 'Other'],
      sheet: 'People',
    });
    expect(rows).toEqual([
      { line: 2, cells: ['Ada', '2026-01-31', 1200.5, 'true'] },
      { line: 4, cells: ['Ben', '', 3, 'false'] },
    ]);
    expect((await read(bytes, 'Other')).rows).toEqual([{ line: 2, cells: ['y'] }]);
  });

  test.each([
    ['a shared text', '<c r="B2" t="s"><v>0</v></c>', 'one'],
    ['rich text without how it is spoken', '<c r="B2" t="s"><v>1</v></c>', 'rich text'],
    ['a number', '<c r="B2"><v>12.5</v></c>', 12.5],
    ['a day', '<c r="B2" s="1"><v>46053</v></c>', '2026-01-31'],
    ['a moment', '<c r="B2" s="2"><v>46053.5</v></c>', '2026-01-31 12:00:00'],
    ['a time', '<c r="B2" s="4"><v>0.75</v></c>', '18:00:00'],
    ['a percentage', '<c r="B2" s="3"><v>0.125</v></c>', '12.5%'],
    ['a number with a word', '<c r="B2" s="5"><v>3</v></c>', 3],
    ['a formula by its value', '<c r="B2"><f>SUM(A1:A9)</f><v>7</v></c>', 7],
    ['a formula that gives text', '<c r="B2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>', 'ab'],
    ['a yes', '<c r="B2" t="b"><v>1</v></c>', 'true'],
    ['an error', '<c r="B2" t="e"><v>#N/A</v></c>', '#N/A'],
    ['a character that XML has not', '<c r="B2" t="str"><v>a_x000A_b</v></c>', 'a\nb'],
    ['the first of March 1900', '<c r="B2" s="1"><v>61</v></c>', '1900-03-01'],
    ['the first of January 1900', '<c r="B2" s="1"><v>1</v></c>', '1900-01-01'],
  ])('holds %s', async (_, xml, expected) => {
    expect(await valueOf(xml)).toBe(expected);
  });

  test('counts from 1904 when it says so', async () => {
    const bytes = workbookOf({
      workbook: '<workbookPr date1904="1"/>',
      styles: STYLES,
      sheets: [{ name: 'A', data: `${header}<row r="2"><c r="A2" s="1"><v>1</v></c></row>` }],
    });
    expect((await read(bytes)).rows[0]?.cells).toEqual(['1904-01-02']);
  });

  test.each([
    ['General', 'number'],
    ['0.00', 'number'],
    ['#,##0 "days"', 'number'],
    ['[$-409]d-mmm-yy;@', 'date'],
    ['mmmm', 'date'],
    ['hh:mm:ss', 'time'],
    ['[h]:mm', 'time'],
    ['yyyy\\-mm\\-dd hh:mm', 'datetime'],
    ['0%', 'percent'],
  ] as const)('the format %j means a %s', (code, meaning) => {
    expect(meaningOf(code)).toBe(meaning);
  });

  test('hidden sheets are not there', async () => {
    const bytes = workbookOf({
      sheets: [
        { name: 'Secret', data: header, state: 'veryHidden' },
        { name: 'Shown', data: `${header}<row r="2"><c r="A2"><v>1</v></c></row>` },
      ],
    });
    expect((await read(bytes)).sheets).toEqual(['Shown']);
    expect(await refusal(bytes, 'Secret')).toContain('There is no sheet “Secret”');
  });
});

describe('what is no honest workbook is refused, quickly and cheaply', () => {
  const sheet = (data: string) => workbookOf({ sheets: [{ name: 'A', data: header + data }] });
  const huge = Buffer.alloc(200 * 1024 * 1024, '<row><c><v>1</v></c></row>');
  const cases: readonly (readonly [string, () => Buffer, RegExp])[] = [
    ['a bomb that says how large it is', () => zipOf([{ name: 'xl/workbook.xml', data: huge }]), /too large/],
    [
      'a bomb that lies about it',
      () =>
        workbookOf({
          sheets: [{ name: 'A', data: header }],
          more: [{ name: 'xl/worksheets/s1.xml', data: huge, claimed: 1000 }],
        }),
      /damaged|too large/,
    ],
    [
      'a cell far to the right, many times',
      () => sheet('<row r="2"><c r="XFD2"><v>1</v></c></row>'.repeat(100_000)),
      /500 columns/,
    ],
    ['too many rows', () => sheet('<row><c><v>1</v></c></row>'.repeat(100_001)), /100,000 rows/],
    [
      'too many files',
      () => zipOf(Array.from({ length: 1100 }, (_, index) => ({ name: `f${index}`, data: Buffer.from('x') }))),
      /too many parts/,
    ],
    [
      'a document type definition',
      () =>
        workbookOf({
          sheets: [{ name: 'A', data: header }],
          more: [
            {
              name: 'xl/sharedStrings.xml',
              data: Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><sst><si><t>&b;</t></si></sst>'),
            },
          ],
        }),
      /document type/,
    ],
    [
      'an archive of something else',
      () => zipOf([{ name: 'readme.txt', data: Buffer.from('hello') }]),
      /damaged or no Excel/,
    ],
    ['half a file', () => sheet('<row><c><v>1</v></c></row>').subarray(0, 500), /damaged/],
    [
      'XML that ends in the middle',
      () =>
        workbookOf({
          sheets: [{ name: 'A', data: header }],
          more: [{ name: 'xl/worksheets/s1.xml', data: Buffer.from('<worksheet><sheetData><row>') }],
        }),
      /damaged/,
    ],
    ['an empty sheet', () => workbookOf({ sheets: [{ name: 'A', data: '' }] }), /is empty/],
    ['only a header', () => sheet(''), /no rows/],
  ];
  test.each(cases)('%s', async (_, make, message) => {
    const bytes = make();
    const before = process.memoryUsage().rss;
    expect(await refusal(bytes)).toMatch(message);
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(150);
  });

  test('nothing of them stays on the disk', async () => {
    expect(tmpdir()).toBe(folder);
    expect(await readdir(folder)).toEqual([]);
  });
});
