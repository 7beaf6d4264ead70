/** From the bytes of a COPY to records. */
import { StringDecoder } from 'node:string_decoder';

/** @param stream JSON, a record a line */
export async function* readRecords(stream: AsyncIterable<Buffer>): AsyncGenerator<readonly unknown[]> {
  const decoder = new StringDecoder('utf8');
  let open = '';
  for await (const chunk of stream) {
    const lines = (open + decoder.write(chunk)).split('\n');
    open = lines.pop() ?? '';
    if (lines.length > 0) yield lines.map((line): unknown => JSON.parse(line));
  }
}
