/** A file with a table in it: CSV as it arrives, or an Excel workbook, which has to be there whole before it can be read. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem } from '#engine/problem.ts';
import type { FileRow } from './csv.ts';
import { checkHeader, readCsv, ROW_LIMIT } from './csv.ts';
import type { Encoding } from './decode.ts';
import { FILE_LIMIT } from './decode.ts';
import { badFile } from './problems.ts';
import { Archive } from './xlsx/archive.ts';
import { readSheet } from './xlsx/sheet.ts';
import { plainNumber } from './xlsx/styles.ts';
import { readWorkbook } from './xlsx/workbook.ts';

export interface TableOptions {
  /** Of a CSV file. */
  readonly encoding?: Encoding | undefined;
  /** Name of a sheet of a workbook; the first one that can be seen without it. */
  readonly sheet?: string | undefined;
}

export interface Table {
  readonly rows: number;
  /** Names of the sheets that can be seen; empty for CSV. */
  readonly sheets: readonly string[];
  /** The one that was read. */
  readonly sheet: string | null;
}

type OnHeader = (columns: readonly string[]) => void;
type OnRow = (row: FileRow) => void;

/** @throws Problem `invalid_import`, `too_large` */
export async function readTable(
  stream: AsyncIterable<Uint8Array>,
  onHeader: OnHeader,
  onRow: OnRow,
  { encoding, sheet }: TableOptions = {},
): Promise<Table> {
  const chunks = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = chain(head, chunks);
  if (head.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') return readXlsx(whole, onHeader, onRow, sheet);
  return { rows: await readCsv(whole, onHeader, onRow, encoding), sheets: [], sheet: null };
}

async function* chain(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}

async function readXlsx(
  stream: AsyncIterable<Uint8Array>,
  onHeader: OnHeader,
  onRow: OnRow,
  wanted: string | undefined,
): Promise<Table> {
  const folder = await mkdtemp(join(tmpdir(), 'armature-import-'));
  try {
    const path = join(folder, 'workbook');
    await pipeline(limited(stream), createWriteStream(path, { mode: 0o600 }));
    const archive = await Archive.open(path);
    try {
      return await readRows(archive, onHeader, onRow, wanted);
    } finally {
      archive.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* limited(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > FILE_LIMIT) throw new Problem('too_large', `The file may have ${FILE_LIMIT / 1024 / 1024} MB at most.`);
    yield chunk;
  }
}

async function readRows(
  archive: Archive,
  onHeader: OnHeader,
  onRow: OnRow,
  wanted: string | undefined,
): Promise<Table> {
  const workbook = await readWorkbook(archive);
  const names = workbook.sheets.map(({ name }) => name);
  const sheet = wanted === undefined ? workbook.sheets[0] : workbook.sheets.find(({ name }) => name === wanted);
  if (!sheet)
    throw badFile(`There is no sheet “${wanted?.slice(0, 60)}”. There are: ${names.join(', ').slice(0, 500)}.`);
  let rows = 0;
  let columns: readonly string[] | null = null;
  for await (const { line, cells } of readSheet(archive, workbook, sheet)) {
    if (columns === null) {
      columns = checkHeader(cells.map((cell) => (typeof cell === 'number' ? plainNumber(cell) : cell)));
      onHeader(columns);
    } else if (cells.some((cell) => typeof cell === 'number' || cell.trim() !== '')) {
      rows += 1;
      if (rows > ROW_LIMIT)
        throw badFile(`A sheet may have ${ROW_LIMIT.toLocaleString('en')} rows at most. Split it up.`);
      onRow({ line, cells });
    }
  }
  if (columns === null) throw badFile(`The sheet “${sheet.name}” is empty: there is nothing to import.`);
  if (rows === 0) throw badFile(`The sheet “${sheet.name}” has a header and no rows.`);
  return { rows, sheets: names, sheet: sheet.name };
}
