/** Archives for tests, also such as no honest program writes. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface Packed {
  readonly name: string;
  readonly data: Buffer;
  /** What the archive says the size is; the truth without it. */
  readonly claimed?: number;
}

/** ZIP (APPNOTE 4.3): local headers with their data, then the directory. */
export function zipOf(files: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, claimed } of files) {
    const packed = deflateRawSync(data, { level: 9 });
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(data), 0);
    sizes.writeUInt32LE(packed.length, 4);
    sizes.writeUInt32LE(claimed ?? data.length, 8);
    const label = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(8, 8);
    sizes.copy(local, 14);
    local.writeUInt16LE(label.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(8, 10);
    sizes.copy(central, 16);
    central.writeUInt16LE(label.length, 28);
    central.writeUInt32LE(offset, 42);
    parts.push(local, label, packed);
    directory.push(central, label);
    offset += local.length + label.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

export interface WorkbookParts {
  /** By name: the XML inside `<sheetData>`, and whether it is hidden. */
  readonly sheets: readonly { readonly name: string; readonly data: string; readonly state?: string }[];
  readonly texts?: readonly string[];
  /** XML inside `<styleSheet>`. */
  readonly styles?: string;
  readonly workbook?: string;
  readonly more?: readonly Packed[];
}

const text = (xml: string): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);

/** The least that is an Excel workbook. */
export function workbookOf({ sheets, texts = [], styles, workbook = '', more = [] }: WorkbookParts): Buffer {
  const type = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const relations = [
    ...sheets.map(
      (_, index) =>
        `<Relationship Id="rId${index + 1}" Type="${type}/worksheet" Target="worksheets/s${index + 1}.xml"/>`,
    ),
    `<Relationship Id="rIdT" Type="${type}/sharedStrings" Target="sharedStrings.xml"/>`,
    ...(styles === undefined ? [] : [`<Relationship Id="rIdS" Type="${type}/styles" Target="styles.xml"/>`]),
  ];
  const list = sheets.map(
    ({ name, state }, index) =>
      `<sheet name="${name}" sheetId="${index + 1}"${state ? ` state="${state}"` : ''} r:id="rId${index + 1}"/>`,
  );
  return zipOf([
    {
      name: '_rels/.rels',
      data: text(
        `<Relationships><Relationship Id="a" Type="${type}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      ),
    },
    { name: 'xl/_rels/workbook.xml.rels', data: text(`<Relationships>${relations.join('')}</Relationships>`) },
    {
      name: 'xl/workbook.xml',
      data: text(`<workbook xmlns:r="${type}">${workbook}<sheets>${list.join('')}</sheets></workbook>`),
    },
    ...sheets.map(({ data }, index) => ({
      name: `xl/worksheets/s${index + 1}.xml`,
      data: text(`<worksheet><sheetData>${data}</sheetData></worksheet>`),
    })),
    { name: 'xl/sharedStrings.xml', data: text(`<sst>${texts.map((one) => `<si>${one}</si>`).join('')}</sst>`) },
    ...(styles === undefined ? [] : [{ name: 'xl/styles.xml', data: text(`<styleSheet>${styles}</styleSheet>`) }]),
    ...more,
  ]);
}
