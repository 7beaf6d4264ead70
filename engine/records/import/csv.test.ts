import { describe, expect, test } from 'vitest';
import { Problem } from '#engine/problem.ts';
import type { FileRow } from './csv.ts';
import { readCsv, sniff } from './csv.ts';
import type { Encoding } from './decode.ts';
import { csvLine, guardUntyped } from '../csv-text.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(content: string | Buffer, size = 1_000_000, encoding?: Encoding) {
  const rows: FileRow[] = [];
  let columns: readonly string[] = [];
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  await readCsv(
    pieces(bytes, size),
    (header) => (columns = header),
    (row) => rows.push(row),
    encoding,
  );
  return { columns, rows };
}
const refused = async (content: string | Buffer, size?: number): Promise<string> => {
  const error: unknown = await read(content, size).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was read');
  expect(['invalid_import', 'too_large']).toContain(error.code);
  return error.message;
};

describe('a file', () => {
  test.each([1, 2, 3, 7, 1000])('is read the same in pieces of %i bytes', async (size) => {
    const csv = '\uFEFFName, Ort ,Größe\r\n"Müller ""&"" Söhne\nGmbH",München,"1,5"\r\n\r\n,,\r\nZoë,東京,2\r\n';
    expect(await read(csv, size)).toEqual({
      columns: ['Name', 'Ort', 'Größe'],
      rows: [
        { line: 2, cells: ['Müller "&" Söhne\nGmbH', 'München', '1,5'] },
        { line: 6, cells: ['Zoë', '東京', '2'] },
      ],
    });
  });

  test.each([
    ['a,b;c\n', ','],
    ['a;b;c,d\n', ';'],
    ['a\tb\n', '\t'],
    ['"x;y;z",b\n', ','],
    ['alone\n', ','],
  ])('%j is separated by %j', (head, delimiter) => {
    expect(sniff(head)).toBe(delimiter);
  });

  test('in UTF-16 is read when its first bytes say so, in any pieces', async () => {
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('ä;b\r\n1;€\r\n', 'utf16le')]);
    for (const size of [1, 3, 100]) expect((await read(little, size)).rows).toEqual([{ line: 2, cells: ['1', '€'] }]);
    expect(
      (
        await read(
          Buffer.from(little)
            .subarray(0, 2 + 20)
            .swap16(),
        )
      ).columns,
    ).toEqual(['ä', 'b']);
  });

  test('in Windows-1252 is read when somebody says so, and refused otherwise', async () => {
    const bytes = Buffer.from('Name\nok\nM\xFCller\n', 'latin1');
    expect((await read(bytes, 4, 'windows-1252')).rows[1]).toEqual({ line: 3, cells: ['Müller'] });
    expect(await refused(bytes)).toBe(
      'Line 3: there are bytes that are no UTF-8 text. Save the file as CSV with the encoding UTF-8.',
    );
    expect(await refused(bytes, 3)).toContain('Line 3');
  });

  test.each([
    ['nothing', '', 'The file is empty: there is nothing to import.'],
    ['only space', ' \r\n \n', 'The file is empty: there is nothing to import.'],
    ['only a byte order mark', '\uFEFF', 'The file is empty: there is nothing to import.'],
    ['a header alone', 'a,b\n', 'The file has a header and no rows.'],
    ['a header and empty rows', 'a,b\n,\n\n', 'The file has a header and no rows.'],
    ['two columns of one name', 'a,b,a\n1,2,3\n', 'Line 1: two columns are called “a”.'],
    ['a NUL byte', 'a,b\n1,2\n3,\u0000\n', 'Line 3: there is a NUL byte: this is not a text file.'],
    ['a quotation mark left open', 'a,b\n1,"2\n3,4\n', /^Line \d: a quotation mark is opened and never closed\.$/],
    ['a quotation mark inside', 'a,b\n1,2\n3,x"y\n', /^Line 3: a quotation mark stands inside a cell/],
  ])('with %s is refused', async (_, content, message) => {
    expect(await refused(content)).toMatch(message);
  });

  test('that is a program, a picture or a workbook is refused', async () => {
    expect(await refused(Buffer.from('PK\u0003\u0004rest of it', 'latin1'))).toContain('ZIP archive');
    expect(await refused(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]))).toContain('Line 1');
    expect(await refused(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]))).toContain('Line 1');
  });

  test('that is too long, or has too many rows, is refused', async () => {
    expect(await refused(Buffer.concat([Buffer.from('a\n'), Buffer.alloc(51 * 1024 * 1024, 0x31)]))).toMatch(
      /50 MB|longer than any line/,
    );
    expect(await refused(`a\n${'1\n'.repeat(100_001)}`)).toContain('100,000 rows');
  });
});

test('the file of errors cannot run anything', () => {
  expect(csvLine(['=1+1', '@a', '-5.00', '+49 30', '-cmd|x', 'a"b', 'a,b', ' a', 'Ö'].map(guardUntyped))).toBe(
    `'=1+1,'@a,-5.00,+49 30,'-cmd|x,"a""b","a,b"," a",Ö\r\n`,
  );
});
