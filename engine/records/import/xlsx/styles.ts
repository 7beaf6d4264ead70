/** What the number of a cell means: Excel keeps days, times and percentages as numbers and says the rest by their format. */
import { Decimal } from 'decimal.js';
import type { Cell } from '../csv.ts';
import type { XmlHandler } from './xml.ts';

export type Meaning = 'number' | 'percent' | 'date' | 'datetime' | 'time';

/** Formats without a text of their own (ECMA-376 part 1, 18.8.30), and those of other languages. */
function builtIn(id: number): Meaning {
  if (id === 9 || id === 10) return 'percent';
  if (id === 22) return 'datetime';
  if (id >= 18 && id <= 21) return 'time';
  if (id >= 45 && id <= 47) return 'time';
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return 'date';
  return 'number';
}

/** @param code e.g. `dd/mm/yyyy hh:mm`, `0.00%`, `[$-409]d-mmm-yy` */
export function meaningOf(code: string): Meaning {
  const [positive = ''] = code.split(';', 1);
  // Texts, escaped characters, colours and languages say nothing; elapsed time ([h]) does.
  const bare = positive
    .replaceAll(/"[^"]*"|\\.|_.|\*./g, '')
    .replaceAll(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '')
    .toLowerCase();
  if (/general/.test(bare)) return 'number';
  if (bare.includes('%')) return 'percent';
  const time = /[hs]/.test(bare);
  const day = /[dy]/.test(bare) || (bare.includes('m') && !time);
  if (day) return time ? 'datetime' : 'date';
  return time ? 'time' : 'number';
}

/** Collects what each style of a cell means. */
export function stylesReader(meanings: Meaning[]): XmlHandler {
  const codes = new Map<number, string>();
  let inside = false;
  return {
    open: (name, attributes) => {
      if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '');
      else if (name === 'cellXfs') inside = true;
      else if (name === 'xf' && inside) {
        const id = Number(attributes['numFmtId'] ?? 0);
        const code = codes.get(id);
        meanings.push(code === undefined ? builtIn(id) : meaningOf(code));
      }
    },
    close: (name) => {
      if (name === 'cellXfs') inside = false;
    },
  };
}

const DAY = 86_400_000;
/** Day zero. Excel counts a 29 February 1900 that never was, so its days before March 1900 are one off. */
const EPOCH_1900 = Date.UTC(1899, 11, 30);
const EPOCH_1904 = Date.UTC(1904, 0, 1);
const LAST_DAY = 2_958_465;
/** Excel shows fifteen digits of a number; what a float holds beyond is noise. */
const DIGITS = 15;

export function plainNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return new Decimal(value.toPrecision(DIGITS)).toFixed();
}

/** The cell as the import takes it: days as 2026-01-31, moments as 2026-01-31 10:00:00, percentages as 12.5%. */
export function numberCell(value: number, meaning: Meaning, since1904: boolean): Cell {
  if (meaning === 'percent') return `${new Decimal(value.toPrecision(DIGITS)).times(100).toFixed()}%`;
  if (meaning === 'number' || value < 0 || value > LAST_DAY) return value;
  const day = !since1904 && value >= 1 && value < 61 ? value + 1 : value;
  const iso = new Date((since1904 ? EPOCH_1904 : EPOCH_1900) + Math.round(day * DAY)).toISOString();
  const clock = iso.slice(11, 19);
  if (meaning === 'time' && value < 1) return clock;
  return meaning === 'date' && clock === '00:00:00' ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${clock}`;
}
