/** The rows of a sheet as they arrive: values as they are shown, of a formula the value it had when it was saved. */
import type { Cell } from '../csv.ts';
import { COLUMN_LIMIT } from '../csv.ts';
import { badFile } from '../problems.ts';
import type { Archive } from './archive.ts';
import { numberCell } from './styles.ts';
import type { Sheet, Workbook } from './workbook.ts';
import { unescaped } from './workbook.ts';
import type { XmlHandler } from './xml.ts';
import { readXml } from './xml.ts';

export interface SheetRow {
  /** As the spreadsheet numbers it, from 1. */
  readonly line: number;
  /** Empty ones at the end are left out. */
  readonly cells: readonly Cell[];
}

/** @throws Problem `invalid_import` */
export async function* readSheet(archive: Archive, workbook: Workbook, sheet: Sheet): AsyncGenerator<SheetRow> {
  const reader = new RowReader(workbook);
  for await (const _ of readXml(await archive.read(sheet.path), reader)) yield* reader.take();
}

class RowReader implements XmlHandler {
  readonly #workbook: Workbook;
  #rows: SheetRow[] = [];
  #cells: Cell[] = [];
  #line = 0;
  #column = 0;
  #type = 'n';
  #style = 0;
  #value = '';
  #inRow = false;
  #taking = false;
  #spoken = 0;

  constructor(workbook: Workbook) {
    this.#workbook = workbook;
  }

  take(): readonly SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case 'row':
        this.#inRow = true;
        this.#line = attributes['r'] === undefined ? this.#line + 1 : Number(attributes['r']);
        this.#cells = [];
        this.#column = 0;
        return;
      case 'c':
        if (attributes['r'] !== undefined) this.#column = columnOf(attributes['r']);
        this.#type = attributes['t'] ?? 'n';
        this.#style = Number(attributes['s'] ?? -1);
        this.#value = '';
        return;
      case 'rPh':
        this.#spoken += 1;
        return;
      case 'v':
      case 't':
        this.#taking = this.#inRow && this.#spoken === 0;
    }
  }

  text(text: string): void {
    if (this.#taking) this.#value += text;
  }

  close(name: string): void {
    switch (name) {
      case 'v':
      case 't':
        this.#taking = false;
        return;
      case 'rPh':
        this.#spoken -= 1;
        return;
      case 'c': {
        const cell = this.#cell();
        if (cell !== '') {
          // A single cell far to the right would make every row wide.
          if (this.#column >= COLUMN_LIMIT)
            throw badFile(`a sheet may have ${COLUMN_LIMIT} columns at most.`, this.#line);
          while (this.#cells.length < this.#column) this.#cells.push('');
          this.#cells.push(cell);
        }
        this.#column += 1;
        return;
      }
      case 'row':
        this.#inRow = false;
        if (this.#cells.length > 0) this.#rows.push({ line: this.#line, cells: this.#cells });
    }
  }

  #cell(): Cell {
    const value = this.#value;
    if (value === '') return '';
    switch (this.#type) {
      case 's':
        return this.#workbook.texts[Number(value)] ?? '';
      case 'b':
        return value === '1' || value === 'true' ? 'true' : 'false';
      case 'd':
        return value.replace('T', ' ').replace(/[ ]00:00:00(?:\.0+)?Z?$/, '');
      case 'n': {
        const number = Number(value);
        const meaning = this.#workbook.meanings[this.#style] ?? 'number';
        return Number.isFinite(number) ? numberCell(number, meaning, this.#workbook.since1904) : value;
      }
      default:
        return unescaped(value);
    }
  }
}

/** `AB12` → 27 */
function columnOf(reference: string): number {
  let column = 0;
  for (const letter of reference) {
    const place = letter.charCodeAt(0) - 64;
    if (place < 1 || place > 26) break;
    column = column * 26 + place;
  }
  return column - 1;
}
