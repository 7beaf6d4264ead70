/** The rows that failed as a CSV file: what stood in them, where, and what was wrong. Corrected, it can be uploaded again. */

/** Cells that a spreadsheet would run as a formula (CWE-1236), in full-width letters too. Numbers are harmless. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const NUMBER = /^[+-]?[\d.,\s]*\d[\d.,\s]*%?$/;

/** One line of the file, with its line break. The byte order mark before the first makes spreadsheets read UTF-8. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

export const BYTE_ORDER_MARK = '\uFEFF';

function csvCell(cell: string): string {
  const safe = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll(/"/g, '""')}"` : safe;
}
