/** Reads a CSV file (RFC 4180, any of four delimiters) as it arrives. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { unguardFormula } from '../csv-text.ts';
import type { Encoding } from './decode.ts';
import { decode } from './decode.ts';
import { badFile } from './problems.ts';

export const ROW_LIMIT = 100_000;
export const COLUMN_LIMIT = 500;
/** Characters of a record. */
const RECORD_LIMIT = 1_000_000;
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Text as it stands in the file; a number where the file says that it is one. */
export type Cell = string | number;

export interface FileRow {
  /** Line of the file on which the row begins, the header being line 1. */
  readonly line: number;
  /** As they stand in the file, without quotation marks. May be fewer or more than there are columns. */
  readonly cells: readonly Cell[];
}

/**
 * @param onHeader called once, before the rows
 * @param onRow called for every row that is not empty
 * @returns the number of rows
 * @throws Problem `invalid_import`, `too_large`
 */
export async function readCsv(
  stream: AsyncIterable<Uint8Array>,
  onHeader: (columns: readonly string[]) => void,
  onRow: (row: FileRow) => void,
  encoding?: Encoding,
): Promise<number> {
  const text = decode(stream, encoding)[Symbol.asyncIterator]();
  const head = await firstLine(text);
  if (head.trim() === '') throw badFile('The file is empty: there is nothing to import.');
  let columns: readonly string[] | null = null;
  let rows = 0;
  const parser = parse({
    delimiter: sniff(head),
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: RECORD_LIMIT,
  });
  const source = Readable.from(chain(head, text));
  try {
    await pipeline(source, parser, async (records: AsyncIterable<{ record: string[]; info: { lines: number } }>) => {
      for await (const { record, info } of records) {
        if (columns === null) {
          columns = checkHeader(record.map(unguardFormula));
          onHeader(columns);
        } else if (record.some((cell) => cell.trim() !== '')) {
          rows += 1;
          if (rows > ROW_LIMIT)
            throw badFile(`A file may have ${ROW_LIMIT.toLocaleString('en')} rows at most. Split it up.`);
          onRow({ line: info.lines - lineBreaks(record), cells: record.map(unguardFormula) });
        }
      }
    });
  } catch (error) {
    throw error instanceof CsvError ? explain(error) : error;
  }
  if (rows === 0) throw badFile('The file has a header and no rows.');
  return rows;
}

/** What stands before the first line break, and whatever came with it. */
async function firstLine(text: AsyncIterator<string>): Promise<string> {
  let head = '';
  while (!head.trimStart().includes('\n')) {
    const next = await text.next();
    if (next.done) break;
    head += next.value;
  }
  return head;
}

async function* chain(head: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield head;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}

/** The delimiter that stands most often in the first line, outside quotation marks. */
export function sniff(head: string): string {
  const [line = ''] = head.trimStart().split(/\r?\n/, 1);
  const bare = line.replaceAll(/"(?:[^"]|"")*"/g, '');
  let best: string = ',';
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const times = bare.split(delimiter).length - 1;
    if (times > most) [best, most] = [delimiter, times];
  }
  return best;
}

/** The names of the columns. @throws Problem `invalid_import` */
export function checkHeader(cells: readonly string[]): readonly string[] {
  if (cells.length > COLUMN_LIMIT) throw badFile(`a file may have ${COLUMN_LIMIT} columns at most.`, 1);
  const columns = cells.map((cell, index) => cell.trim() || `Column ${index + 1}`);
  const seen = new Set<string>();
  for (const column of columns) {
    if (column.length > 200) throw badFile('this does not look like a header: a column’s name is very long.', 1);
    if (seen.has(column)) throw badFile(`two columns are called “${column}”.`, 1);
    seen.add(column);
  }
  return columns;
}

function lineBreaks(record: readonly string[]): number {
  let breaks = 0;
  for (const cell of record) if (cell.includes('\n')) breaks += cell.split('\n').length - 1;
  return breaks;
}

const INSIDE = 'a quotation mark stands inside a cell. Write it twice and put the cell in quotation marks.';
const FAULTS: ReadonlyMap<string, string> = new Map([
  ['CSV_QUOTE_NOT_CLOSED', 'a quotation mark is opened and never closed.'],
  ['CSV_MAX_RECORD_SIZE', 'the row is too long; probably a quotation mark is opened and never closed.'],
  ['INVALID_OPENING_QUOTE', INSIDE],
  ['CSV_INVALID_CLOSING_QUOTE', INSIDE],
]);

function explain(error: CsvError): Error {
  const line = 'lines' in error && typeof error['lines'] === 'number' ? error['lines'] : undefined;
  return badFile(FAULTS.get(error.code) ?? 'the row cannot be read.', line);
}
