/** XML as it arrives: tags and text, without prefixes. Documents that define something of their own (DTD) are refused. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';
import { Problem } from '#engine/problem.ts';
import { badFile } from '../problems.ts';
import { broken } from './archive.ts';

export type Attributes = Readonly<Record<string, string>>;

export interface XmlHandler {
  open?(name: string, attributes: Attributes): void;
  close?(name: string): void;
  text?(text: string): void;
}

const bare = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Yields after every piece, so that what the handler has collected can be taken from it.
 * @throws Problem `invalid_import`, or whatever the handler throws
 */
export async function* readXml(stream: Readable, handler: XmlHandler): AsyncGenerator<void> {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  const decoder = new StringDecoder('utf8');
  parser.on('error', () => {
    throw broken();
  });
  parser.on('doctype', () => {
    throw badFile('This workbook holds a document type definition, which no spreadsheet writes.');
  });
  parser.on('opentag', (tag) => handler.open?.(bare(tag.name), tag.attributes));
  parser.on('closetag', (tag) => handler.close?.(bare(tag.name)));
  parser.on('text', (text) => handler.text?.(text));
  parser.on('cdata', (text) => handler.text?.(text));
  try {
    for await (const chunk of stream) {
      parser.write(decoder.write(chunk));
      yield;
    }
    parser.close();
    yield;
  } catch (error) {
    throw error instanceof Problem ? error : broken();
  } finally {
    stream.destroy();
  }
}

/** Reads all of a small document. */
export async function readAllXml(stream: Readable, handler: XmlHandler): Promise<void> {
  for await (const _ of readXml(stream, handler)) continue;
}
