/** Records as CSV (RFC 4180): cells as the field types write them, text that looks like a formula guarded. */
import type { Value } from '#engine/model/value-type.ts';
import { csvLine, guardFormula } from '../csv-text.ts';
import type { ExportColumn } from './export-columns.ts';
import { valueAt } from './export-columns.ts';

const TYPED: ReadonlySet<string> = new Set(['integer', 'decimal', 'date', 'datetime', 'boolean', 'uuid']);

export async function* csvOf(
  pages: AsyncIterable<readonly unknown[]>,
  columns: readonly ExportColumn[],
  header: string,
): AsyncGenerator<string> {
  yield header;
  for await (const records of pages) {
    yield records
      .map((record) => csvLine(columns.map((column) => csvCell(valueAt(record, column.path), column))))
      .join('');
  }
}

function csvCell(value: unknown, column: ExportColumn): string {
  const text = cellText(value, column);
  const { field } = column;
  return field !== null && TYPED.has(field.type.valueType ?? '') ? text : guardFormula(text);
}

/** As the field's type writes it into a file. */
export function cellText(value: unknown, { field, choiceLabel }: Pick<ExportColumn, 'field' | 'choiceLabel'>): string {
  if (value === null || value === undefined) return '';
  const known = isValue(value) && field?.type.structured !== true ? value : JSON.stringify(value);
  if (field === null) return String(known);
  const { type } = field;
  return type.fileCell ? type.fileCell(known, field, choiceLabel) : type.exportCell(known, field);
}

function isValue(value: unknown): value is Value {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
