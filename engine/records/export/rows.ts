/** From the bytes of a COPY to records. */
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** What is done to the text of a record before it is read: encrypted values are opened. */
export type OpenLine = (line: string) => string;

/** @param stream JSON, a record a line */
async function* readLines(stream: AsyncIterable<Buffer>, open: OpenLine): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines.map(open);
  }
}

/** @param stream JSON, a record a line */
export async function* readRecords(stream: AsyncIterable<Buffer>, open: OpenLine): AsyncGenerator<readonly unknown[]> {
  for await (const lines of readLines(stream, open)) yield lines.map((line): unknown => JSON.parse(line));
}

/** The same lines, opened. */
export async function* openedLines(stream: AsyncIterable<Buffer>, open: OpenLine): AsyncGenerator<string> {
  for await (const lines of readLines(stream, open)) yield `${lines.join('\n')}\n`;
}

/**
 * The file made of rows. Whoever destroys it destroys the rows at once, and does not wait for the next one as a generator
 * would: it may be a long sort away.
 */
export function through(
  rows: Readable,
  file: (source: AsyncIterable<Buffer>) => AsyncIterable<string | Uint8Array>,
): Readable {
  const out = new PassThrough();
  // What goes wrong destroys the file with it: that is where it is told.
  pipeline(rows, file, out, () => {});
  out.once('close', () => rows.destroy());
  return out;
}
