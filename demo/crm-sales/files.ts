/** Reads the data set's files: which columns they must have, and their rows as text. Nothing is corrected here. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { Failure } from '../../engine/cli/command.ts';

export type Row = Readonly<Record<string, string>>;

const FILES = {
  accounts: ['account', 'sector', 'year_established', 'revenue', 'employees', 'office_location', 'subsidiary_of'],
  products: ['product', 'series', 'sales_price'],
  sales_teams: ['sales_agent', 'manager', 'regional_office'],
  sales_pipeline: [
    'opportunity_id',
    'sales_agent',
    'product',
    'account',
    'deal_stage',
    'engage_date',
    'close_date',
    'close_value',
  ],
} as const;

export type FileName = keyof typeof FILES;
export type Source = Readonly<Record<FileName, readonly Row[]>>;

/**
 * @throws Failure when a file is missing or has other columns
 */
export async function readSource(directory: string): Promise<Source> {
  const read = (name: FileName) => readRows(directory, name);
  return {
    accounts: await read('accounts'),
    products: await read('products'),
    sales_teams: await read('sales_teams'),
    sales_pipeline: await read('sales_pipeline'),
  };
}

async function readRows(directory: string, name: FileName): Promise<readonly Row[]> {
  const path = join(directory, `${name}.csv`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure(`${path} cannot be read. The folder must hold ${Object.keys(FILES).join('.csv, ')}.csv.`, {
      cause: error,
    });
  }
  const rows: Row[] = parse(text, { bom: true, columns: true, trim: true, skip_empty_lines: true });
  const missing = FILES[name].filter((column) => rows[0]?.[column] === undefined);
  if (missing.length > 0) throw new Failure(`${path} lacks the column ${missing.join(', ')}.`);
  return rows;
}

/** Rows as a CSV file (RFC 4180) with a header. */
export function toCsv(rows: readonly Row[], columns: readonly string[]): string {
  return stringify([...rows], { header: true, columns: [...columns], record_delimiter: '\r\n' });
}
