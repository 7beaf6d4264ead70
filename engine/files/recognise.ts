/** What a file is, by its first bytes. What a client says it is counts for nothing: it decides what a browser would run. */
import { IMAGE_TYPES } from '../model/fields/files.ts';

/** How many bytes are looked at. */
export const HEAD_BYTES = 16;
export const UNKNOWN_TYPE = 'application/octet-stream';

const SIGNATURES: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ['image/png', 0, '89504e470d0a1a0a'],
  ['image/jpeg', 0, 'ffd8ff'],
  ['image/gif', 0, '474946383761'],
  ['image/gif', 0, '474946383961'],
  ['application/pdf', 0, '255044462d'],
  ['application/zip', 0, '504b0304'],
];

/** What may be shown in a page. */
export const INLINE_TYPES: ReadonlySet<string> = new Set(IMAGE_TYPES);

/** @param head the first {@link HEAD_BYTES} bytes, or all there are */
export function recognise(head: Uint8Array): string {
  const hex = Buffer.from(head).toString('hex');
  if (hex.startsWith('52494646') && hex.slice(16, 24) === '57454250') return 'image/webp';
  return SIGNATURES.find(([, offset, bytes]) => hex.startsWith(bytes, offset * 2))?.[0] ?? UNKNOWN_TYPE;
}

/** The name a person gave, without what a file system or a header could misread. Never used as a path. */
export function cleanName(name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  // Control characters, and those that turn the direction of what follows (`gpj.exe`).
  const plain = last.replaceAll(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '').trim();
  const cut = Array.from(plain).slice(0, 200).join('');
  return cut === '' || cut === '.' || cut === '..' ? 'file' : cut;
}
