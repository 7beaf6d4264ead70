/**
 * From the bytes of a file to text. UTF-8, checked; UTF-16 when a byte order mark says so; anything else only when
 * somebody says what it is, because every sequence of bytes is valid in the old one-byte encodings.
 */
import { Problem } from '#engine/problem.ts';
import { badFile } from './problems.ts';

export const FILE_LIMIT = 50 * 1024 * 1024;

/** Bytes of a line. */
const LINE_LIMIT = 2 * 1024 * 1024;

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type Encoding = (typeof ENCODINGS)[number];

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['PK\u0003\u0004', 'This is a ZIP archive, not a CSV file.'],
  [
    '\u00D0\u00CF\u0011\u00E0',
    'This is a workbook of an old Excel, or one with a password. Save it as an Excel workbook (.xlsx) without one.',
  ],
  ['%PDF', 'This is a PDF file, not a CSV file.'],
];

/**
 * @param encoding what the person says; without it the byte order mark decides, else UTF-8
 * @returns text in pieces that end with whole lines, without byte order mark
 * @throws Problem `invalid_import` with the line that is not text, `too_large`
 */
export async function* decode(stream: AsyncIterable<Uint8Array>, encoding?: Encoding): AsyncGenerator<string> {
  let pending: Buffer = Buffer.alloc(0);
  let chosen: Encoding | null = null;
  let size = 0;
  let line = 1;
  const take = (block: Buffer, last: boolean): string => {
    chosen ??= begin(block, encoding);
    const text = decodeBlock(block, chosen, line);
    if (!last) line += count(text);
    return text;
  };
  let decoder: TextDecoder | null = null;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > FILE_LIMIT) throw new Problem('too_large', `The file may have ${FILE_LIMIT / 1024 / 1024} MB at most.`);
    if (decoder) {
      const text: string = decodeWide(decoder, chunk, true, line);
      line += count(text);
      yield text;
      continue;
    }
    pending = Buffer.concat([pending, chunk]);
    if (chosen === null) {
      if (pending.length < 4) continue;
      chosen = begin(pending, encoding);
      if (chosen === 'utf-16le' || chosen === 'utf-16be') {
        decoder = new TextDecoder(chosen, { fatal: true });
        const text: string = decodeWide(decoder, pending, true, line);
        pending = Buffer.alloc(0);
        line += count(text);
        yield text;
        continue;
      }
      pending = withoutMark(pending);
    }
    const end = pending.lastIndexOf(0x0a) + 1;
    if (pending.length - end > LINE_LIMIT) throw badFile('it is longer than any line of a CSV file.', line);
    if (end > 0) {
      yield take(pending.subarray(0, end), false);
      pending = pending.subarray(end);
    }
  }
  if (decoder) {
    yield decodeWide(decoder, new Uint8Array(), false, line);
    return;
  }
  if (chosen === null) {
    chosen = begin(pending, encoding);
    if (chosen === 'utf-16le' || chosen === 'utf-16be') {
      yield decodeWide(new TextDecoder(chosen, { fatal: true }), pending, false, line);
      return;
    }
    pending = withoutMark(pending);
  }
  if (pending.length > 0) yield take(pending, true);
}

const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

function begin(bytes: Buffer, encoding: Encoding | undefined): Encoding {
  const start = bytes.subarray(0, 4).toString('latin1');
  for (const [signature, message] of SIGNATURES) if (start.startsWith(signature)) throw badFile(message);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return encoding ?? 'utf-8';
}

function count(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

function decodeWide(decoder: TextDecoder, bytes: Uint8Array, more: boolean, line: number): string {
  try {
    return withoutNul(decoder.decode(bytes, { stream: more }), line);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw badFile('there are bytes that are no UTF-16 text, although the file begins as such.', line);
  }
}

/** Whole lines, so that the one with the bad bytes can be named. */
function decodeBlock(block: Buffer, encoding: Encoding, line: number): string {
  if (encoding === 'windows-1252') return withoutNul(new TextDecoder('windows-1252').decode(block), line);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return withoutNul(decoder.decode(block), line);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw badFile(
      'there are bytes that are no UTF-8 text. Save the file as CSV with the encoding UTF-8.',
      line + badLine(block),
    );
  }
}

function badLine(block: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let lines = 0; ; lines += 1) {
    const end = block.indexOf(0x0a, start);
    try {
      decoder.decode(block.subarray(start, end < 0 ? block.length : end));
    } catch {
      return lines;
    }
    if (end < 0) return lines;
    start = end + 1;
  }
}

/** Text never holds NUL; files of programs do. */
function withoutNul(text: string, line: number): string {
  const at = text.indexOf('\0');
  if (at >= 0) throw badFile('there is a NUL byte: this is not a text file.', line + count(text.slice(0, at)));
  return text;
}
