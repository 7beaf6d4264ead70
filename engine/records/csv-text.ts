/** CSV as it leaves and comes back: quoting, and cells that a spreadsheet would take for formulas. */

/**
 * Text that a spreadsheet would run as a formula (CWE-1236), in full-width letters too, gets an apostrophe in front;
 * coming back it loses it again. Text that already has apostrophes before such a sign gets one more, so that every text
 * comes back as it was.
 */
const RISKY = /^'*[=+\-@\t\r＝＋－＠]/;
const GUARDED = /^'+[=+\-@\t\r＝＋－＠]/;

export function guardFormula(text: string): string {
  return RISKY.test(text) ? `'${text}` : text;
}

export function unguardFormula(cell: string): string {
  return GUARDED.test(cell) ? cell.slice(1) : cell;
}

export const BYTE_ORDER_MARK = '\uFEFF';

/** One line of a CSV file (RFC 4180), with its line break. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll(/"/g, '""')}"` : cell;
}

const NUMBER = /^[+-]?[\d.,\s]*\d[\d.,\s]*%?$/;

/** For cells whose type nobody knows: what is only a number stays one. */
export function guardUntyped(cell: string): string {
  return NUMBER.test(cell) ? cell : guardFormula(cell);
}
