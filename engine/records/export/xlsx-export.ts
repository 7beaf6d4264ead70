/**
 * Records as an Excel workbook: numbers, days, moments and yes/no as what they are, everything else as text, which is
 * never a formula (the writer only ever gets plain values). Moments are in the reader's time zone, as Excel knows none.
 */
import { writeXlsxStream } from 'hucre/xlsx';
import { localTime, parseMoment } from '#engine/condition/moment.ts';
import { cellText } from './csv-export.ts';
import type { ExportColumn } from './export-columns.ts';
import { valueAt } from './export-columns.ts';

type Cell = string | number | boolean | Date | null;

/** Excel keeps fifteen digits of a number; what has more stays text. */
const DIGITS = 15;
/** Characters Excel takes in a cell. */
const CELL_LIMIT = 32_767;
/** Excel counts its days from 1900, with one too many in that February. */
const FIRST_DAY = Date.UTC(1900, 2, 1);
const MINUTE = 60_000;

export function xlsxOf(
  pages: AsyncIterable<readonly unknown[]>,
  columns: readonly ExportColumn[],
  options: { readonly headers: readonly string[]; readonly timeZone: string },
): ReadableStream<Uint8Array> {
  async function* rows(): AsyncGenerator<Cell[]> {
    for await (const records of pages) {
      for (const record of records)
        yield columns.map((column) => xlsxCell(valueAt(record, column.path), column, options.timeZone));
    }
  }
  return writeXlsxStream(rows(), {
    name: 'Data',
    columns: columns.map(({ field }, index) => ({
      header: plain(options.headers[index] ?? ''),
      width: 20,
      ...(field?.type.valueType === 'datetime' ? { numFmt: 'yyyy-mm-dd hh:mm:ss' } : {}),
    })),
    freezePane: { rows: 1 },
  });
}

export function xlsxCell(value: unknown, column: Pick<ExportColumn, 'field' | 'choiceLabel'>, timeZone: string): Cell {
  if (value === null || value === undefined) return null;
  const type = column.field?.type.valueType;
  if (type === 'json') return plain(cellText(value, column));
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return numberCell(String(value));
  if (typeof value === 'string') {
    if (type === 'integer' || type === 'decimal') return numberCell(value);
    if (type === 'date') return dayCell(Date.parse(`${value}T00:00:00Z`), value);
    if (type === 'datetime') {
      const moment = parseMoment(value);
      return Number.isNaN(moment) ? plain(value) : dayCell(wallClock(moment, timeZone), value);
    }
  }
  return plain(cellText(value, column));
}

function numberCell(text: string): number | string {
  const digits = text
    .replace(/^-?0*\.?0*/, '')
    .replace('.', '')
    .replace(/0+$/, '');
  return digits.length > DIGITS || !Number.isFinite(Number(text)) ? text : Number(text);
}

const dayCell = (moment: number, value: string): Date | string => (moment >= FIRST_DAY ? new Date(moment) : value);

/** The moment that a clock in UTC would show when one in this time zone shows `moment`. */
function wallClock(moment: number, timeZone: string): number {
  const { date, minute } = localTime(moment, timeZone);
  return Date.parse(`${date}T00:00:00Z`) + minute * MINUTE + (((moment % MINUTE) + MINUTE) % MINUTE);
}

// oxlint-disable-next-line no-control-regex
const NO_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/** XML has no place for control characters and lone surrogates. */
const plain = (text: string): string => text.replaceAll(NO_XML, '').slice(0, CELL_LIMIT);
