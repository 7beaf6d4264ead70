/** The frame of a workbook: its sheets, its texts, what its styles mean. */
import { posix } from 'node:path';
import { badFile } from '../problems.ts';
import type { Archive } from './archive.ts';
import { broken } from './archive.ts';
import type { Meaning } from './styles.ts';
import { stylesReader } from './styles.ts';
import type { XmlHandler } from './xml.ts';
import { readAllXml } from './xml.ts';

/** Characters of all texts together: they are kept in memory. */
const TEXT_LIMIT = 40_000_000;

export interface Sheet {
  readonly name: string;
  /** In the archive. */
  readonly path: string;
}

export interface Workbook {
  /** Those that people see, in their order. */
  readonly sheets: readonly Sheet[];
  readonly since1904: boolean;
  readonly texts: readonly string[];
  readonly meanings: readonly Meaning[];
}

interface Relation {
  readonly type: string;
  readonly target: string;
}

/** @throws Problem `invalid_import` */
export async function readWorkbook(archive: Archive): Promise<Workbook> {
  const [root] = [...(await relations(archive, '')).values()].filter(({ type }) => type === 'officeDocument');
  if (!root || !archive.has(root.target)) throw broken();
  const parts = await relations(archive, root.target);
  const listed: { name: string; id: string; hidden: boolean }[] = [];
  let since1904 = false;
  await readAllXml(await archive.read(root.target), {
    open: (name, attributes) => {
      if (name === 'workbookPr') since1904 = attributes['date1904'] === '1' || attributes['date1904'] === 'true';
      if (name !== 'sheet') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1] ?? '';
      const state = attributes['state'] ?? 'visible';
      listed.push({ name: attributes['name'] ?? '', id, hidden: state !== 'visible' });
    },
  });
  const sheets = listed.flatMap(({ name, id, hidden }) => {
    const part = parts.get(id);
    return !hidden && part?.type === 'worksheet' ? [{ name, path: part.target }] : [];
  });
  if (sheets.length === 0) throw badFile('This workbook has no sheet that can be seen.');
  const meanings: Meaning[] = [];
  const texts: string[] = [];
  for (const { type, target } of parts.values()) {
    if (!archive.has(target)) continue;
    if (type === 'styles') await readAllXml(await archive.read(target), stylesReader(meanings));
    if (type === 'sharedStrings') await readAllXml(await archive.read(target), textsReader(texts));
  }
  return { sheets, since1904, texts, meanings };
}

/** What a part of the archive refers to, by id. */
async function relations(archive: Archive, part: string): Promise<ReadonlyMap<string, Relation>> {
  const folder = part === '' ? '' : posix.dirname(part);
  const path = posix.join(folder, '_rels', `${posix.basename(part)}.rels`);
  const found = new Map<string, Relation>();
  if (!archive.has(path)) return found;
  await readAllXml(await archive.read(path), {
    open: (name, attributes) => {
      if (name !== 'Relationship' || attributes['TargetMode'] === 'External') return;
      const target = attributes['Target'] ?? '';
      found.set(attributes['Id'] ?? '', {
        type: (attributes['Type'] ?? '').split('/').at(-1) ?? '',
        target: target.startsWith('/') ? target.slice(1) : posix.join(folder, target),
      });
    },
  });
  return found;
}

/** Texts stand in a list of their own; `rPh` says how one is pronounced. */
function textsReader(texts: string[]): XmlHandler {
  let text = '';
  let inText = false;
  let spoken = 0;
  let size = 0;
  return {
    open: (name) => {
      if (name === 'si') text = '';
      else if (name === 'rPh') spoken += 1;
      else if (name === 't') inText = spoken === 0;
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close: (name) => {
      if (name === 't') inText = false;
      else if (name === 'rPh') spoken -= 1;
      else if (name === 'si') {
        size += text.length;
        if (size > TEXT_LIMIT)
          throw badFile('This workbook holds too much text. Split it up, or save the sheet as CSV.');
        texts.push(unescaped(text));
      }
    },
  };
}

/** `_x000D_` is how a workbook writes a character that XML has no place for. */
export function unescaped(text: string): string {
  return text.includes('_x')
    ? text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}
